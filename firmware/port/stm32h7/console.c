#include "console.h"

#include "board.h"
#include "core.h"
#include "port.h"
#include "registers.h"
#include "section.h"
#include "wait.h"

#define RING_BYTES PROTOCOL_LIMIT_RING_BYTES
_Static_assert((RING_BYTES & (RING_BYTES - 1u)) == 0, "ring positions are masked");
#define UART(name) REG_AT(BOARD_CONSOLE_BASE, USART, name)
#define CLOCK_ENABLE (*(volatile uint32_t *)BOARD_CONSOLE_CLOCK_REGISTER)
#define DIVIDER_MIN 16u /* BRR of 1.0 at sixteen-fold oversampling */
#define DIVIDER_MAX 0xFFFFu
#define SEND_TURNS 6u    /* about 200 cycles: a small part of a byte at 921600 baud */
#define PIN_ALTERNATE 2u /* GPIO MODER */
#define PIN_PULL_UP 1u   /* an open receive line reads as idle */
#define PIN_FAST 2u      /* OSPEEDR */

static volatile uint8_t ring[RING_BYTES] SECTION_DMA;
static uint32_t tail; /* bytes taken since start; the ring's index is tail modulo RING_BYTES */
static uint32_t seen; /* bytes received since start, when last asked */
static uint32_t bus_hz_now, baud_now;
static volatile uint32_t overruns;

/* ---- reception by DMA ---- */
#if BOARD_CONSOLE_RECEIVE_DMA

#define STREAM(name) (*(volatile uint32_t *)(BOARD_CONSOLE_DMA_BASE + BOARD_CONSOLE_DMA_STREAM_##name))
#define DMA_FLAGS (*(const volatile uint32_t *)(BOARD_CONSOLE_DMA_BASE + BOARD_CONSOLE_DMA_FLAGS))
#define DMA_CLEAR (*(volatile uint32_t *)(BOARD_CONSOLE_DMA_BASE + BOARD_CONSOLE_DMA_CLEAR))
static uint32_t turns; /* times the DMA has passed the ring's end */

static void receive_start(void) {
    for (uint32_t i = 0; i < RING_BYTES; i++) ring[i] = 0; /* SRAM with ECC: no byte goes into a word never written */
    REG(RCC, AHB1ENR) |= BOARD_CONSOLE_DMA_CLOCK;
    (void)REG(RCC, AHB1ENR);
    DMA_CLEAR = BOARD_CONSOLE_DMA_ALL_FLAGS;
    REG_AT(BOARD_CONSOLE_DMAMUX, DMAMUX, C0CR) = BOARD_CONSOLE_DMA_REQUEST;
    STREAM(PAR) = BOARD_CONSOLE_BASE + USART_RDR_OFFSET;
    STREAM(M0AR) = (uint32_t)ring;
    STREAM(NDTR) = RING_BYTES;
    /* TRBUFF: without it the stream of a USART can lock up when another one runs (ST ES0445, DMA). */
    STREAM(CR) = FIELD(DMA_S0CR_PL, 3u) | DMA_S0CR_MINC | DMA_S0CR_CIRC | DMA_S0CR_TRBUFF;
    STREAM(CR) |= DMA_S0CR_EN;
    UART(CR3) = USART_CR3_DMAR;
}

/** Bytes received since start. The position is read twice around the flag, which may be set in between. */
static uint32_t head(void) {
    uint32_t position = RING_BYTES - STREAM(NDTR);
    if (DMA_FLAGS & BOARD_CONSOLE_DMA_TRANSFER_COMPLETE) {
        DMA_CLEAR = BOARD_CONSOLE_DMA_TRANSFER_COMPLETE;
        turns++;
        position = RING_BYTES - STREAM(NDTR);
    }
    return turns * RING_BYTES + (position & (RING_BYTES - 1u));
}

static void check_receiver(void) {
    if (!(UART(ISR) & USART_ISR_ORE)) return;
    UART(ICR) = USART_ICR_ORECF;
    overruns++;
}

/* ---- reception by interrupt ---- */
#else

static volatile uint32_t received;

static void receive_start(void) {
    UART(CR1) |= USART_CR1_RXNEIE;
    core_interrupt_enable(BOARD_CONSOLE_INTERRUPT);
}

static uint32_t head(void) {
    return received;
}

static void check_receiver(void) {}

void BOARD_CONSOLE_HANDLER(void);
void BOARD_CONSOLE_HANDLER(void) {
    const uint32_t status = UART(ISR);
    if (status & USART_ISR_ORE) {
        UART(ICR) = USART_ICR_ORECF;
        overruns++;
    }
    if (!(status & USART_ISR_RXNE)) return;
    const uint8_t byte = (uint8_t)UART(RDR); /* clears RXNE */
    ring[received & (RING_BYTES - 1u)] = byte;
    received++;
}

#endif

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
    REG(RCC, AHB4ENR) |= BOARD_CONSOLE_PIN_CLOCKS;
    CLOCK_ENABLE |= BOARD_CONSOLE_CLOCK;
    (void)CLOCK_ENABLE;
    set_pin(BOARD_CONSOLE_TX_GPIO, BOARD_CONSOLE_TX_PIN);
    set_pin(BOARD_CONSOLE_RX_GPIO, BOARD_CONSOLE_RX_PIN);
    port_console_set_baud(PROTOCOL_LIMIT_FIRST_BAUD); /* BRR is for a UART that is off */
    UART(CR1) = USART_CR1_UE | USART_CR1_TE;
    receive_start();
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
        while (!(UART(ISR) & USART_ISR_TXE)) wait_turns(SEND_TURNS);
        UART(TDR) = bytes[i];
    }
    seen = tail; /* that took a while: ask again how much came, so that a lap is noticed */
}

void port_console_drain(void) {
    while (!(UART(ISR) & USART_ISR_TC)) wait_turns(SEND_TURNS);
}

void port_console_receive(bool on) {
    if (on) {
        UART(CR1) |= USART_CR1_RE;
    } else {
        UART(CR1) &= ~USART_CR1_RE;
    }
}

uint32_t port_console_overruns(void) {
    check_receiver();
    return overruns;
}

static uint32_t divider(uint32_t baud) {
    return baud == 0 ? 0 : (bus_hz_now + baud / 2u) / baud;
}

uint32_t port_console_baud_error_ppm(uint32_t baud) {
    const uint32_t d = divider(baud);
    if (d < DIVIDER_MIN || d > DIVIDER_MAX) return UINT32_MAX;
    const uint32_t made = d * baud; /* the bus clock which would make `baud` exactly */
    const uint32_t off = made > bus_hz_now ? made - bus_hz_now : bus_hz_now - made;
    return off / (bus_hz_now / 1000000u);
}

void port_console_set_baud(uint32_t baud) {
    const uint32_t was = UART(CR1);
    baud_now = baud;
    UART(CR1) = was & ~USART_CR1_UE; /* RM0399: BRR can only be written while the UART is off */
    UART(BRR) = divider(baud);
    UART(CR1) = was;
}

uint32_t port_console_baud(void) {
    return baud_now;
}
