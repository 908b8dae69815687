#include "harness.h"

#define USART1_SR 0x40011000u
#define USART1_DR 0x40011004u
#define STACK_TOP 0x20010000u
#define SAFE_STACK 0x20018000u
#define EXCEPTIONS 32u

uint32_t survivor __attribute__((section(".noinit")));
static uint32_t resume_bytes;
static void (*handlers[EXCEPTIONS])(void);

void reset(void);
void report(uint32_t *frame, uint32_t exc_return);
static void entry(void);

/* A stack that overflowed cannot be used, so the handler goes on elsewhere when it lies outside RAM. */
NAKED static void entry(void) {
    __asm volatile("tst lr, #4\n"
                   "ite eq\n"
                   "mrseq r0, msp\n"
                   "mrsne r0, psp\n"
                   "mov r1, lr\n"
                   "lsrs r2, r0, #29\n"
                   "cmp r2, #1\n"
                   "beq 1f\n"
                   "ldr r2, =0x20018000\n"
                   "mov sp, r2\n"
                   "1: push {r4, lr}\n"
                   "bl report\n"
                   "pop {r4, pc}\n");
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16 + 16])(void) = {(void (*)(void))STACK_TOP,
                                                                                          reset,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry,
                                                                                          entry};

static void put(char c) {
    while ((WORD(USART1_SR) & 0x80u) == 0u) {
    }
    WORD(USART1_DR) = (uint32_t)c;
}

void say(const char *text) {
    while (*text != '\0') {
        put(*text++);
    }
}

void drain(void) {
    while ((WORD(USART1_SR) & 0x40u) == 0u) {
    }
}

void say_hex(const char *name, uint32_t value) {
    put(' ');
    say(name);
    put('=');
    for (int shift = 28; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[value >> shift & 15u]);
    }
}

void finish(void) {
    say("end\n");
    for (;;) {
    }
}

void enable_fpu(void) {
    WORD(CPACR) = 0xFu << 20;
    __asm volatile("dsb\n isb");
}

void resume_after(uint32_t bytes) {
    resume_bytes = bytes;
}

void expect_system(uint32_t exception, void (*handler)(void)) {
    handlers[exception] = handler;
}

void expect_interrupt(uint32_t number, void (*handler)(void)) {
    expect_system(16u + number, handler);
    WORD(NVIC_ISER0) = 1u << number;
}

void report(uint32_t *frame, uint32_t exc_return) {
    uint32_t number;
    __asm volatile("mrs %0, ipsr" : "=r"(number));
    say("exception");
    say_hex("number", number);
    say_hex("return", exc_return);
    say_hex("cfsr", WORD(CFSR));
    say_hex("hfsr", WORD(HFSR));
    if ((WORD(CFSR) & 1u << 15) != 0u) {
        say_hex("bfar", WORD(0xE000ED38u));
    }
    if (((uint32_t)frame >> 29) != 1u) { /* the frame could not be written */
        say("\n");
        finish();
    }
    say_hex("pc", frame[6]);
    say_hex("xpsr", frame[7]);
    say_hex("frame", (uint32_t)frame);
    say("\n");
    if (number < EXCEPTIONS && handlers[number] != 0) {
        handlers[number]();
    } else if (resume_bytes != 0u) {
        WORD(CFSR) = WORD(CFSR);
        WORD(HFSR) = WORD(HFSR);
        frame[6] += resume_bytes;
    } else {
        finish();
    }
}

void reset(void) {
    extern uint32_t bss_begin[], bss_end[];
    for (uint32_t *word = bss_begin; word < bss_end; word++) { /* RAM holds anything after power-on */
        *(volatile uint32_t *)word = 0;
    }
    WORD(0x40023830u) |= 1u;      /* RCC.AHB1ENR: GPIOA */
    WORD(0x40023844u) |= 1u << 4; /* RCC.APB2ENR: USART1 */
    (void)WORD(0x40023844u);
    WORD(0x40020000u) = (WORD(0x40020000u) & ~(15u << 18)) | 10u << 18; /* PA9, PA10: alternate */
    WORD(0x40020024u) = 0x770u;                                         /* function 7 */
    WORD(0x40011008u) = 139u;                                           /* 115200 at 16 MHz */
    WORD(0x4001100Cu) = 0x2008u;
    WORD(SHCSR) = 7u << 16; /* memory, bus and usage faults have their own handlers */
    provoke();
    finish();
}
