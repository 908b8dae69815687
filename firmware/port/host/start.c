/* Facts, time, memory and image of the host port. */
#define _GNU_SOURCE
#include "host.h"
#include "port.h"
#include "sha256.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_HZ 1000000000u

static port_facts facts = {
    .clock_hz = NS_HZ,
    .clock_source = PROTOCOL_CLOCK_SOURCE_RESET_DEFAULT,
    .counter = PROTOCOL_COUNTER_TIMER,
    .board_id = 0, /* no board */
};

/** glibc passes main's arguments to constructors, so that src/main.c can stay `int main(void)`. */
__attribute__((constructor)) static void take_arguments(int count, char **arguments) {
    host_life_start(count, arguments);
    host_console_open(count, arguments);
}

void port_start(void) {
    facts.reset_cause = host_reset_cause();
    port_watchdog_feed();
}

const port_facts *port_facts_get(void) {
    return &facts;
}

static uint64_t now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_HZ + (uint64_t)now.tv_nsec;
}

uint32_t port_time_us(void) {
    return (uint32_t)(now_ns() / 1000u);
}

void port_wait_us(uint32_t us) {
    (void)usleep(us);
}

uint32_t port_cycles(void) {
    return (uint32_t)now_ns();
}

/** There is no slot to compare with: the hash is that of the program's file, so that a test can tell two builds apart.
 */
void port_image_get(port_image *image) {
    uint8_t piece[4096];
    sha256_context context;
    sha256_start(&context);
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    for (ssize_t got = read(fd, piece, sizeof piece); got > 0; got = read(fd, piece, sizeof piece)) {
        sha256_update(&context, piece, (uint32_t)got);
    }
    (void)close(fd);
    sha256_finish(&context, image->hash);
    image->ok = true;
}

void port_memory_get(port_memory *memory) {
    memset(memory, 0, sizeof *memory);
}
