#include "console.h"

#include "board.h"
#include "core.h"
#include "family.h"
#include "port.h"
#include "registers.h"
#include "section.h"
#include "uart_registers.h"

#define RING_BYTES PROTOCOL_LIMIT_RING_BYTES
_Static_assert((RING_BYTES & (RING_BYTES - 1u)) == 0, "ring positions are masked");
_Static_assert(RING_BYTES <= 0xFFFFu, "a DMA counts 16 bits");
#define PIN_ALTERNATE 2u /* GPIO MODER */
#define PIN_PULL_UP 1u   /* an open receive line reads as idle */
#define PIN_FAST 2u      /* OSPEEDR */

static volatile uint8_t ring[RING_BYTES] SECTION_DMA;
static uint32_t tail; /* bytes taken since receive_start; the ring's index is tail modulo RING_BYTES */
static uint32_t seen; /* bytes received since then, when last asked */
static uint32_t bus_hz_now, baud_now;
static volatile uint32_t overruns;

/* ---- reception by DMA ---- */
#if BOARD_CONSOLE_RECEIVE_DMA

static uint32_t turns; /* times the DMA has passed the ring's end */

static void receive_start(void) {
    tail = seen = turns = 0;
    uart_receive_into(ring, RING_BYTES);
}

static void receive_stop(void) {
    uart_receive_stop();
}

/** Bytes received since receive_start. The position is read twice around the flag, which may be set in between.
 * Between the last byte of a turn and its flag the result is a whole ring too low: port_console_read knows that. */
static uint32_t head(void) {
    uint32_t position = RING_BYTES - uart_dma_left();
    if (uart_dma_take_wrap()) {
        turns++;
        position = RING_BYTES - uart_dma_left();
    }
    return turns * RING_BYTES + (position & (RING_BYTES - 1u));
}

static void check_receiver(void) {
    if (uart_take_overrun()) overruns++;
}

/* ---- reception by interrupt ---- */
#else

static volatile uint32_t received;

static void receive_start(void) {
    uart_receive_interrupt_on();
    core_interrupt_enable(BOARD_CONSOLE_INTERRUPT);
}

static void receive_stop(void) {}

static uint32_t head(void) {
    return received;
}

static void check_receiver(void) {}

void BOARD_CONSOLE_HANDLER(void);
void BOARD_CONSOLE_HANDLER(void) {
    uint8_t byte = 0;
    bool overrun = false;
    const bool came = uart_take_byte(&byte, &overrun);
    if (overrun) overruns++;
    if (!came) return;
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

/** By whole words: an SRAM with ECC checks what a byte is written into, and after power-on nothing there is right. */
static void clear_ring(void) {
    typedef volatile uint32_t __attribute__((may_alias)) word;
    word *words = (word *)(volatile void *)ring;
    for (uint32_t i = 0; i < RING_BYTES / sizeof *words; i++) words[i] = 0;
}

static uint32_t divider(uint32_t baud) {
    uint32_t off_hz;
    return uart_divider(bus_hz_now, baud, &off_hz);
}

void console_start(uint32_t bus_hz) {
    bus_hz_now = bus_hz;
    baud_now = PROTOCOL_LIMIT_FIRST_BAUD;
    uart_clocks_on();
    set_pin(BOARD_CONSOLE_TX_GPIO, BOARD_CONSOLE_TX_PIN);
    set_pin(BOARD_CONSOLE_RX_GPIO, BOARD_CONSOLE_RX_PIN);
    uart_start(divider(baud_now));
    clear_ring();
    receive_start();
    port_console_receive(true);
}

int32_t port_console_read(void) {
    if (seen == tail) seen = head();
    const uint32_t waiting = seen - tail;
    if (waiting == 0 || waiting > UINT32_MAX / 2u) { /* nothing, or a position whose flag is still to come */
        seen = tail;
        return -1;
    }
    if (waiting > RING_BYTES) { /* lapped: what is left is a mix of old and new */
        overruns++;
        tail += waiting;
        return -1;
    }
    return ring[tail++ & (RING_BYTES - 1u)];
}

void port_console_write(const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        while (!uart_can_send()) family_pause_send();
        uart_send(bytes[i]);
    }
    seen = tail; /* that took a while: ask again how much came, so that a lap is noticed */
}

void port_console_drain(void) {
    while (!uart_all_sent()) family_pause_send();
}

void port_console_receive(bool on) {
    uart_receive(on);
}

uint32_t port_console_overruns(void) {
    check_receiver();
    return overruns;
}

uint32_t port_console_baud_error_ppm(uint32_t baud) {
    uint32_t off_hz;
    return uart_divider(bus_hz_now, baud, &off_hz) == 0 ? UINT32_MAX : off_hz / (bus_hz_now / 1000000u);
}

void port_console_set_baud(uint32_t baud) {
    baud_now = baud;
    receive_stop(); /* newer UARTs are switched off for this, and their DMA must be so before: RM0399, RM0432, CR1.UE */
    uart_set_divider(divider(baud));
    receive_start();
}

uint32_t port_console_baud(void) {
    return baud_now;
}
