/* Reset, crash and watchdog. */
#define _GNU_SOURCE
#include "fault.h"
#include "host.h"
#include "port.h"
#include "state.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define KEPT_FD_VARIABLE "HILGATE_HOST_KEPT_FD"
#define WATCHDOG_S 2

extern uint8_t __start_noinit[], __stop_noinit[];
static int kept_fd = -1; /* one byte of reset cause, then `noinit` */
static char **arguments_now;
static uint8_t cause = PROTOCOL_RESET_CAUSE_POWER_ON;

_Noreturn void host_restart(uint8_t next_cause) {
    const size_t bytes = (size_t)(__stop_noinit - __start_noinit);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* the mask of a handler survives exec */
    if (pwrite(kept_fd, &next_cause, 1, 0) == 1 && pwrite(kept_fd, __start_noinit, bytes, 1) == (ssize_t)bytes) {
        execv("/proc/self/exe", arguments_now);
    }
    _exit(70);
}

static void on_crash(int number) {
    const state_trace trace = state_last();
    const protocol_fault_record record = {
        .kind = number == SIGILL ? PROTOCOL_FAULT_KIND_USAGE_FAULT : PROTOCOL_FAULT_KIND_BUS_FAULT,
        .state = trace.state,
        .layer = trace.layer,
    };
    fault_store(&record);
    host_restart(PROTOCOL_RESET_CAUSE_SOFTWARE);
}

static void on_watchdog(int number) {
    (void)number;
    host_restart(PROTOCOL_RESET_CAUSE_WATCHDOG);
}

void host_life_start(int count, char **arguments) {
    (void)count;
    arguments_now = arguments;
    const char *kept = getenv(KEPT_FD_VARIABLE);
    if (kept != NULL) {
        const size_t bytes = (size_t)(__stop_noinit - __start_noinit);
        kept_fd = atoi(kept);
        if (pread(kept_fd, &cause, 1, 0) != 1 || pread(kept_fd, __start_noinit, bytes, 1) != (ssize_t)bytes) _exit(71);
    } else {
        char text[16];
        kept_fd = memfd_create("hilgate-noinit", 0); /* not closed by exec: that is its purpose */
        (void)snprintf(text, sizeof text, "%d", kept_fd);
        setenv(KEPT_FD_VARIABLE, text, 1);
    }
    (void)signal(SIGILL, on_crash);
    (void)signal(SIGALRM, on_watchdog);
}

uint8_t host_reset_cause(void) {
    return cause;
}

void port_watchdog_feed(void) {
    const struct itimerval timer = {.it_value = {.tv_sec = WATCHDOG_S}};
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void port_reset(void) {
    host_restart(PROTOCOL_RESET_CAUSE_SOFTWARE);
}

void port_crash(void) {
    (void)raise(SIGILL);
    _exit(72);
}

uint32_t port_interrupts_mask(void) {
    return 0;
}

void port_interrupts_restore(uint32_t saved) {
    (void)saved;
}
