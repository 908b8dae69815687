/* USART of an STM32F4, and the DMA stream that empties it (RM0390). */
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
    REG(RCC, AHB1ENR) |= BOARD_CONSOLE_PIN_CLOCKS;
    CLOCK_ENABLE |= BOARD_CONSOLE_CLOCK;
    (void)CLOCK_ENABLE;
}

static inline void uart_start(uint32_t divider) {
    UART(BRR) = divider; /* before the transmitter, which sends an idle frame when it is switched on */
    UART(CR1) = USART_CR1_UE | USART_CR1_TE;
}

static inline uint32_t uart_divider(uint32_t bus_hz, uint32_t baud, uint32_t *off_hz) {
    return usart_divider(bus_hz, baud, off_hz);
}

static inline void uart_set_divider(uint32_t divider) {
    UART(BRR) = divider;
}

static inline bool uart_can_send(void) {
    return (UART(SR) & USART_SR_TXE) != 0;
}

static inline void uart_send(uint8_t byte) {
    UART(DR) = byte;
}

static inline bool uart_all_sent(void) {
    return (UART(SR) & USART_SR_TC) != 0;
}

static inline void uart_receive(bool on) {
    if (on) {
        UART(CR1) |= USART_CR1_RE;
    } else {
        UART(CR1) &= ~USART_CR1_RE;
    }
}

#if BOARD_CONSOLE_RECEIVE_DMA

static inline void uart_receive_into(volatile uint8_t *ring, uint32_t bytes) {
    dma_stream_clock_on();
    dma_stream_start(BOARD_CONSOLE_BASE + USART_DR_OFFSET, ring, bytes,
                     FIELD(DMA_S0CR_CHSEL, BOARD_CONSOLE_DMA_CHANNEL));
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

static inline bool uart_take_overrun(void) {
    if (!(UART(SR) & USART_SR_ORE)) return false;
    (void)UART(DR); /* SR read, then DR read: clears ORE, else it would be counted again at the next look */
    return true;
}

#else

static inline void uart_receive_interrupt_on(void) {
    UART(CR1) |= USART_CR1_RXNEIE;
}

static inline bool uart_take_byte(uint8_t *byte, bool *overrun) {
    const uint32_t status = UART(SR);
    if (!(status & (USART_SR_RXNE | USART_SR_ORE))) return false;
    *byte = (uint8_t)UART(DR); /* clears RXNE and ORE */
    *overrun = (status & USART_SR_ORE) != 0;
    return (status & USART_SR_RXNE) != 0;
}

#endif

#endif
