#include "cache.h"

#include "board.h"
#include "core.h"
#include "registers.h"

#include <stdint.h>

/* RASR: ARM DDI 0403E.e B3.5.9. */
#define ACCESS_FULL 3u
#define ACCESS_NONE 0u
#define TYPE_NORMAL_UNCACHED 1u /* TEX 001, C 0, B 0 */
#define SIZE_4_GB 31u
#define SHARED_AND_CODE_SUBREGIONS 0x87u /* eighths 0-2 and 7 keep the default map: code, SRAM, peripherals, system */
#define BARRIER() __asm volatile("dsb\n\tisb" ::: "memory")

static void set_region(uint32_t number, uint32_t base, uint32_t attributes) {
    REG(MPU, RNR) = number;
    REG(MPU, RBAR) = base;
    REG(MPU, RASR) = attributes | MPU_RASR_ENABLE;
}

/** A Cortex-M7 may read any normal memory ahead of the program: external memories that nobody has set up must not be
 * normal memory (ST AN4861, AN4838). And what DMA writes must not be cached. */
static void set_regions(void) {
    set_region(0, 0,
               FIELD(MPU_RASR_SIZE, SIZE_4_GB) | FIELD(MPU_RASR_SRD, SHARED_AND_CODE_SUBREGIONS) |
                   FIELD(MPU_RASR_AP, ACCESS_NONE) | MPU_RASR_XN);
    set_region(1, BOARD_UNCACHED_BASE,
               FIELD(MPU_RASR_SIZE, BOARD_UNCACHED_LOG2 - 1u) | FIELD(MPU_RASR_TEX, TYPE_NORMAL_UNCACHED) |
                   FIELD(MPU_RASR_AP, ACCESS_FULL) | MPU_RASR_S | MPU_RASR_XN);
    BARRIER();
    REG(MPU, CTRL) = MPU_CTRL_ENABLE | MPU_CTRL_PRIVDEFENA;
    BARRIER();
}

static void start_instruction_cache(void) {
    BARRIER();
    REG(CACHE, ICIALLU) = 0;
    BARRIER();
    REG(SCB, CCR) |= SCB_CCR_IC;
    BARRIER();
}

/** Its content is random after power-on and stale after a reset: invalidate every line before it is used. */
static void start_data_cache(void) {
    REG(SCB, CSSELR) = 0;
    __asm volatile("dsb" ::: "memory");
    const uint32_t geometry = REG(SCB, CCSIDR);
    const uint32_t sets = ((geometry & SCB_CCSIDR_NUMSETS) >> SCB_CCSIDR_NUMSETS_POS) + 1u;
    const uint32_t ways = ((geometry & SCB_CCSIDR_ASSOCIATIVITY) >> SCB_CCSIDR_ASSOCIATIVITY_POS) + 1u;
    for (uint32_t set = 0; set < sets; set++) {
        for (uint32_t way = 0; way < ways; way++) {
            REG(CACHE, DCISW) = FIELD(CACHE_DCISW_SET, set) | FIELD(CACHE_DCISW_WAY, way);
        }
    }
    __asm volatile("dsb" ::: "memory");
    REG(SCB, CCR) |= SCB_CCR_DC;
    BARRIER();
}

void cache_start(void) {
    REG(RCC, AHB2ENR) |= RCC_AHB2ENR_SRAM1EN | RCC_AHB2ENR_SRAM2EN | RCC_AHB2ENR_SRAM3EN;
    (void)REG(RCC, AHB2ENR);
    set_regions();
    start_instruction_cache();
    start_data_cache();
}
