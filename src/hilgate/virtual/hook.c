/* Unicorn's callbacks of the virtual board, native: counts instructions and cycles, block by block.
 *
 * Compiled on the spot by native.py and loaded with ctypes; fallback.py says the same in Python, and a test holds the
 * two equal to the cycle. A block is accounted when it is entered; what it has not executed yet is given back by
 * `unspent`.
 */
#include "hook.h"

static const uint32_t NOWHERE = 0xDFFF0000u; /* unmapped: a reserved device region */
static const uint32_t XPSR_IT = 0x0600FC00u;

size_t hook_sizes(size_t which) {
    const size_t sizes[] = {sizeof(machine_t), sizeof(block_t), sizeof(page_t), sizeof(watch_t)};
    return sizes[which];
}

static void stop_for(void *uc, machine_t *m, uint32_t reason, uint32_t address, uint32_t size) {
    m->reason = reason;
    m->reason_address = address;
    m->reason_size = size;
    m->stop(uc);
}

static int32_t find(const machine_t *m, uint32_t address) {
    uint32_t at = (address >> 1) * 2654435761u & m->capacity_mask;
    while (m->blocks[at].size != 0u) {
        if (m->blocks[at].address == address) {
            return (int32_t)at;
        }
        at = (at + 1u) & m->capacity_mask;
    }
    return -1;
}

static uint32_t oldest(const uint64_t *used, uint32_t lines) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < lines; i++) {
        if (used[i] < used[best]) {
            best = i;
        }
    }
    return best;
}

static void cache_code(machine_t *m, uint32_t line) {
    const uint32_t first = m->flash_begin >> m->line_shift;
    const uint32_t slot = oldest(m->iused, m->ilines);
    if (m->iused[slot] != 0u) {
        m->islot[m->itag[slot] - first] = 0;
    }
    m->itag[slot] = line;
    m->iused[slot] = ++m->clock;
    m->islot[line - first] = (uint16_t)(slot + 1u);
}

static uint32_t line_stall(machine_t *m, uint32_t line) {
    const uint32_t slot = m->icache ? m->islot[line - (m->flash_begin >> m->line_shift)] : 0u;
    if (slot != 0u) {
        m->iused[slot - 1u] = ++m->clock;
        return 0;
    }
    uint32_t stall = m->wait_states;
    if (m->prefetch && line == m->line_now + 1u) {
        stall = m->line_cycles >= stall ? 0u : stall - m->line_cycles;
    }
    if (m->icache) {
        cache_code(m, line);
    }
    return stall;
}

static uint32_t fetch(machine_t *m, const block_t *block) {
    uint32_t total = 0;
    const span_t *spans = m->spans + block->span;
    for (uint32_t i = 0; i < block->spans; i++) {
        if (spans[i].line == m->line_now) {
            m->line_cycles += spans[i].cycles;
        } else {
            total += line_stall(m, spans[i].line);
            m->line_now = spans[i].line;
            m->line_cycles = spans[i].cycles;
        }
        m->stalls[i] = total;
    }
    return total;
}

static bool rewritten(const block_t *block) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < block->words; i++) {
        sum = sum * 31u + block->code[i];
    }
    return sum != block->sum;
}

void hook_block(void *uc, uint64_t address64, uint32_t size, void *user) {
    machine_t *m = user;
    const uint32_t address = (uint32_t)address64;
    if (m->reason != REASON_NONE) {
        m->stop(uc); /* stopping already: Unicorn goes on after a stop inside an IT block */
        return;
    }
    if (m->cycles >= m->deadline) {
        stop_for(uc, m, REASON_DEADLINE, address, size);
        return;
    }
    if (m->unmasked != 0u && m->pending != 0u) {
        m->unmasked = 0;
        stop_for(uc, m, REASON_DEADLINE, address, size);
        return;
    }
    const int32_t index = find(m, address);
    if (index < 0 || m->blocks[index].size != size || (m->blocks[index].words && rewritten(&m->blocks[index]))) {
        stop_for(uc, m, REASON_NEW_BLOCK, address, size);
        return;
    }
    block_t *block = &m->blocks[index];
    uint64_t cost = block->cycles;
    if (m->last >= 0) {
        m->blocks[m->last].spent += m->cycles - m->last_entry;
    }
    m->last_entry = m->cycles;
    if (m->last >= 0 && m->last_end == address) {
        cost = (uint64_t)((int64_t)cost + m->blocks[m->last].carry);
    } else {
        cost += block->refill;
    }
    if (block->spans != 0u) {
        const uint32_t stall = fetch(m, block);
        m->fetch_stalls += stall;
        cost += stall;
    }
    m->unmasked = block->unmasks;
    m->last = index;
    m->last_end = address + size;
    m->cycles += cost;
    m->instructions += block->instructions;
    block->entered++;
}

