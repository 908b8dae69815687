#include "fault.h"

#include "section.h"
#include "state.h"

#include <string.h>

#define FAULT_FRESH 0x46415554u /* "FAUT": stored by a handler, not yet seen by a start-up */
#define FAULT_KEPT 0x4B455054u  /* "KEPT": seen, not yet read by the host */

/* After power-on this memory holds anything: magic and check word must both be right. */
typedef struct fault_memory {
    uint32_t magic;
    protocol_fault_record record;
    uint32_t check; /* ~(sum of the record's words) */
} fault_memory;

static fault_memory memory SECTION_NOINIT;
static bool pending, fresh;
static uint8_t cause;

static uint32_t check_word(const protocol_fault_record *record) {
    uint32_t words[sizeof *record / 4u], sum = FAULT_FRESH;
    memcpy(words, record, sizeof words);
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++) sum = (sum << 1 | sum >> 31) + words[i];
    return ~sum;
}

void fault_store(const protocol_fault_record *record) {
    memory.record = *record;
    memory.check = check_word(record);
    memory.magic = FAULT_FRESH;
}

void fault_collect(uint8_t reset_cause) {
    const bool is_whole = memory.check == check_word(&memory.record);
    cause = reset_cause;
    if (is_whole && memory.magic == FAULT_FRESH) {
        cause = PROTOCOL_RESET_CAUSE_FAULT;
    } else if (reset_cause == PROTOCOL_RESET_CAUSE_WATCHDOG) {
        const state_trace last = state_last();
        const protocol_fault_record record = {
            .kind = PROTOCOL_FAULT_KIND_WATCHDOG, .state = last.state, .layer = last.layer};
        fault_store(&record);
    } else {
        pending = is_whole && memory.magic == FAULT_KEPT;
        return;
    }
    pending = fresh = true;
    memory.magic = FAULT_KEPT;
}

uint8_t fault_reset_cause(void) {
    return cause;
}

bool fault_is_fresh(void) {
    return fresh;
}

bool fault_pending(void) {
    return pending;
}

void fault_peek(protocol_fault_record *record) {
    if (pending) {
        *record = memory.record;
    } else {
        memset(record, 0, sizeof *record);
    }
}

void fault_take(protocol_fault_record *record) {
    fault_peek(record);
    memory.magic = 0;
    pending = fresh = false;
}
