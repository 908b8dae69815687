#include "clock.h"

#include "board.h"
#include "core.h"
#include "protocol.h"
#include "registers.h"

#include <stdbool.h>

/* A turn of `wait` takes at least 5 cycles, so this is at least 100 ms at the 16 MHz of reset: ST's
 * HSE_STARTUP_TIMEOUT. */
#define WAIT_TURNS 320000u
#define SW_HSI 0u
#define SW_PLL 2u
#define PLL_SOURCE_HSE 1u
#define PLL_FIELDS (RCC_PLLCFGR_PLLM | RCC_PLLCFGR_PLLN | RCC_PLLCFGR_PLLP | RCC_PLLCFGR_PLLQ | RCC_PLLCFGR_PLLSRC)

typedef struct pll_setting {
    bool from_hse;
    uint32_t m, n, p, q, core_hz;
} pll_setting;

/** Wait until all bits of `mask` are set; false after the time-out. */
static bool wait(const volatile uint32_t *reg, uint32_t mask) {
    for (uint32_t turn = 0; turn < WAIT_TURNS; turn++) {
        if ((*reg & mask) == mask) return true;
    }
    return false;
}

/** Wait until all bits of `mask` are clear, or the time-out. */
static void wait_clear(const volatile uint32_t *reg, uint32_t mask) {
    for (uint32_t turn = 0; turn < WAIT_TURNS && (*reg & mask) != 0; turn++) {
    }
}

/** Prescaler field of an APB bus: divider 1, 2, 4, 8, 16 -> 0, 4, 5, 6, 7 (RCC_CFGR.PPRE1, PPRE2). */
static uint32_t apb_code(uint32_t divider) {
    uint32_t code = divider > 1u ? 4u : 0u;
    for (; divider > 2u; divider /= 2u) code++;
    return code;
}

static bool start_hse(void) {
    if (BOARD_CLOCK_SOURCE == PROTOCOL_CLOCK_SOURCE_HSE_BYPASS_PLL) REG(RCC, CR) |= RCC_CR_HSEBYP;
    REG(RCC, CR) |= RCC_CR_HSEON;
    return wait(&REG(RCC, CR), RCC_CR_HSERDY);
}

#if BOARD_OVER_DRIVE
/** Over-drive lets the core leave 168 MHz behind; it is switched on while the PLL locks. */
static bool start_over_drive(void) {
    REG(PWR, CR) |= PWR_CR_ODEN;
    if (!wait(&REG(PWR, CSR), PWR_CSR_ODRDY)) return false;
    REG(PWR, CR) |= PWR_CR_ODSWEN;
    return wait(&REG(PWR, CSR), PWR_CSR_ODSWRDY);
}

static void stop_over_drive(void) {
    REG(PWR, CR) &= ~(PWR_CR_ODEN | PWR_CR_ODSWEN);
    wait_clear(&REG(PWR, CSR), PWR_CSR_ODSWRDY); /* else the next attempt would take it for its own */
}
#else /* this MCU has none, or does not need it */
static bool start_over_drive(void) {
    return true;
}

static void stop_over_drive(void) {}
#endif

static void set_flash(uint32_t wait_states) {
    REG(FLASH, ACR) = FIELD(FLASH_ACR_LATENCY, wait_states) | FLASH_ACR_PRFTEN | FLASH_ACR_ICEN | FLASH_ACR_DCEN;
}

/** In the order of RM0390 5.1.4: PLL on, over-drive, flash and buses, PLL locked, and only then the clock itself. */
static bool switch_to_pll(const pll_setting *pll) {
    const uint32_t buses =
        FIELD(RCC_CFGR_PPRE1, apb_code(BOARD_APB1_DIVIDER)) | FIELD(RCC_CFGR_PPRE2, apb_code(BOARD_APB2_DIVIDER));
    /* The rest stays as after reset: reserved bits, and PLLR of an STM32F446, where 0 is forbidden. */
    REG(RCC, PLLCFGR) = (REG(RCC, PLLCFGR) & ~PLL_FIELDS) | FIELD(RCC_PLLCFGR_PLLM, pll->m) |
                        FIELD(RCC_PLLCFGR_PLLN, pll->n) | FIELD(RCC_PLLCFGR_PLLP, pll->p / 2u - 1u) |
                        FIELD(RCC_PLLCFGR_PLLQ, pll->q) |
                        FIELD(RCC_PLLCFGR_PLLSRC, pll->from_hse ? PLL_SOURCE_HSE : 0u);
    REG(RCC, CR) |= RCC_CR_PLLON;
    if (!start_over_drive()) return false;
    set_flash(BOARD_FLASH_WAIT_STATES);
    if (!wait(&REG(FLASH, ACR), FIELD(FLASH_ACR_LATENCY, BOARD_FLASH_WAIT_STATES))) return false;
    REG(RCC, CFGR) = buses;
    if (!wait(&REG(RCC, CR), RCC_CR_PLLRDY)) return false;
    REG(RCC, CFGR) = buses | FIELD(RCC_CFGR_SW, SW_PLL);
    return wait(&REG(RCC, CFGR), FIELD(RCC_CFGR_SWS, SW_PLL));
}

/** Undo what a failed attempt switched on. The order matters: the PLL and over-drive must not be in use. */
static void back_to_hsi(void) {
    REG(RCC, CFGR) = FIELD(RCC_CFGR_SW, SW_HSI);
    wait_clear(&REG(RCC, CFGR), RCC_CFGR_SWS);
    stop_over_drive();
    REG(RCC, CR) &= ~(RCC_CR_PLLON | RCC_CR_HSEON);
    wait_clear(&REG(RCC, CR), RCC_CR_PLLRDY);
}

clock_result clock_start(void) {
    const bool wants_hse = BOARD_CLOCK_SOURCE != PROTOCOL_CLOCK_SOURCE_HSI_PLL;
    const pll_setting first = {wants_hse, BOARD_PLL_M, BOARD_PLL_N, BOARD_PLL_P, BOARD_PLL_Q, BOARD_CLOCK_HZ};
    const pll_setting second = {
        false, BOARD_FALLBACK_M, BOARD_FALLBACK_N, BOARD_FALLBACK_P, BOARD_FALLBACK_Q, BOARD_FALLBACK_HZ};
    REG(RCC, APB1ENR) |= RCC_APB1ENR_PWREN;
    (void)REG(RCC,
              APB1ENR); /* the clock takes two cycles to arrive: ST ES0206 / ES0298, a read after the write waits */
    REG(PWR, CR) |= PWR_CR_VOS; /* all of its bits, one or two: the scale for the highest clock */
    clock_result result = {PROTOCOL_CLOCK_SOURCE_RESET_DEFAULT, BOARD_RESET_HZ, BOARD_RESET_HZ, BOARD_RESET_HZ};
    if ((!wants_hse || start_hse()) && switch_to_pll(&first)) {
        result.source = BOARD_CLOCK_SOURCE;
        result.core_hz = first.core_hz;
    } else {
        back_to_hsi();
        if (wants_hse && switch_to_pll(&second)) {
            result.source = PROTOCOL_CLOCK_SOURCE_HSI_PLL;
            result.core_hz = second.core_hz;
        } else {
            back_to_hsi();
            return result;
        }
    }
    result.apb1_hz = result.core_hz / BOARD_APB1_DIVIDER;
    result.apb2_hz = result.core_hz / BOARD_APB2_DIVIDER;
    return result;
}
