/* The sections of port/cortex_m/section.h on a computer. `noinit` is saved and restored around a reset by port_reset.
 */
#ifndef SECTION_H
#define SECTION_H

#define SECTION_NOINIT __attribute__((section("noinit")))
#define SECTION_DMA
#define SECTION_ARENA __attribute__((aligned(16)))
#define PLACEMENT_WEIGHTS model_weights

#endif
