#include "console.h"

#include "board.h"
#include "core.h"
#include "port.h"
#include "registers.h"
#include "section.h"

#include <stdbool.h>

#define RING_BYTES PROTOCOL_LIMIT_RING_BYTES
_Static_assert((RING_BYTES & (RING_BYTES - 1u)) == 0, "ring positions are masked");
_Static_assert(RING_BYTES <= 0xFFFFu, "CNDTR has 16 bits");
#define UART(name) REG_AT(BOARD_CONSOLE_BASE, LPUART, name)
#define CLOCK_ENABLE (*(volatile uint32_t *)BOARD_CONSOLE_CLOCK_REGISTER)
#define CHANNEL(name) (*(volatile uint32_t *)(BOARD_CONSOLE_DMA_BASE + BOARD_CONSOLE_DMA_CHANNEL_##name))
#define DMA_FLAGS REG_AT(BOARD_CONSOLE_DMA_BASE, DMA, ISR)
#define DMA_CLEAR REG_AT(BOARD_CONSOLE_DMA_BASE, DMA, IFCR)
/* LPUART: baud = 256 * clock / BRR, BRR of 20 bits and at least 0x300, clock at least 3 times the baud (RM0432). */
#define DIVIDER_MIN 0x300u
#define DIVIDER_MAX 0xFFFFFu
#define BAUD_MAX (UINT32_MAX / 257u)
#define SEND_TURNS 32u   /* about 100 cycles: a small part of a byte at 921600 baud */
#define PIN_ALTERNATE 2u /* GPIO MODER */
#define PIN_PULL_UP 1u   /* an open receive line reads as idle */
#define PIN_FAST 2u      /* OSPEEDR */

static volatile uint8_t ring[RING_BYTES] SECTION_DMA;
static uint32_t tail;  /* bytes taken since start; the ring's index is tail modulo RING_BYTES */
static uint32_t seen;  /* bytes received since start, when last asked */
static uint32_t turns; /* times the DMA has passed the ring's end */
static uint32_t bus_hz_now, baud_now, overruns;

static void receive_start(void) {
    REG(RCC, AHB1ENR) |= BOARD_CONSOLE_DMA_CLOCK | RCC_AHB1ENR_DMAMUX1EN;
    (void)REG(RCC, AHB1ENR);
    (*(volatile uint32_t *)(DMAMUX1_BASE + BOARD_CONSOLE_DMAMUX_CHANNEL)) = BOARD_CONSOLE_DMA_REQUEST;
    DMA_CLEAR = BOARD_CONSOLE_DMA_ALL_FLAGS;
    CHANNEL(CPAR) = BOARD_CONSOLE_BASE + LPUART_RDR_OFFSET;
    CHANNEL(CMAR) = (uint32_t)ring;
    CHANNEL(CNDTR) = RING_BYTES;
    CHANNEL(CCR) = FIELD(DMA_CCR1_PL, 3u) | DMA_CCR1_MINC | DMA_CCR1_CIRC; /* all channels have the first one's bits */
    CHANNEL(CCR) |= DMA_CCR1_EN;
    UART(CR3) = LPUART_CR3_DMAR;
}

/** Bytes received since start. The position is read twice around the flag, which may be set in between. */
static uint32_t head(void) {
    uint32_t position = RING_BYTES - CHANNEL(CNDTR);
    if (DMA_FLAGS & BOARD_CONSOLE_DMA_TRANSFER_COMPLETE) {
        DMA_CLEAR = BOARD_CONSOLE_DMA_TRANSFER_COMPLETE;
        turns++;
        position = RING_BYTES - CHANNEL(CNDTR);
    }
    return turns * RING_BYTES + (position & (RING_BYTES - 1u));
}

/** Pins 2 to 15 of port G have a supply of their own, which the chip leaves unconnected until told that it is there. */
static void connect_vddio2(void) {
    REG(RCC, APB1ENR1) |= RCC_APB1ENR1_PWREN;
    (void)REG(RCC, APB1ENR1);
    REG(PWR, CR2) |= PWR_CR2_IOSV;
}

