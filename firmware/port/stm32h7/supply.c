/* DANGER: the line that writes PWR_CR3 can lock a board for good until somebody opens it up.
 *
 * PWR_CR3's supply bits can be written ONCE after power-on; a reset does not open them again. What is written must be
 * what the board is wired for. STM32H747I-DISCO feeds the core from the SMPS step-down converter directly (ST's board
 * package and examples: PWR_DIRECT_SMPS_SUPPLY). An LDO configuration on such a board takes the core's voltage away at
 * each boot: the debug port is dead too, until BOOT0 is strapped to VDD and the flash erased. So this file knows one
 * configuration only, the build room refuses a board.toml that does not state it, and nothing else may write PWR_CR3.
 */
#include "supply.h"

#include "board.h"
#include "core.h"
#include "registers.h"
#include "wait.h"

#if !BOARD_SUPPLY_SMPS
#error "this port knows boards wired for direct SMPS supply only"
#endif

#define SUPPLY_BITS (PWR_CR3_SMPSEXTHP | PWR_CR3_SMPSLEVEL | PWR_CR3_SMPSEN | PWR_CR3_LDOEN | PWR_CR3_BYPASS)
#define VOS_SCALE_1 3u /* PWR_D3CR.VOS: 400 MHz at most. Scale 0 (480 MHz) is not for the SMPS supply: RM0399, PWR */

/** The core's voltage is what PWR_CR3 and PWR_D3CR ask for. */
static bool voltage_is_ready(void) {
    return wait_for(&REG(PWR, CSR1), PWR_CSR1_ACTVOSRDY, PWR_CSR1_ACTVOSRDY);
}

bool supply_start(void) {
    /* After a reset that was no power-on the bits stand as the first life wrote them: do not write again. */
    if ((REG(PWR, CR3) & SUPPLY_BITS) != PWR_CR3_SMPSEN) {
        REG(PWR, CR3) = (REG(PWR, CR3) & ~SUPPLY_BITS) | PWR_CR3_SMPSEN;
        if ((REG(PWR, CR3) & SUPPLY_BITS) != PWR_CR3_SMPSEN) return false; /* somebody else was here before */
    }
    if (!voltage_is_ready()) return false;
    REG(PWR, D3CR) = FIELD(PWR_D3CR_VOS, VOS_SCALE_1);
    if (!wait_for(&REG(PWR, D3CR), PWR_D3CR_VOSRDY, PWR_D3CR_VOSRDY)) return false;
    return voltage_is_ready();
}
