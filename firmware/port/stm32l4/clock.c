#include "clock.h"

#include "board.h"
#include "core.h"
#include "protocol.h"
#include "registers.h"

#include <stdbool.h>

/* A turn of `wait` takes at least 5 cycles, so this is at least 100 ms at the 4 MHz of reset (MSI). */
#define WAIT_TURNS 80000u
#define SW_MSI 0u
#define SW_PLL 3u
#define PLL_SOURCE_HSI16 2u
#define AHB_HALF 8u         /* RCC_CFGR.HPRE: SYSCLK / 2 */
#define NORMAL_HZ 80000000u /* the most without boost: STM32CubeL4, Projects/NUCLEO-L4R5ZI/Templates/Src/main.c */
#define SETTLE_TURNS 100u   /* more than 1 us at half of 120 MHz */

/** Wait until all bits of `mask` are set; false after the time-out. */
static bool wait(const volatile uint32_t *reg, uint32_t mask) {
    for (uint32_t turn = 0; turn < WAIT_TURNS; turn++) {
        if ((*reg & mask) == mask) return true;
    }
    return false;
}

/** Wait until all bits of `mask` are clear; false after the time-out. */
static bool wait_clear(const volatile uint32_t *reg, uint32_t mask) {
    for (uint32_t turn = 0; turn < WAIT_TURNS; turn++) {
        if ((*reg & mask) == 0) return true;
    }
    return false;
}

/** Prescaler field of an APB bus: divider 1, 2, 4, 8, 16 -> 0, 4, 5, 6, 7 (RCC_CFGR.PPRE1, PPRE2). */
static uint32_t apb_code(uint32_t divider) {
    uint32_t code = divider > 1u ? 4u : 0u;
    for (; divider > 2u; divider /= 2u) code++;
    return code;
}

static bool start_pll(void) {
    REG(RCC, CR) |= RCC_CR_HSION;
    if (!wait(&REG(RCC, CR), RCC_CR_HSIRDY)) return false;
    REG(RCC, PLLCFGR) = FIELD(RCC_PLLCFGR_PLLSRC, PLL_SOURCE_HSI16) | FIELD(RCC_PLLCFGR_PLLM, BOARD_PLL_M - 1u) |
                        FIELD(RCC_PLLCFGR_PLLN, BOARD_PLL_N) | FIELD(RCC_PLLCFGR_PLLR, BOARD_PLL_R / 2u - 1u) |
                        RCC_PLLCFGR_PLLREN;
    REG(RCC, CR) |= RCC_CR_PLLON;
    return wait(&REG(RCC, CR), RCC_CR_PLLRDY);
}

/** Voltage range 1, with boost above 80 MHz (R1MODE is the bit that says no). */
static bool raise_voltage(void) {
    REG(RCC, APB1ENR1) |= RCC_APB1ENR1_PWREN;
    (void)REG(RCC, APB1ENR1); /* the clock takes two cycles to arrive, a read after the write waits */
    REG(PWR, CR1) = (REG(PWR, CR1) & ~PWR_CR1_VOS) | FIELD(PWR_CR1_VOS, 1u);
    if (!wait_clear(&REG(PWR, SR2), PWR_SR2_VOSF)) return false;
    if (BOARD_CLOCK_HZ > NORMAL_HZ) REG(PWR, CR5) &= ~PWR_CR5_R1MODE;
    return true;
}

/** By way of half the clock for a moment, so that the regulator does not undershoot: ST's own template does so too. The
 * dividers come first, so that nothing is too fast for an instant. */
static bool switch_to_pll(void) {
    const uint32_t buses =
        FIELD(RCC_CFGR_PPRE1, apb_code(BOARD_APB1_DIVIDER)) | FIELD(RCC_CFGR_PPRE2, apb_code(BOARD_APB2_DIVIDER));
    REG(RCC, CFGR) = buses | FIELD(RCC_CFGR_HPRE, AHB_HALF);
    REG(FLASH, ACR) =
        FIELD(FLASH_ACR_LATENCY, BOARD_FLASH_WAIT_STATES) | FLASH_ACR_PRFTEN | FLASH_ACR_ICEN | FLASH_ACR_DCEN;
    if (!wait(&REG(FLASH, ACR), FIELD(FLASH_ACR_LATENCY, BOARD_FLASH_WAIT_STATES))) return false;
    REG(RCC, CFGR) = buses | FIELD(RCC_CFGR_HPRE, AHB_HALF) | FIELD(RCC_CFGR_SW, SW_PLL);
    if (!wait(&REG(RCC, CFGR), FIELD(RCC_CFGR_SWS, SW_PLL))) return false;
    core_pause(SETTLE_TURNS);
    REG(RCC, CFGR) = buses | FIELD(RCC_CFGR_SW, SW_PLL);
    return true;
}

/** Undo what a failed attempt switched on; the caches may stay. */
static void back_to_msi(void) {
    REG(RCC, CFGR) = FIELD(RCC_CFGR_SW, SW_MSI);
    (void)wait_clear(&REG(RCC, CFGR), RCC_CFGR_SWS);
    REG(RCC, CR) &= ~(RCC_CR_PLLON | RCC_CR_HSION);
    (void)wait_clear(&REG(RCC, CR), RCC_CR_PLLRDY);
}

clock_result clock_start(void) {
    clock_result result = {PROTOCOL_CLOCK_SOURCE_RESET_DEFAULT, BOARD_RESET_HZ, BOARD_RESET_HZ, BOARD_RESET_HZ};
    /* The voltage first: without boost the PLL must not make more than 80 MHz either (DS12023, PLL characteristics). */
    if (!raise_voltage() || !start_pll() || !switch_to_pll()) {
        back_to_msi();
        return result;
    }
    result.source = PROTOCOL_CLOCK_SOURCE_HSI_PLL;
    result.core_hz = BOARD_CLOCK_HZ;
    result.apb1_hz = BOARD_CLOCK_HZ / BOARD_APB1_DIVIDER;
    result.apb2_hz = BOARD_CLOCK_HZ; /* not divided after reset, and nothing changes it */
    return result;
}