static void set_pin(uint32_t gpio, uint32_t pin) {
    const uint32_t two = 2u * pin, four = 4u * (pin & 7u);
    volatile uint32_t *alternate = pin < 8u ? &REG_AT(gpio, GPIO, AFRL) : &REG_AT(gpio, GPIO, AFRH);
    *alternate = (*alternate & ~(15u << four)) | BOARD_CONSOLE_ALTERNATE << four;
    REG_AT(gpio, GPIO, OSPEEDR) = (REG_AT(gpio, GPIO, OSPEEDR) & ~(3u << two)) | PIN_FAST << two;
    REG_AT(gpio, GPIO, PUPDR) = (REG_AT(gpio, GPIO, PUPDR) & ~(3u << two)) | PIN_PULL_UP << two;
    REG_AT(gpio, GPIO, MODER) = (REG_AT(gpio, GPIO, MODER) & ~(3u << two)) | PIN_ALTERNATE << two;
}

void console_start(uint32_t bus_hz) {
    bus_hz_now = bus_hz;
    if (BOARD_CONSOLE_VDDIO2) connect_vddio2();
    REG(RCC, AHB2ENR) |= BOARD_CONSOLE_PIN_CLOCKS;
    CLOCK_ENABLE |= BOARD_CONSOLE_CLOCK;
    (void)CLOCK_ENABLE;
    set_pin(BOARD_CONSOLE_TX_GPIO, BOARD_CONSOLE_TX_PIN);
    set_pin(BOARD_CONSOLE_RX_GPIO, BOARD_CONSOLE_RX_PIN);
    receive_start();
    UART(CR1) = LPUART_CR1_TE;
    port_console_set_baud(PROTOCOL_LIMIT_FIRST_BAUD);
    port_console_receive(true);
}

int32_t port_console_read(void) {
    if (seen == tail) seen = head();
    const uint32_t waiting = seen - tail;
    if (waiting == 0) return -1;
    if (waiting > RING_BYTES) { /* lapped: what is left is a mix of old and new */
        overruns++;
        tail += waiting;
        return -1;
    }
    return ring[tail++ & (RING_BYTES - 1u)];
}

void port_console_write(const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        while (!(UART(ISR) & LPUART_ISR_TXE)) core_pause(SEND_TURNS);
        UART(TDR) = bytes[i];
    }
    seen = tail; /* that took a while: ask again how much came, so that a lap is noticed */
}

void port_console_drain(void) {
    while (!(UART(ISR) & LPUART_ISR_TC)) core_pause(SEND_TURNS);
}

void port_console_receive(bool on) {
    if (on) {
        UART(CR1) |= LPUART_CR1_RE;
    } else {
        UART(CR1) &= ~LPUART_CR1_RE;
    }
}

uint32_t port_console_overruns(void) {
    if (UART(ISR) & LPUART_ISR_ORE) {
        UART(ICR) = LPUART_ICR_ORECF; /* else it would be counted again at the next look */
        overruns++;
    }
    return overruns;
}

/** 256 * clock / baud, rounded, without a product of more than 32 bits; `off`: clock counts that a second is wrong by.
 */
static uint32_t divider(uint32_t baud, uint32_t *off) {
    *off = 0;
    if (baud == 0 || baud > BAUD_MAX || bus_hz_now / baud > DIVIDER_MAX / 256u) return 0;
    const uint32_t rest = bus_hz_now % baud * 256u; /* below 256 * baud */
    const uint32_t more = (rest + baud / 2u) / baud;
    const uint32_t made = more * baud;
    *off = (made > rest ? made - rest : rest - made) / 256u;
    return bus_hz_now / baud * 256u + more;
}

uint32_t port_console_baud_error_ppm(uint32_t baud) {
    uint32_t off;
    const uint32_t d = divider(baud, &off);
    if (d < DIVIDER_MIN || d > DIVIDER_MAX) return UINT32_MAX;
    return off / (bus_hz_now / 1000000u);
}

void port_console_set_baud(uint32_t baud) {
    uint32_t off;
    baud_now = baud;
    UART(CR1) &= ~LPUART_CR1_UE; /* BRR may be written only while the LPUART is off */
    UART(BRR) = divider(baud, &off);
    UART(CR1) |= LPUART_CR1_UE;
}

uint32_t port_console_baud(void) {
    return baud_now;
}
