/* From the reset vector to main. */
#include "startup.h"
#include "core.h"
#include "placement.h"
#include "port.h"
#include "registers.h"

#define PAINT 0xA5C3F00Du
#define PAINT_MARGIN_BYTES 64u /* below the frame of reset_handler, which is in use */

int main(void);

static void copy(uint32_t *to, const uint32_t *end, const uint32_t *from) {
    while (to < end) *to++ = *from++;
}

static void fill(uint32_t *from, const uint32_t *end, uint32_t value) {
    while (from < end) *from++ = value;
}

/** Code and weights to where [layout] wants them. Whole words: each part has room up to a multiple of 16 bytes. */
static void place(void) {
    for (const placement *part = placements_start; part < placements_end; part++) {
        copy(part->to, part->to + (part->bytes + 3u) / 4u, part->from);
    }
    __asm volatile("dsb\n\tisb" ::: "memory"); /* before the first instruction fetched from there */
}

void reset_handler(void) {
    REG(SCB, VTOR) = (uint32_t)image_start;
    REG(SCB, CPACR) |= SCB_CPACR_CP10 | SCB_CPACR_CP11;
    REG(SCB, SHCSR) |= SCB_SHCSR_MEMFAULTENA | SCB_SHCSR_BUSFAULTENA | SCB_SHCSR_USGFAULTENA;
    __asm volatile("dsb\n\tisb" ::: "memory"); /* before the first instruction that touches the FPU */
    copy(data_start, data_end, data_load);
    if (PLACEMENT_COPIES) place();
    fill(bss_start, bss_end, 0);
    fill(stack_bottom, (const uint32_t *)((uint32_t)__builtin_frame_address(0) - PAINT_MARGIN_BYTES), PAINT);
    main();
    port_reset();
}

void port_memory_get(port_memory *memory) {
    const uint32_t *deepest = stack_bottom;
    while (deepest < stack_top && *deepest == PAINT) deepest++;
    memory->static_bytes = (uint32_t)static_bytes;
    memory->stack_bytes = (uint32_t)stack_top - (uint32_t)stack_bottom;
    memory->stack_seen_bytes = (uint32_t)stack_top - (uint32_t)deepest;
}
