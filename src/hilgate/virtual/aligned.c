/* Unaligned accesses to registers, which silicon answers with a fault and Unicorn cuts into aligned pieces.
 *
 * Apart from hook.c because no cycle depends on it: predictions made before and after a change here compare.
 */
#include "hook.h"

/* Accesses to registers, before they are done. What is done nevertheless does not matter: the run ends. */
void hook_aligned(void *uc, int type, uint64_t address, int size, int64_t value, void *user) {
    machine_t *m = user;
    const uint32_t width = size < 4 ? (uint32_t)size : 4u; /* VLDR of 64 bits may stand at any word */
    (void)type;
    (void)value;
    if ((address & (width - 1u)) == 0u || m->reason != REASON_NONE) {
        return;
    }
    m->reason = REASON_REGISTER;
    m->reason_address = (uint32_t)address;
    m->reason_size = (uint32_t)size;
    m->reg_read(uc, UC_REG_PC, &m->pc);
    m->stop(uc);
}
