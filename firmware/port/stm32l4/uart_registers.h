/* LPUART of an STM32L4+, and the DMA channel that empties it (RM0432). */
#ifndef UART_REGISTERS_H
#define UART_REGISTERS_H
#include "uart.h"

#include "board.h"
#include "core.h"
#include "registers.h"

#define UART(name) REG_AT(BOARD_CONSOLE_BASE, LPUART, name)
#define CLOCK_ENABLE (*(volatile uint32_t *)BOARD_CONSOLE_CLOCK_REGISTER)
#define CHANNEL(name) (*(volatile uint32_t *)(BOARD_CONSOLE_DMA_BASE + BOARD_CONSOLE_DMA_CHANNEL_##name))
#define DMA_FLAGS REG_AT(BOARD_CONSOLE_DMA_BASE, DMA, ISR)
#define DMA_CLEAR REG_AT(BOARD_CONSOLE_DMA_BASE, DMA, IFCR)
/* LPUART: baud = 256 * clock / BRR, BRR of 20 bits and at least 0x300, clock at least 3 times the baud (RM0432). */
#define DIVIDER_MIN 0x300u
#define DIVIDER_MAX 0xFFFFFu
#define BAUD_MAX (UINT32_MAX / 257u)

/** Pins 2 to 15 of port G have a supply of their own, which the chip leaves unconnected until told that it is there. */
static void connect_vddio2(void) {
    REG(RCC, APB1ENR1) |= RCC_APB1ENR1_PWREN;
    (void)REG(RCC, APB1ENR1);
    REG(PWR, CR2) |= PWR_CR2_IOSV;
}

static inline void uart_clocks_on(void) {
    if (BOARD_CONSOLE_VDDIO2) connect_vddio2();
    REG(RCC, AHB2ENR) |= BOARD_CONSOLE_PIN_CLOCKS;
    CLOCK_ENABLE |= BOARD_CONSOLE_CLOCK;
    (void)CLOCK_ENABLE;
}

static inline void uart_start(uint32_t divider) {
    UART(CR1) = LPUART_CR1_TE;
    uart_set_divider(divider);
}

/** 256 * clock / baud, rounded, without a product of more than 32 bits. */
static inline uint32_t uart_divider(uint32_t bus_hz, uint32_t baud, uint32_t *off_hz) {
    *off_hz = 0;
    if (baud == 0 || baud > BAUD_MAX || bus_hz / baud > DIVIDER_MAX / 256u) return 0;
    const uint32_t rest = bus_hz % baud * 256u; /* below 256 * baud */
    const uint32_t more = (rest + baud / 2u) / baud;
    const uint32_t made = more * baud;
    const uint32_t divider = bus_hz / baud * 256u + more;
    *off_hz = (made > rest ? made - rest : rest - made) / 256u;
    return divider < DIVIDER_MIN || divider > DIVIDER_MAX ? 0 : divider;
}

static inline void uart_set_divider(uint32_t divider) {
    UART(CR1) &= ~LPUART_CR1_UE; /* BRR may be written only while the LPUART is off */
    UART(BRR) = divider;
    UART(CR1) |= LPUART_CR1_UE;
}

static inline bool uart_can_send(void) {
    return (UART(ISR) & LPUART_ISR_TXE) != 0;
}

static inline void uart_send(uint8_t byte) {
    UART(TDR) = byte;
}

static inline bool uart_all_sent(void) {
    return (UART(ISR) & LPUART_ISR_TC) != 0;
}

static inline void uart_receive(bool on) {
    if (on) {
        UART(CR1) |= LPUART_CR1_RE;
    } else {
        UART(CR1) &= ~LPUART_CR1_RE;
    }
}

static inline void uart_receive_into(volatile uint8_t *ring, uint32_t bytes) {
    REG(RCC, AHB1ENR) |= BOARD_CONSOLE_DMA_CLOCK | RCC_AHB1ENR_DMAMUX1EN;
    (void)REG(RCC, AHB1ENR);
    (*(volatile uint32_t *)(DMAMUX1_BASE + BOARD_CONSOLE_DMAMUX_CHANNEL)) = BOARD_CONSOLE_DMA_REQUEST;
    DMA_CLEAR = BOARD_CONSOLE_DMA_ALL_FLAGS;
    CHANNEL(CPAR) = BOARD_CONSOLE_BASE + LPUART_RDR_OFFSET;
    CHANNEL(CMAR) = (uint32_t)ring;
    CHANNEL(CNDTR) = bytes;
    CHANNEL(CCR) = FIELD(DMA_CCR1_PL, 3u) | DMA_CCR1_MINC | DMA_CCR1_CIRC; /* all channels have the first one's bits */
    CHANNEL(CCR) |= DMA_CCR1_EN;
    UART(CR3) = LPUART_CR3_DMAR;
}

static inline void uart_receive_stop(void) {
    CHANNEL(CCR) &= ~DMA_CCR1_EN;
}

static inline uint32_t uart_dma_left(void) {
    return CHANNEL(CNDTR);
}

static inline bool uart_dma_take_wrap(void) {
    if (!(DMA_FLAGS & BOARD_CONSOLE_DMA_TRANSFER_COMPLETE)) return false;
    DMA_CLEAR = BOARD_CONSOLE_DMA_TRANSFER_COMPLETE;
    return true;
}

static inline bool uart_take_overrun(void) {
    if (!(UART(ISR) & LPUART_ISR_ORE)) return false;
    UART(ICR) = LPUART_ICR_ORECF; /* else it would be counted again at the next look */
    return true;
}

#endif
