/* Symbols of the generated linker script, and what the generated vector table points at. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdint.h>

extern const uint8_t image_start[], image_end[]; /* the hashed bytes: vector table to the end of .data's load image */
extern const uint8_t second_core_start[], second_core_end[]; /* hashed after it; equal where no second core boots */
extern uint32_t data_start[], bss_start[], stack_bottom[];
extern const uint32_t data_end[], data_load[], bss_end[], stack_top[];
extern const uint8_t static_bytes[]; /* its address is the number */
extern const uint32_t ram_start[], ram_end[];

/** Part of the image that runs, or is read, elsewhere than where it is stored: copied before main. */
typedef struct placement {
    uint32_t *to;
    const uint32_t *from;
    uint32_t bytes;
} placement;
extern const placement placements_start[], placements_end[]; /* there when PLACEMENT_COPIES */

void reset_handler(void);
/** Every exception and interrupt that nothing else handles. */
void fault_entry(void);

#endif
