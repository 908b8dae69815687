#include "state.h"

#include "section.h"

static volatile state_trace trace SECTION_NOINIT;

state_trace state_last(void) {
    return trace;
}

void state_enter(uint8_t state) {
    trace.state = state;
    trace.layer = STATE_NO_LAYER;
}

void state_enter_layer(uint32_t layer) {
    trace.layer = layer;
}

uint8_t state_now(void) {
    return (uint8_t)trace.state;
}
