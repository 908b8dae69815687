/* The host port's console, which never loses a byte, with losses on demand: each SIGUSR1 is one. */
#define port_console_overruns host_console_overruns
#include "console.c" /* NOLINT */
#undef port_console_overruns

#include <signal.h>

static volatile sig_atomic_t lost;

static void on_signal(int number) {
    (void)number;
    lost++;
}

uint32_t port_console_overruns(void) {
    if (lost == 0) (void)signal(SIGUSR1, on_signal);
    return (uint32_t)lost;
}