static void data_read(machine_t *m, uint32_t address) {
    const uint32_t line = address >> m->line_shift;
    if (line == m->data_line) {
        return; /* the line used last: no other grows older by it */
    }
    if (m->dcache) {
        for (uint32_t i = 0; i < m->dlines; i++) {
            if (m->dtag[i] == line && m->dused[i] != 0u) {
                m->dused[i] = ++m->clock;
                m->data_line = line;
                return;
            }
        }
        const uint32_t slot = oldest(m->dused, m->dlines);
        m->dtag[slot] = line;
        m->dused[slot] = ++m->clock;
    }
    m->data_line = line;
    m->cycles += m->wait_states;
    m->data_stalls += m->wait_states;
}

/* For a hook on an access inside an IT block Unicorn works out the block's state, and leaves it: what is entered next
 * would begin inside it. The rest of this block needs no state, because it was translated with it. */
static void leave_it(void *uc, const machine_t *m) {
    uint32_t xpsr = 0;
    if (m->last < 0 || m->blocks[m->last].predicated == 0u) {
        return;
    }
    m->reg_read(uc, UC_REG_XPSR, &xpsr);
    if ((xpsr & XPSR_IT) != 0u) {
        xpsr &= ~XPSR_IT;
        m->reg_write(uc, UC_REG_XPSR, &xpsr);
    }
}

/* Data accesses in flash. Unicorn calls it for that range only. */
void hook_flash(void *uc, int type, uint64_t address, int size, int64_t value, void *user) {
    machine_t *m = user;
    (void)size;
    (void)value;
    leave_it(uc, m);
    if (type == UC_MEM_READ && m->wait_states != 0u) {
        data_read(m, (uint32_t)address);
    }
}

/* Accesses to registers. Being there is enough: Unicorn then knows the exact PC, which `now` asks for when it matters.
 */
void hook_register(void *uc, int type, uint64_t address, int size, int64_t value, void *user) {
    (void)type;
    (void)address;
    (void)size;
    (void)value;
    leave_it(uc, user);
}

uint64_t hook_unspent(const machine_t *m, uint32_t pc) {
    if (m->last < 0) {
        return 0;
    }
    const block_t *block = &m->blocks[m->last];
    if (pc - block->address >= block->size) {
        return 0;
    }
    uint64_t rest = block->cycles - m->prefixes[block->prefix + (pc - block->address) / 2u];
    if (block->spans != 0u) {
        const uint32_t line = (pc >> m->line_shift) - (m->spans + block->span)->line;
        rest += m->stalls[block->spans - 1u] - m->stalls[line];
    }
    return rest;
}

/* The cycle at which the instruction that accesses a register now starts. */
static uint64_t now(void *uc, machine_t *m) {
    m->pc = 0;
    if (m->exact != 0u) {
        m->reg_read(uc, UC_REG_PC, &m->pc);
    }
    return m->cycles - hook_unspent(m, m->pc);
}

/* SysTick's current value: one tick after zero it is the reload value, then counts down. */
static uint32_t ticks(const machine_t *m, uint64_t at) {
    const uint64_t passed = (at - m->ticks_start) / m->ticks_divider;
    return passed == 0u ? 0u : m->ticks_reload - (uint32_t)((passed - 1u) % (m->ticks_reload + 1u));
}

uint64_t hook_page_read(void *uc, uint64_t offset, unsigned size, void *user) {
    page_t *page = user;
    const uint32_t word = (uint32_t)offset / 4u;
    if (size == 4u && (offset & 3u) == 0u) {
        if (page->kind[word] == KIND_PLAIN || page->kind[word] == KIND_NOTED) {
            page->noted[word] = page->kind[word] == KIND_NOTED;
            return page->value[word];
        }
    }
    const uint64_t at = now(uc, page->machine);
    if (size == 4u && (offset & 3u) == 0u && page->kind[word] != KIND_ASK) {
        return page->kind[word] == KIND_CYCLES ? (uint32_t)at - page->value[word] : ticks(page->machine, at);
    }
    return page->read(page->base + offset, size);
}

void hook_page_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user) {
    page_t *page = user;
    const uint64_t at = now(uc, page->machine);
    if (value == WATCHDOG_FEED && page->feed != 0u && page->base + (uint32_t)offset == page->feed) {
        page->machine->fed_at = at;
        return;
    }
    page->write(page->base + offset, size, value);
}

void hook_watch(void *uc, uint64_t address, uint32_t size, void *user) {
    const watch_t *watch = user;
    machine_t *m = watch->machine;
    uint32_t value = 0;
    if (watch->base_register >= 0) {
        m->reg_read(uc, watch->base_register, &value);
    }
    const bool fine = watch->reason == REASON_UNALIGNED        ? (value & 3u) == 0u
                      : watch->reason == REASON_NO_COPROCESSOR ? m->fpu_enabled != 0u
                      : watch->reason == REASON_DIVIDE         ? value != 0u
                                                               : false;
    if (fine) {
        return;
    }
    if (watch->predicated != 0u && watch->reason == REASON_UNALIGNED) {
        const uint32_t nowhere = NOWHERE;
        m->reason = watch->reason;
        m->reason_address = (uint32_t)address;
        m->poisoned = value;
        m->reg_write(uc, watch->base_register, &nowhere);
        return;
    }
    stop_for(uc, m, watch->reason, (uint32_t)address, size);
}
