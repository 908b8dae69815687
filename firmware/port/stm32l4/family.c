#include "family.h"

#include "core.h"
#include "protocol.h"
#include "registers.h"

#define SEND_TURNS 32u  /* about 100 cycles */
#define IDLE_TURNS 400u /* 10 us at 120 MHz; 300 us at 4 MHz */

/** A power-on is a brown-out reset here, and is asked first; the pin's flag is always set. */
uint8_t family_reset_cause(void) {
    const uint32_t flags = REG(RCC, CSR);
    REG(RCC, CSR) = flags | RCC_CSR_RMVF;
    if (flags & RCC_CSR_BORRSTF) return PROTOCOL_RESET_CAUSE_POWER_ON;
    if (flags & RCC_CSR_IWDGRSTF) return PROTOCOL_RESET_CAUSE_WATCHDOG;
    if (flags & RCC_CSR_SFTRSTF) return PROTOCOL_RESET_CAUSE_SOFTWARE;
    if (flags & RCC_CSR_PINRSTF) return PROTOCOL_RESET_CAUSE_PIN;
    return PROTOCOL_RESET_CAUSE_UNKNOWN;
}

void family_prepare_core(void) {}

void family_pause_send(void) {
    core_pause(SEND_TURNS);
}

void family_pause_idle(void) {
    core_pause(IDLE_TURNS);
}
