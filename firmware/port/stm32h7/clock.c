#include "clock.h"

#include "board.h"
#include "core.h"
#include "port.h"
#include "protocol.h"
#include "registers.h"
#include "supply.h"
#include "wait.h"

#include <stdbool.h>

#define SW_HSI 0u
#define SW_PLL1 3u
#define PLL_SOURCE_HSI 0u
#define PLL_SOURCE_HSE 2u
#define AHB_BY_TWO 8u /* RCC_D1CFGR.HPRE */
#define FLASH_READ_BACK (FLASH_ACR_LATENCY | FLASH_ACR_WRHIGHFREQ)

_Static_assert(BOARD_AHB_DIVIDER == 1u || BOARD_AHB_DIVIDER == 2u, "HPRE codes of other dividers are not here");

typedef struct pll_setting {
    bool from_hse;
    uint32_t m, n, p, range, core_hz;
} pll_setting;

/** Prescaler field of an APB bus: divider 1, 2, 4, 8, 16 -> 0, 4, 5, 6, 7. */
static uint32_t apb_code(uint32_t divider) {
    uint32_t code = divider > 1u ? 4u : 0u;
    for (; divider > 2u; divider /= 2u) code++;
    return code;
}

static bool start_hse(void) {
    if (BOARD_CLOCK_SOURCE == PROTOCOL_CLOCK_SOURCE_HSE_BYPASS_PLL) REG(RCC, CR) |= RCC_CR_HSEBYP;
    REG(RCC, CR) |= RCC_CR_HSEON;
    return wait_for(&REG(RCC, CR), RCC_CR_HSERDY, RCC_CR_HSERDY);
}

/** Buses first, so that none is too fast for an instant; then flash; then the clock itself. */
static void set_dividers(void) {
    REG(RCC, D1CFGR) = FIELD(RCC_D1CFGR_HPRE, BOARD_AHB_DIVIDER == 2u ? AHB_BY_TWO : 0u) |
                       FIELD(RCC_D1CFGR_D1PPRE, apb_code(BOARD_APB1_DIVIDER));
    REG(RCC, D2CFGR) = FIELD(RCC_D2CFGR_D2PPRE1, apb_code(BOARD_APB1_DIVIDER)) |
                       FIELD(RCC_D2CFGR_D2PPRE2, apb_code(BOARD_APB2_DIVIDER));
    REG(RCC, D3CFGR) = FIELD(RCC_D3CFGR_D3PPRE, apb_code(BOARD_APB1_DIVIDER));
}

static void clear_dividers(void) {
    REG(RCC, D1CFGR) = 0;
    REG(RCC, D2CFGR) = 0;
    REG(RCC, D3CFGR) = 0;
}

static bool set_flash(void) {
    const uint32_t value =
        FIELD(FLASH_ACR_LATENCY, BOARD_FLASH_WAIT_STATES) | FIELD(FLASH_ACR_WRHIGHFREQ, BOARD_FLASH_PROGRAM_DELAY);
    REG(FLASH, ACR) = value;
    return wait_for(&REG(FLASH, ACR), FLASH_READ_BACK, value);
}

static bool switch_to_pll(const pll_setting *pll) {
    REG(RCC, PLLCKSELR) = FIELD(RCC_PLLCKSELR_PLLSRC, pll->from_hse ? PLL_SOURCE_HSE : PLL_SOURCE_HSI) |
                          FIELD(RCC_PLLCKSELR_DIVM1, pll->m);
    REG(RCC, PLLCFGR) = FIELD(RCC_PLLCFGR_PLL1RGE, pll->range) | RCC_PLLCFGR_DIVP1EN; /* wide VCO, no fraction */
    REG(RCC, PLL1DIVR) = FIELD(RCC_PLL1DIVR_DIVN1, pll->n - 1u) | FIELD(RCC_PLL1DIVR_DIVP1, pll->p - 1u) |
                         FIELD(RCC_PLL1DIVR_DIVQ1, 1u) | FIELD(RCC_PLL1DIVR_DIVR1, 1u);
    REG(RCC, CR) |= RCC_CR_PLL1ON;
    if (!wait_for(&REG(RCC, CR), RCC_CR_PLL1RDY, RCC_CR_PLL1RDY)) return false;
    set_dividers();
    if (!set_flash()) return false;
    REG(RCC, CFGR) = FIELD(RCC_CFGR_SW, SW_PLL1);
    return wait_for(&REG(RCC, CFGR), RCC_CFGR_SWS, FIELD(RCC_CFGR_SWS, SW_PLL1));
}

/** Undo what a failed attempt switched on. The order matters: the PLL must not be in use. */
static void back_to_hsi(void) {
    REG(RCC, CFGR) = FIELD(RCC_CFGR_SW, SW_HSI);
    (void)wait_for(&REG(RCC, CFGR), RCC_CFGR_SWS, 0);
    REG(RCC, CR) &= ~(RCC_CR_PLL1ON | RCC_CR_HSEON);
    (void)wait_for(&REG(RCC, CR), RCC_CR_PLL1RDY, 0);
    clear_dividers();
}

static bool reach(const pll_setting *pll) {
    if ((!pll->from_hse || start_hse()) && switch_to_pll(pll)) return true;
    back_to_hsi();
    port_watchdog_feed(); /* a time-out can last for a second: two of them must not end in a reset */
    return false;
}

clock_result clock_start(void) {
    const bool wants_hse = BOARD_CLOCK_SOURCE != PROTOCOL_CLOCK_SOURCE_HSI_PLL;
    const pll_setting first = {wants_hse, BOARD_PLL_M, BOARD_PLL_N, BOARD_PLL_P, BOARD_PLL_RANGE, BOARD_CLOCK_HZ};
    const pll_setting second = {
        false, BOARD_FALLBACK_M, BOARD_FALLBACK_N, BOARD_FALLBACK_P, BOARD_FALLBACK_RANGE, BOARD_FALLBACK_HZ};
    clock_result result = {PROTOCOL_CLOCK_SOURCE_RESET_DEFAULT, BOARD_RESET_HZ, BOARD_RESET_HZ, BOARD_RESET_HZ};
    if (!supply_start()) return result; /* without scale 1 no fast clock */
    if (reach(&first)) {
        result.source = BOARD_CLOCK_SOURCE;
        result.core_hz = first.core_hz;
    } else if (wants_hse && reach(&second)) {
        result.source = PROTOCOL_CLOCK_SOURCE_HSI_PLL;
        result.core_hz = second.core_hz;
    } else {
        return result;
    }
    result.apb1_hz = result.core_hz / BOARD_AHB_DIVIDER / BOARD_APB1_DIVIDER;
    result.apb2_hz = result.core_hz / BOARD_AHB_DIVIDER / BOARD_APB2_DIVIDER;
    return result;
}
