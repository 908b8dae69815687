/* The link on file descriptors: stdin and stdout, a terminal by path, or a new pseudo-terminal. */
#define _GNU_SOURCE
#include "host.h"
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define BAUD_MIN 1200u
#define BAUD_MAX 4000000u
#define IDLE_MS 20 /* how long port_idle waits for input: short beside baud_confirm_ms */
#define PTY_FD_VARIABLE "HILGATE_HOST_PTY_FD"

static int in_fd = STDIN_FILENO, out_fd = STDOUT_FILENO;
static uint8_t buffer[4096];
static ssize_t filled, taken;
static uint32_t baud_now = PROTOCOL_LIMIT_FIRST_BAUD;

static void fail(const char *what, const char *path) {
    (void)fprintf(stderr, "%s: %s: %s\n", path, what, strerror(errno));
    exit(1);
}

static void make_raw(int fd) {
    struct termios settings;
    if (tcgetattr(fd, &settings) != 0) return;
    cfmakeraw(&settings);
    (void)tcsetattr(fd, TCSANOW, &settings);
}

/** A new pseudo-terminal; its name goes to stdout. A life after a reset inherits the descriptor. */
static int open_pty(void) {
    char text[16];
    const char *kept = getenv(PTY_FD_VARIABLE);
    if (kept != NULL) return atoi(kept);
    const int fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0) fail("cannot make a pseudo-terminal", "/dev/ptmx");
    make_raw(fd);
    (void)printf("%s\n", ptsname(fd));
    (void)fflush(stdout);
    (void)snprintf(text, sizeof text, "%d", fd);
    setenv(PTY_FD_VARIABLE, text, 1);
    return fd;
}

void host_console_open(int count, char **arguments) {
    if (count < 2) return;
    if (strcmp(arguments[1], "--pty") == 0) {
        in_fd = out_fd = open_pty();
        return;
    }
    in_fd = out_fd = open(arguments[1], O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (in_fd < 0) fail("cannot be opened", arguments[1]);
    make_raw(in_fd);
}

/** Fill the buffer when it is empty, waiting up to `wait_ms`. Ends the program when the other end is gone for good. */
static void refill(int wait_ms) {
    struct pollfd input = {.fd = in_fd, .events = POLLIN};
    if (taken < filled || poll(&input, 1, wait_ms) <= 0) return;
    const ssize_t got = read(in_fd, buffer, sizeof buffer);
    taken = 0;
    filled = got > 0 ? got : 0;
    if (got > 0 || (got < 0 && errno == EINTR)) return;
    if (in_fd == STDIN_FILENO) exit(0);
    (void)poll(NULL, 0, IDLE_MS); /* nobody holds the other end of the terminal now; somebody may open it again */
}

int32_t port_console_read(void) {
    refill(0);
    return taken < filled ? buffer[taken++] : -1;
}

void port_idle(void) {
    port_watchdog_feed();
    refill(IDLE_MS);
}

void port_console_write(const uint8_t *bytes, uint32_t count) {
    while (count > 0) {
        const ssize_t written = write(out_fd, bytes, count);
        if (written < 0 && errno != EINTR) exit(0);
        if (written <= 0) continue;
        bytes += written;
        count -= (uint32_t)written;
    }
}

void port_console_drain(void) {}

void port_console_receive(bool on) {
    if (!on) return;
    /* What came while the receiver was off is lost, as on a chip; what came before stays. */
    uint8_t lost[256];
    struct pollfd input = {.fd = in_fd, .events = POLLIN};
    while (poll(&input, 1, 0) > 0 && (input.revents & POLLIN) && read(in_fd, lost, sizeof lost) > 0) {
    }
}

uint32_t port_console_overruns(void) {
    return 0;
}

uint32_t port_console_baud_error_ppm(uint32_t baud) {
    return baud < BAUD_MIN || baud > BAUD_MAX ? UINT32_MAX : 0;
}

void port_console_set_baud(uint32_t baud) {
    baud_now = baud;
}

uint32_t port_console_baud(void) {
    return baud_now;
}
