/* USART of an STM32H7, and the DMA stream that empties it (RM0399). */
#ifndef UART_REGISTERS_H
#define UART_REGISTERS_H
#include "uart.h"

#include "board.h"
#include "core.h"
#include "registers.h"
#include "usart.h"
#if BOARD_CONSOLE_RECEIVE_DMA
#include "dma_stream.h"
#endif

#define UART(name) REG_AT(BOARD_CONSOLE_BASE, USART, name)
#define CLOCK_ENABLE (*(volatile uint32_t *)BOARD_CONSOLE_CLOCK_REGISTER)

static inline void uart_clocks_on(void) {
    REG(RCC, AHB4ENR) |= BOARD_CONSOLE_PIN_CLOCKS;
    CLOCK_ENABLE |= BOARD_CONSOLE_CLOCK;
    (void)CLOCK_ENABLE;
}

static inline void uart_start(uint32_t divider) {
    UART(BRR) = divider;
    UART(CR1) = USART_CR1_UE | USART_CR1_TE;
}

static inline uint32_t uart_divider(uint32_t bus_hz, uint32_t baud, uint32_t *off_hz) {
    return usart_divider(bus_hz, baud, off_hz);
}

static inline void uart_set_divider(uint32_t divider) {
    const uint32_t was = UART(CR1);
    UART(CR1) = was & ~USART_CR1_UE; /* RM0399: BRR can only be written while the UART is off */
    UART(BRR) = divider;
    UART(CR1) = was;
}

static inline bool uart_can_send(void) {
    return (UART(ISR) & USART_ISR_TXE) != 0;
}

static inline void uart_send(uint8_t byte) {
    UART(TDR) = byte;
}

static inline bool uart_all_sent(void) {
    return (UART(ISR) & USART_ISR_TC) != 0;
}

static inline void uart_receive(bool on) {
    if (on) {
        UART(CR1) |= USART_CR1_RE;
    } else {
        UART(CR1) &= ~USART_CR1_RE;
    }
}

static inline bool uart_take_overrun(void) {
    if (!(UART(ISR) & USART_ISR_ORE)) return false;
    UART(ICR) = USART_ICR_ORECF; /* else it would be counted again at the next look */
    return true;
}

#if BOARD_CONSOLE_RECEIVE_DMA

static inline void uart_receive_into(volatile uint8_t *ring, uint32_t bytes) {
    dma_stream_clock_on();
    REG_AT(BOARD_CONSOLE_DMAMUX, DMAMUX, C0CR) = BOARD_CONSOLE_DMA_REQUEST;
    /* TRBUFF: without it the stream of a USART can lock up when another one runs (ST ES0445, DMA). */
    dma_stream_start(BOARD_CONSOLE_BASE + USART_RDR_OFFSET, ring, bytes, DMA_S0CR_TRBUFF);
    UART(CR3) = USART_CR3_DMAR;
}

static inline void uart_receive_stop(void) {
    dma_stream_stop();
}

static inline uint32_t uart_dma_left(void) {
    return DMA_STREAM(NDTR);
}

static inline bool uart_dma_take_wrap(void) {
    return dma_stream_take_wrap();
}

#else

static inline void uart_receive_interrupt_on(void) {
    UART(CR1) |= USART_CR1_RXNEIE;
}

static inline bool uart_take_byte(uint8_t *byte, bool *overrun) {
    *overrun = uart_take_overrun();
    if (!(UART(ISR) & USART_ISR_RXNE)) return false;
    *byte = (uint8_t)UART(RDR); /* clears RXNE */
    return true;
}

#endif

#endif
