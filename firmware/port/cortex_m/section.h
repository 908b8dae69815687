/* Sections that the generated linker script places. Each port has this file. */
#ifndef SECTION_H
#define SECTION_H

#include "placement.h"

/** RAM that start-up neither zeroes nor copies: it keeps its content over a reset. */
#define SECTION_NOINIT __attribute__((section(".noinit")))
/** RAM that DMA reaches. */
#define SECTION_DMA __attribute__((section(".dma_buffers"), aligned(4)))
/** The model's arena: counted by itself. */
#define SECTION_ARENA __attribute__((section(".arena"), aligned(16)))

#endif
