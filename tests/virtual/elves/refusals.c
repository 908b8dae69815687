/* What the virtual board must refuse or name: `chosen` is the case, written by the test before the board runs. */
#include "harness.h"

void (*chosen)(void) __attribute__((section(".noinit")));

#define CASE NAKED void
#define RCC "ldr r0, =0x40023800\n"

CASE peripheral(void) {
    __asm volatile("ldr r0, =0x40012000\n ldr r1, [r0, #8]\n bx lr");
}
CASE peripheral_write(void) {
    __asm volatile("ldr r0, =0x40007400\n str r1, [r0]\n bx lr");
}
CASE unmodelled_register(void) {
    __asm volatile(RCC "ldr r1, [r0, #0x70]\n bx lr");
}
CASE no_register(void) {
    __asm volatile(RCC "ldr r1, [r0, #0x3c]\n bx lr");
}
CASE clock_off(void) {
    __asm volatile("ldr r0, =0x40004400\n ldr r1, [r0]\n bx lr");
}
CASE system_register(void) {
    __asm volatile("ldr r0, =0xE000ED90\n ldr r1, [r0]\n bx lr");
}
CASE system_memory(void) {
    __asm volatile("ldr r0, =0x1FFF0000\n ldr r1, [r0]\n bx lr");
}
CASE bit_band(void) {
    __asm volatile("ldr r0, =0x42000000\n ldr r1, [r0]\n bx lr");
}
CASE sram_bit_band(void) {
    __asm volatile("ldr r0, =0x22000000\n str r1, [r0]\n bx lr");
}
CASE boot_options(void) {
    __asm volatile("ldr r0, =0x1FF00000\n ldr r1, [r0]\n bx lr");
}
CASE boot_loader(void) {
    __asm volatile("ldr r0, =0x1FFF0101\n bx r0");
}
CASE external_memory(void) {
    __asm volatile("ldr r0, =0x60000000\n ldrh r1, [r0]\n bx lr");
}
CASE memory_controller(void) {
    __asm volatile("ldr r0, =0xA0000000\n str r1, [r0]\n bx lr");
}
CASE flash_alias(void) {
    __asm volatile("movs r0, #16\n strb r1, [r0]\n bx lr");
}
CASE unaligned_read(void) {
    __asm volatile("ldr r0, =0x40023801\n ldr r1, [r0]\n bx lr");
}
CASE unaligned_write(void) {
    __asm volatile("ldr r0, =0x40023C03\n movs r1, #0\n strh r1, [r0]\n bx lr");
}
CASE narrow_nvic(void) {
    __asm volatile("ldr r0, =0xE000E100\n movs r1, #1\n strb r1, [r0, #1]\n bx lr");
}
CASE chip_code(void) {
    __asm volatile("ldr r0, =0xE0042000\n ldr r1, [r0]\n bx lr");
}
CASE breakpoint(void) {
    __asm volatile("bkpt #0xab\n bx lr");
}
CASE trap_unaligned(void) {
    __asm volatile("ldr r0, =0xE000ED14\n movs r1, #8\n str r1, [r0]\n bx lr");
}
CASE sleep_deep(void) {
    __asm volatile("ldr r0, =0xE000ED10\n movs r1, #4\n str r1, [r0]\n bx lr");
}
CASE option_bytes(void) {
    __asm volatile("ldr r0, =0x40023C14\n movs r1, #0\n str r1, [r0]\n bx lr");
}
CASE parity(void) {
    __asm volatile("ldr r0, =0x4001100C\n ldr r1, =0x240C\n str r1, [r0]\n bx lr");
}
CASE two_stop_bits(void) {
    __asm volatile("ldr r0, =0x40011010\n ldr r1, =0x2000\n str r1, [r0]\n bx lr");
}
CASE illegal_return(void) {
    __asm volatile("ldr r0, =0xFFFFFFF9\n bx r0");
}
CASE predicated_fpu(void) {
    __asm volatile("cmp r0, r0\n it eq\n vaddeq.f32 s0, s0, s0\n bx lr");
}
CASE flash_pair(void) {
    __asm volatile("ldr r0, =0x08010000\n strd r1, r2, [r0]\n bx lr");
}
CASE lockup(void) {
    __asm volatile("ldr r0, =0xE000ED24\n movs r1, #0\n str r1, [r0]\n" /* no fault handler but HardFault */
                   "ldr r0, =0x20003000\n ldr r1, =0xE000ED08\n str r0, [r1]\n"
                   "ldr r2, =again\n adds r2, #1\n str r2, [r0, #12]\n dsb\n"
                   "again: udf #0\n bx lr");
}
CASE no_handler(void) {
    __asm volatile("ldr r0, =0x20003000\n ldr r1, =0xE000ED08\n str r0, [r1]\n"
                   "movs r2, #0\n str r2, [r0, #20]\n dsb\n"
                   "ldr r3, =0x30000000\n ldr r4, [r3]\n bx lr");
}
CASE hang(void) {
    __asm volatile("ldr r0, =0x20003000\n ldr r1, =0xE000ED08\n str r0, [r1]\n"
                   "ldr r2, =forever\n adds r2, #1\n str r2, [r0, #20]\n dsb\n"
                   "ldr r3, =0x30000000\n ldr r4, [r3]\n forever: b forever");
}

CASE resets_for_ever(void) {
    __asm volatile("ldr r0, =0xE000ED0C\n ldr r1, =0x05FA0004\n str r1, [r0]\n dsb\n b .");
}
CASE faults_for_ever(void) {
    __asm volatile("ldr r0, =0x20003000\n ldr r1, =0xE000ED08\n str r0, [r1]\n"
                   "ldr r2, =back\n adds r2, #1\n str r2, [r0, #20]\n dsb\n"
                   "ldr r3, =0x30000000\n ldr r4, [r3]\n back: bx lr");
}

void provoke(void) {
    chosen();
    say("survived\n");
}
