/* What hook.c and layout.py share: the state of a machine, its blocks, its register pages, its watched instructions. */
#ifndef HOOK_H
#define HOOK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REASON_NONE,
    REASON_DEADLINE,
    REASON_NEW_BLOCK,
    REASON_UNALIGNED,
    REASON_NO_COPROCESSOR,
    REASON_DIVIDE,
    REASON_REGISTER
};
enum { KIND_ASK, KIND_PLAIN, KIND_CYCLES, KIND_TICKS, KIND_NOTED };
enum { WATCHDOG_FEED = 0xAAAA };
enum { UC_REG_PC = 11, UC_REG_R0 = 66, UC_REG_XPSR = 120, UC_MEM_READ = 16 };
enum { SPANS_MAX = 520, CACHE_LINES_MAX = 512, PAGE_WORDS = 1024 }; /* spans: 4 KiB in lines of 8 bytes */

typedef struct {
    uint32_t address, size; /* size 0: the slot is empty */
    uint32_t instructions;
    uint32_t cycles;      /* straight through, zero wait states, no predecessor */
    uint32_t refill;      /* more when entered by a branch */
    int32_t carry;        /* more or less for what falls through after it */
    uint32_t prefix;      /* index into prefixes: cycles before each halfword */
    uint32_t span, spans; /* flash lines that it covers */
    uint32_t unmasks;     /* ends with an instruction that may let a pending exception in */
    uint32_t predicated;  /* has instructions inside IT blocks */
    uint32_t words, sum;  /* code in RAM: checked at each entry, because firmware may rewrite it */
    const uint32_t *code;
    uint64_t entered, spent; /* for the profile */
} block_t;

typedef struct {
    uint32_t line, cycles;
} span_t;

typedef struct {
    uint64_t cycles, instructions, deadline;
    uint32_t reason, reason_address, reason_size, pc;
    int32_t last; /* index of the block being executed, -1: none */
    uint32_t last_end;
    uint64_t last_entry; /* cycles when it was entered */
    uint32_t capacity_mask;
    uint32_t fpu_enabled;
    uint32_t exact;             /* register accesses are hooked, so their PC is known */
    uint32_t pending, unmasked; /* pending: an exception waits for a mask to open; unmasked: the last block may have */
    uint32_t poisoned;          /* what the base register of a trapped access held */
    uint64_t ticks_start;       /* SysTick: cycle at which it stood at zero */
    uint32_t ticks_reload, ticks_divider;
    uint64_t fed_at; /* cycle of the last watchdog feed, where the page has one */
    /* flash accelerator */
    uint32_t flash_begin, flash_end, line_shift, wait_states, prefetch, icache, dcache;
    uint32_t ilines, dlines;
    uint32_t line_now, line_cycles;
    uint32_t data_line; /* line of the last data read, when there is no data cache */
    uint64_t clock;     /* of the least-recently-used replacement */
    uint64_t fetch_stalls, data_stalls;
    uint32_t itag[CACHE_LINES_MAX], dtag[CACHE_LINES_MAX];
    uint64_t iused[CACHE_LINES_MAX], dused[CACHE_LINES_MAX];
    uint32_t stalls[SPANS_MAX]; /* cumulative, per line of the block being executed */
    block_t *blocks;
    span_t *spans;
    uint32_t *prefixes;
    uint16_t *islot; /* per flash line: its slot in the instruction cache + 1, or 0 */
    int (*stop)(void *uc);
    int (*reg_read)(void *uc, int reg, void *value);
    int (*reg_write)(void *uc, int reg, const void *value);
} machine_t;

typedef struct {
    machine_t *machine;
    uint64_t (*read)(uint64_t address, uint32_t size);
    void (*write)(uint64_t address, uint32_t size, uint64_t value);
    uint32_t base;
    uint32_t feed; /* address of a watchdog's key register, 0: none, or it does not run */
    uint32_t value[PAGE_WORDS];
    uint8_t kind[PAGE_WORDS];
    uint8_t noted[PAGE_WORDS]; /* a NOTED word was read */
} page_t;

typedef struct {
    machine_t *machine;
    int32_t base_register; /* unaligned: whose address must be a multiple of four; divide: the divisor */
    uint32_t reason;
    uint32_t predicated; /* Unicorn does not stop at once inside an IT block: let the access itself fault */
} watch_t;

#endif
