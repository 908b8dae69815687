/* What the firmware asks of the place it runs on. port/<family>/ implements it for a chip, port/host/ for a test
 * machine.
 *
 * Nothing in src/ knows a register, a pin or a board.
 */
#ifndef PORT_H
#define PORT_H

#include "protocol.h"

#include <stdbool.h>
#include <stdint.h>

/** What start-up found out; all of it goes into the answer to `identify`. */
typedef struct port_facts {
    uint32_t clock_hz;    /* of the core, as configured */
    uint8_t clock_source; /* PROTOCOL_CLOCK_SOURCE_... */
    uint8_t reset_cause;  /* PROTOCOL_RESET_CAUSE_... */
    uint8_t counter;      /* PROTOCOL_COUNTER_... */
    uint16_t board_id;
    uint8_t uid[12]; /* zero where the chip has none */
} port_facts;

/** Marks of RAM in bytes; zero where the port cannot know. */
typedef struct port_memory {
    uint32_t static_bytes;     /* .data, .bss, .noinit and buffers; without the arena */
    uint32_t stack_bytes;      /* reserved */
    uint32_t stack_seen_bytes; /* deepest use since reset, by paint */
} port_memory;

/** The image that runs, as its own header and its own bytes state it. */
typedef struct port_image {
    uint8_t hash[32]; /* computed over the bytes, hash slot zeroed */
    bool ok;          /* equals the slot */
} port_image;

/** Clock, time, cycle counter, watchdog and the console at PROTOCOL_LIMIT_FIRST_BAUD. */
void port_start(void);
const port_facts *port_facts_get(void);
void port_image_get(port_image *image);
void port_memory_get(port_memory *memory);

/** Microseconds since start; wraps after 71 minutes. Must be called four times a second to stay true. */
uint32_t port_time_us(void);
void port_wait_us(uint32_t us);
/** The cycle counter; always 0 when facts say PROTOCOL_COUNTER_NONE. */
uint32_t port_cycles(void);
void port_watchdog_feed(void);

/** Mask all interrupts; returns what port_interrupts_restore needs. */
uint32_t port_interrupts_mask(void);
void port_interrupts_restore(uint32_t saved);

/** Next received byte, or -1. */
int32_t port_console_read(void);
void port_console_write(const uint8_t *bytes, uint32_t count);
/** Wait until the last bit has left. */
void port_console_drain(void);
/** Receiver on or off; bytes that arrive while it is off are lost. */
void port_console_receive(bool on);
/** Times that received bytes were lost since reset. */
uint32_t port_console_overruns(void);
/** How far the nearest rate that the divider can make is from `baud`, in parts per million; UINT32_MAX: impossible. */
uint32_t port_console_baud_error_ppm(uint32_t baud);
void port_console_set_baud(uint32_t baud);
/** The rate in force. */
uint32_t port_console_baud(void);

/** One turn of the main loop is over: feed the watchdog, keep time, wait for input where the port can. */
void port_idle(void);
_Noreturn void port_reset(void);
/** Execute a permanently undefined instruction. */
_Noreturn void port_crash(void);

#endif
