/* Waiting for a bit, never for ever. */
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

#endif
