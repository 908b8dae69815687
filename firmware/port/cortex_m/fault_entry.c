/* Crash: save the registers where a reset keeps them, then reset. */
#include "core.h"
#include "fault.h"
#include "port.h"
#include "registers.h"
#include "section.h"
#include "startup.h"
#include "state.h"

#define FRAME_BYTES 32u           /* r0-r3, r12, lr, pc, xpsr: ARM DDI 0403E.e B1.5.6 */
#define FRAME_WITH_FPU_BYTES 104u /* and s0-s15, FPSCR, a reserved word: B1.5.7 */
#define FAULT_STACK_BYTES 384     /* the build room checks that it is enough */
#define EXC_RETURN_NO_FPU 0x10u   /* B1.5.8 */
#define XPSR_ALIGNED 0x200u       /* a word was skipped to align the frame */

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

/* The stack may be what broke, so the handler runs on its own. */
uint32_t fault_stack[FAULT_STACK_BYTES / 4u] SECTION_NOINIT __attribute__((aligned(8), used));

/** With interrupts masked, as around every measured run, the other faults arrive as a hard fault: name the real one. */
static uint32_t forced_kind(uint32_t cfsr) {
    if (cfsr >> 16) return PROTOCOL_FAULT_KIND_USAGE_FAULT;
    if (cfsr >> 8) return PROTOCOL_FAULT_KIND_BUS_FAULT;
    return cfsr != 0 ? PROTOCOL_FAULT_KIND_MEM_MANAGE : PROTOCOL_FAULT_KIND_HARD_FAULT;
}

static uint32_t fault_kind(uint32_t exception, uint32_t cfsr) {
    switch (exception) {
    case 2:
        return PROTOCOL_FAULT_KIND_NMI;
    case 3:
        return forced_kind(cfsr);
    case 4:
        return PROTOCOL_FAULT_KIND_MEM_MANAGE;
    case 5:
        return PROTOCOL_FAULT_KIND_BUS_FAULT;
    case 6:
        return PROTOCOL_FAULT_KIND_USAGE_FAULT;
    default:
        return PROTOCOL_FAULT_KIND_UNEXPECTED_INTERRUPT;
    }
}

static bool lies_in_ram(uint32_t address) {
    return address >= (uint32_t)ram_start && address <= (uint32_t)ram_end - FRAME_BYTES && (address & 3u) == 0;
}

/** The second half of fault_entry. frame: what the exception stacked, when that lies in RAM. */
__attribute__((used, noreturn)) void fault_record(const uint32_t *frame, uint32_t exc_return, uint32_t exception) {
    const state_trace trace = state_last();
    const uint32_t cfsr = REG(SCB, CFSR);
    protocol_fault_record record = {
        .kind = fault_kind(exception, cfsr),
        .sp = (uint32_t)frame,
        .xpsr = exception,
        .cfsr = cfsr,
        .hfsr = REG(SCB, HFSR),
        .mmfar = REG(SCB, MMFAR),
        .bfar = REG(SCB, BFAR),
        .state = trace.state,
        .layer = trace.layer,
    };
    if (lies_in_ram((uint32_t)frame)) {
        record.r0 = frame[0];
        record.r1 = frame[1];
        record.r2 = frame[2];
        record.r3 = frame[3];
        record.r12 = frame[4];
        record.lr = frame[5];
        record.pc = frame[6];
        record.xpsr = frame[7];
        record.sp += exc_return & EXC_RETURN_NO_FPU ? FRAME_BYTES : FRAME_WITH_FPU_BYTES;
        record.sp += frame[7] & XPSR_ALIGNED ? 4u : 0u;
    }
    fault_store(&record);
    port_reset();
}

__attribute__((naked)) void fault_entry(void) {
    __asm volatile("mov r0, sp\n\t"
                   "mov r1, lr\n\t"
                   "mrs r2, ipsr\n\t"
                   "ldr r3, =fault_stack + " TEXT(FAULT_STACK_BYTES) "\n\t"
                                                                     "mov sp, r3\n\t"
                                                                     "b fault_record\n\t"
                                                                     ".ltorg");
}
