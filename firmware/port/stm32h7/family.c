#include "family.h"

#include "cache.h"
#include "core.h"
#include "protocol.h"
#include "registers.h"
#include "wait.h"

#define SEND_TURNS 6u       /* about 200 cycles */
#define IDLE_TURNS 100u     /* 8 us at 400 MHz; 52 us at 64 MHz */
#define DWT_KEY 0xC5ACCE55u /* CoreSight lock access: ARM DDI 0403E.e D1.1.1 */

/** A power-on also raises the flags of what it implies, so it is asked first; the pin's is always set. */
uint8_t family_reset_cause(void) {
    const uint32_t flags = REG(RCC, RSR);
    REG(RCC, RSR) = RCC_RSR_RMVF;
    if (flags & RCC_RSR_PORRSTF) return PROTOCOL_RESET_CAUSE_POWER_ON;
    if (flags & RCC_RSR_IWDG1RSTF) return PROTOCOL_RESET_CAUSE_WATCHDOG;
    if (flags & RCC_RSR_SFT1RSTF) return PROTOCOL_RESET_CAUSE_SOFTWARE;
    if (flags & RCC_RSR_PINRSTF) return PROTOCOL_RESET_CAUSE_PIN;
    return PROTOCOL_RESET_CAUSE_UNKNOWN;
}

/** A Cortex-M7 keeps its DWT locked after power-on, and ignores writes in silence. */
static void unlock_counter(void) {
    REG(COREDEBUG, DEMCR) |= COREDEBUG_DEMCR_TRCENA;
    REG(DWT, LAR) = DWT_KEY;
}

void family_prepare_core(void) {
    cache_start();
    unlock_counter();
}

void family_pause_send(void) {
    wait_turns(SEND_TURNS);
}

void family_pause_idle(void) {
    wait_turns(IDLE_TURNS);
}
