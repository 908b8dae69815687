/* The one state machine of link and measurement: idle -> load -> quiesce -> measure -> report -> idle.
 *
 * State and layer live in memory that a reset keeps, so that a crash or a watchdog bite can say where it happened.
 */
#ifndef STATE_H
#define STATE_H

#include <stdint.h>

#define STATE_NO_LAYER 0xFFFFFFFFu

typedef struct state_trace {
    uint32_t state; /* PROTOCOL_STATE_... */
    uint32_t layer; /* layer that runs in `profile`, else STATE_NO_LAYER */
} state_trace;

/** What the last life of the firmware left; call before state_enter. Garbage after power-on: ask the reset cause first.
 */
state_trace state_last(void);
void state_enter(uint8_t state);
void state_enter_layer(uint32_t layer);
uint8_t state_now(void);

#endif
