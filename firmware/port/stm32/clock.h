/* Supply and clock set-up with time-outs: the board's own source, then the internal oscillator, then the reset clock.
 * port/<family>/clock.c implements it. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

typedef struct clock_result {
    uint8_t source; /* PROTOCOL_CLOCK_SOURCE_... */
    uint32_t core_hz, apb1_hz, apb2_hz;
} clock_result;

/** Reach the fastest clock that answers. */
clock_result clock_start(void);

#endif
