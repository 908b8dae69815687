/* Start-up of an STM32H7 in the order that works: cause, watchdog, supply and clock, caches, time, counter, console. */
#include "board.h"
#include "cache.h"
#include "clock.h"
#include "console.h"
#include "core.h"
#include "port.h"
#include "registers.h"
#include "wait.h"

#include <string.h>

#define WATCHDOG_UNLOCK 0x5555u /* IWDG_KR: RM0399, independent watchdog */
#define WATCHDOG_START 0xCCCCu
#define WATCHDOG_FEED 0xAAAAu
#define WATCHDOG_PRESCALER_32 3u
#define IDLE_TURNS 256u       /* of the main loop between two looks at time and watchdog */
#define IDLE_PAUSE_TURNS 100u /* 8 us at 400 MHz, less than a byte; 52 us at 64 MHz */
#define DWT_KEY 0xC5ACCE55u   /* CoreSight lock access: ARM DDI 0403E.e D1.1.1 */

static port_facts facts;

/** Why we started. A power-on also raises the flags of what it implies, so it is asked first; the pin's is always set.
 */
static uint8_t reset_cause(void) {
    const uint32_t flags = REG(RCC, RSR);
    REG(RCC, RSR) = RCC_RSR_RMVF;
    if (flags & RCC_RSR_PORRSTF) return PROTOCOL_RESET_CAUSE_POWER_ON;
    if (flags & RCC_RSR_IWDG1RSTF) return PROTOCOL_RESET_CAUSE_WATCHDOG;
    if (flags & RCC_RSR_SFT1RSTF) return PROTOCOL_RESET_CAUSE_SOFTWARE;
    if (flags & RCC_RSR_PINRSTF) return PROTOCOL_RESET_CAUSE_PIN;
    return PROTOCOL_RESET_CAUSE_UNKNOWN;
}

/** Bites after BOARD_WATCHDOG_MS at the nominal 32 kHz of the LSI (17 to 47 kHz: 0.7 to 1.9 times as long). */
static void start_watchdog(void) {
    REG(IWDG, KR) = WATCHDOG_START;
    REG(IWDG, KR) = WATCHDOG_UNLOCK;
    REG(IWDG, PR) = WATCHDOG_PRESCALER_32;
    REG(IWDG, RLR) = BOARD_WATCHDOG_MS - 1u; /* 32 kHz / 32: one count a millisecond */
    REG(IWDG, KR) = WATCHDOG_FEED;
}

/** 96 bits; a board without any has address 0, and its uid stays zero. */
static void read_uid(uint32_t address) {
    if (address != 0) memcpy(facts.uid, (const void *)address, sizeof facts.uid);
}

/** A Cortex-M7 keeps its DWT locked after power-on, and ignores writes in silence. */
static void unlock_counter(void) {
    REG(COREDEBUG, DEMCR) |= COREDEBUG_DEMCR_TRCENA;
    REG(DWT, LAR) = DWT_KEY;
}

void port_start(void) {
    facts.reset_cause = reset_cause();
    facts.board_id = BOARD_ID;
    start_watchdog();
    const clock_result clock = clock_start();
    facts.clock_source = clock.source;
    facts.clock_hz = clock.core_hz;
    cache_start();
    core_time_start(clock.core_hz);
    unlock_counter();
    if (BOARD_COUNTER == PROTOCOL_COUNTER_DWT && core_counter_start()) facts.counter = PROTOCOL_COUNTER_DWT;
    read_uid(BOARD_UID_ADDRESS);
    port_watchdog_feed();
    console_start(BOARD_CONSOLE_BUS == 1 ? clock.apb1_hz : clock.apb2_hz);
}

const port_facts *port_facts_get(void) {
    return &facts;
}

uint32_t port_cycles(void) {
    return BOARD_COUNTER == PROTOCOL_COUNTER_DWT ? REG(DWT, CYCCNT) : 0u;
}

void port_watchdog_feed(void) {
    REG(IWDG, KR) = WATCHDOG_FEED;
}

void port_idle(void) {
    /* Not at every turn: an emulator takes a lock for each register access, and its input waits for that lock. */
    static uint32_t turns;
    wait_turns(IDLE_PAUSE_TURNS);
    if (++turns % IDLE_TURNS != 0) return;
    port_watchdog_feed();
    (void)port_time_us(); /* keeps time true: SysTick wraps */
}
