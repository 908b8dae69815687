/* Start-up of an STM32 in the order that works: cause, watchdog, supply and clock, core, time, counter, console. */
#include "board.h"
#include "clock.h"
#include "console.h"
#include "core.h"
#include "family.h"
#include "port.h"
#include "registers.h"

#include <string.h>

#define WATCHDOG_UNLOCK 0x5555u /* IWDG_KR: RM0390, RM0399, RM0432, independent watchdog */
#define WATCHDOG_START 0xCCCCu
#define WATCHDOG_FEED 0xAAAAu
#define WATCHDOG_PRESCALER_32 3u
#define IDLE_TURNS 256u /* of the main loop between two looks at time and watchdog */

static port_facts facts;

/** Bites after BOARD_WATCHDOG_MS at the nominal 32 kHz of the LSI. It is 17 to 47 kHz on an F4, so 0.7 to 1.9 times as
 * long; 31 to 33 kHz on an L4+ at 30 degrees (DS12023). */
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

void port_start(void) {
    facts.reset_cause = family_reset_cause();
    facts.board_id = BOARD_ID;
    start_watchdog();
    const clock_result clock = clock_start();
    facts.clock_source = clock.source;
    facts.clock_hz = clock.core_hz;
    family_prepare_core();
    core_time_start(clock.core_hz);
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
    family_pause_idle();
    if (++turns % IDLE_TURNS != 0) return;
    port_watchdog_feed();
    (void)port_time_us(); /* keeps time true: SysTick wraps */
}
