/* The host port: the firmware as a program of this computer, on stdin and stdout or on a terminal.
 *
 * It is a real peer for tests: same frames, same commands, same state machine. What a chip does and a computer cannot
 * is done with what there is: a reset replaces the process by itself and keeps `noinit`, a crash is a signal, the
 * watchdog is a timer, cycles are nanoseconds.
 */
#ifndef HOST_H
#define HOST_H

#include <stdint.h>

/** File descriptors of the link; set by host_console_open. */
void host_console_open(int count, char **arguments);

/** Replace this process by itself; the next life starts with `cause` and today's `noinit`. Async-signal-safe. */
_Noreturn void host_restart(uint8_t cause);
/** What host_restart left; PROTOCOL_RESET_CAUSE_POWER_ON at first. */
uint8_t host_reset_cause(void);
void host_life_start(int count, char **arguments);

#endif
