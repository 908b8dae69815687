/* Waiting: for a bit, never for ever; and for time to pass. */
#ifndef WAIT_H
#define WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* A turn takes at least 2 cycles of a core that issues two instructions in each, and the register is on a slower bus:
 * at least 100 ms at the 64 MHz of reset (ST's HSE_STARTUP_TIMEOUT), and more at 16 MHz of a divided one. */
#define WAIT_TURNS 3200000u

/** Wait until the bits of `mask` have the value `wanted`; false after the time-out. */
static inline bool wait_for(const volatile uint32_t *reg, uint32_t mask, uint32_t wanted) {
    for (uint32_t turn = 0; turn < WAIT_TURNS; turn++) {
        if ((*reg & mask) == wanted) return true;
    }
    return false;
}

/** Let time pass without touching a register, about 33 cycles a turn. core_pause would take one cycle here, and an
 * emulator pays for each turn: four divisions by one, each of the longest kind, keep the core busy for longer. */
static inline void wait_turns(uint32_t turns) {
    uint32_t value = UINT32_MAX;
    for (; turns > 0; turns--) {
        __asm volatile("udiv %0, %0, %1\n\t"
                       "udiv %0, %0, %1\n\t"
                       "udiv %0, %0, %1\n\t"
                       "udiv %0, %0, %1"
                       : "+r"(value)
                       : "r"(1u));
    }
}

#endif
