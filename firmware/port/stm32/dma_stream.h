/* One stream of a DMA with streams (STM32F4 and H7), as a ring that bytes are received into. */
#ifndef DMA_STREAM_H
#define DMA_STREAM_H

#include "board.h"
#include "core.h"
#include "registers.h"

#include <stdbool.h>
#include <stdint.h>

#define DMA_STREAM(name) (*(volatile uint32_t *)(BOARD_CONSOLE_DMA_BASE + BOARD_CONSOLE_DMA_STREAM_##name))
#define DMA_FLAGS (*(const volatile uint32_t *)(BOARD_CONSOLE_DMA_BASE + BOARD_CONSOLE_DMA_FLAGS))
#define DMA_CLEAR (*(volatile uint32_t *)(BOARD_CONSOLE_DMA_BASE + BOARD_CONSOLE_DMA_CLEAR))

#define STOP_TURNS 1000u

static inline void dma_stream_clock_on(void) {
    REG(RCC, AHB1ENR) |= BOARD_CONSOLE_DMA_CLOCK;
    (void)REG(RCC, AHB1ENR);
    DMA_CLEAR = BOARD_CONSOLE_DMA_ALL_FLAGS;
}

/** bits: of the stream's CR beside direction, priority and ring. */
static inline void dma_stream_start(uint32_t source, volatile uint8_t *ring, uint32_t bytes, uint32_t bits) {
    DMA_STREAM(PAR) = source;
    DMA_STREAM(M0AR) = (uint32_t)ring;
    DMA_STREAM(NDTR) = bytes;
    DMA_STREAM(CR) = bits | FIELD(DMA_S0CR_PL, 3u) | DMA_S0CR_MINC | DMA_S0CR_CIRC;
    DMA_STREAM(CR) |= DMA_S0CR_EN;
}

/** A stream reads as enabled until its last transfer is over: a few cycles, and never for ever. */
static inline void dma_stream_stop(void) {
    DMA_STREAM(CR) &= ~DMA_S0CR_EN;
    for (uint32_t turn = 0; turn < STOP_TURNS && (DMA_STREAM(CR) & DMA_S0CR_EN) != 0; turn++) {
    }
}

static inline bool dma_stream_take_wrap(void) {
    if (!(DMA_FLAGS & BOARD_CONSOLE_DMA_TRANSFER_COMPLETE)) return false;
    DMA_CLEAR = BOARD_CONSOLE_DMA_TRANSFER_COMPLETE;
    return true;
}

#endif
