/* hilgate's firmware: a model, a link, and the measurement between them. README.md has the state machine. */
#include "command.h"
#include "fault.h"
#include "link.h"
#include "port.h"
#include "state.h"

int main(void) {
    port_start();                                 /* clock, time, counter, watchdog, console */
    fault_collect(port_facts_get()->reset_cause); /* what ended the last life */
    state_enter(PROTOCOL_STATE_IDLE);
    link_start();    /* report a crash once, before anything that could crash again */
    command_start(); /* image hash, weights hash, model_check */
    for (;;) {
        link_poll(); /* frames in, answers out */
        port_idle(); /* feed the watchdog, keep time */
    }
}
