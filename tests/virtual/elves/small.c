/* Functions that the tests call one by one: `chosen` is the case, `result` what it found. */
#include "harness.h"

void (*chosen)(void) __attribute__((section(".noinit")));
uint32_t result[64] __attribute__((section(".noinit")));
volatile uint32_t untouched[8] __attribute__((section(".noinit")));

#define DWT_CTRL 0xE0001000u
#define CYCCNT 0xE0001004u

static void start_counter(void) {
    WORD(0xE000EDFCu) = 1u << 24;
    WORD(CYCCNT) = 0;
    WORD(DWT_CTRL) |= 1u;
}

NAKED static uint32_t count_block(void) {
    __asm volatile("ldr r3, =0xE0001004\n"
                   "ldr r0, [r3]\n"
                   "nop\n nop\n nop\n nop\n nop\n"
                   "ldr r1, [r3]\n"
                   "subs r0, r1, r0\n"
                   "bx lr");
}

NAKED static void spin(uint32_t turns) {
    __asm volatile("1: subs r0, #1\n bne 1b\n bx lr");
}

void count(void) {
    start_counter();
    result[0] = count_block();
    result[1] = count_block();
    WORD(DWT_CTRL) &= ~1u;
    result[2] = WORD(CYCCNT);
    result[3] = WORD(CYCCNT);
    start_counter();
    result[4] = WORD(CYCCNT);
    WORD(CYCCNT) = 0xFFFFFFF0u;
    result[5] = WORD(CYCCNT);
    spin(100);
    result[6] = WORD(CYCCNT);
}

void loop(void) {
    start_counter();
    const uint32_t before = WORD(CYCCNT);
    spin(1000);
    result[0] = WORD(CYCCNT) - before;
}

void watchdog(void) {
    result[0] = WORD(0x40023874u) >> 24; /* RCC.CSR: why we started */
    if (result[0] & 0x20u) {
        return;
    }
    WORD(0x40003000u) = 0xCCCC;
    WORD(0x40003000u) = 0x5555;
    WORD(0x40003004u) = 0;  /* divider 4: 8 kHz */
    WORD(0x40003008u) = 79; /* 10 ms */
    WORD(0x40003000u) = 0xAAAA;
    for (uint32_t i = 0; i < 20u; i++) {
        spin(16000 / 3 * 2);
        WORD(0x40003000u) = 0xAAAA;
        survivor = i;
    }
    __asm volatile("cpsid i");
    for (;;) {
    }
}

static void unlock_flash(void) {
    WORD(0x40023C04u) = 0x45670123u;
    WORD(0x40023C04u) = 0xCDEF89ABu;
}

static uint32_t flash_status(void) {
    while ((WORD(0x40023C0Cu) & 1u << 16) != 0u) {
    }
    const uint32_t status = WORD(0x40023C0Cu);
    WORD(0x40023C0Cu) = status;
    return status;
}

#define FLASH_CELL 0x08010000u /* sector 4 */

void program(void) {
    start_counter();
    WORD(FLASH_CELL) = 1u; /* locked: nothing happens but an error */
    result[0] = flash_status();
    result[1] = WORD(FLASH_CELL);
    unlock_flash();
    WORD(0x40023C10u) = 1u | 2u << 8; /* PG, 32 bits */
    const uint32_t before = WORD(CYCCNT);
    WORD(FLASH_CELL) = 0xFFFF00FFu;
    result[2] = WORD(FLASH_CELL);
    result[3] = WORD(CYCCNT) - before;
    WORD(FLASH_CELL) = 0x0F0FFFFFu;
    result[4] = WORD(FLASH_CELL);
    *(volatile uint8_t *)(FLASH_CELL + 4u) = 1u; /* eight bits while PSIZE says 32 */
    result[5] = flash_status();
    WORD(0x40023C10u) = 2u | 4u << 3;
    WORD(0x40023C10u) = 2u | 4u << 3 | 1u << 16;
    (void)flash_status();
    result[6] = WORD(FLASH_CELL);
    WORD(0x40023C10u) = 1u << 31;
    unlock_flash();
    result[7] = WORD(0x40023C10u) >> 31;
}

void pll(void) {
    WORD(0x40023840u) |= 1u << 28;
    WORD(0x40023800u) |= 5u << 16; /* HSEON, HSEBYP */
    start_counter();
    const uint32_t before = WORD(CYCCNT);
    while ((WORD(0x40023800u) & 1u << 17) == 0u && WORD(CYCCNT) - before < 16000u * 10u) {
    }
    result[0] = WORD(CYCCNT) - before;
    result[1] = WORD(0x40023800u) >> 17 & 1u;
    if (result[1] == 0u) {
        return;
    }
    WORD(0x40023804u) = 4u | 168u << 6 | 0u << 16 | 1u << 22 | 7u << 24; /* 8 / 4 * 168 / 2 = 168 MHz */
    WORD(0x40023800u) |= 1u << 24;
    const uint32_t locking = WORD(CYCCNT);
    while ((WORD(0x40023800u) & 1u << 25) == 0u) {
    }
    result[2] = WORD(CYCCNT) - locking;
    WORD(0x40023C00u) = 5u | 7u << 8;
    WORD(0x40023808u) = 5u << 10 | 4u << 13 | 2u;
    while ((WORD(0x40023808u) >> 2 & 3u) != 2u) {
    }
    result[3] = 1;
}

void too_fast(void) {
    WORD(0x40023800u) |= 5u << 16;
    while ((WORD(0x40023800u) & 1u << 17) == 0u) {
    }
    WORD(0x40023804u) = 4u | 168u << 6 | 1u << 22 | 7u << 24;
    WORD(0x40023800u) |= 1u << 24;
    while ((WORD(0x40023800u) & 1u << 25) == 0u) {
    }
    WORD(0x40023808u) = 5u << 10 | 4u << 13 | 2u; /* no flash wait states */
}

void bad_pll(void) {
    WORD(0x40023804u) = 8u | 20u << 6 | 7u << 24;
    WORD(0x40023800u) |= 1u << 24;
}

void ring(void) {
    static volatile uint8_t buffer[8];
    WORD(0x40023830u) |= 1u << 22;
    WORD(0x40011008u) = 139u;
    WORD(0x4001100Cu) = 0x200Cu;
    WORD(0x40026448u) = 0x40011004u;      /* DMA2 stream 2: S2PAR */
    WORD(0x4002644Cu) = (uint32_t)buffer; /* S2M0AR */
    WORD(0x40026444u) = sizeof buffer;    /* S2NDTR */
    WORD(0x40026440u) = 4u << 25 | 1u << 10 | 1u << 8 | 1u;
    WORD(0x40011014u) = 1u << 6;
    say("go\n");
    for (uint32_t seen = 0; seen != 3u;) {
        const uint32_t flags = WORD(0x40026400u) >> 16;
        seen |= (flags & 1u << 4 ? 1u : 0u) | (flags & 1u << 5 ? 2u : 0u);
        if (seen == 1u && result[0] == 0u) {
            result[0] = WORD(0x40026444u);
        }
    }
    WORD(0x40026408u) = 0x3Du << 16;
    result[1] = WORD(0x40026400u);
    drain();
    spin(16000); /* two more bytes come meanwhile */
    for (uint32_t i = 0; i < 8u; i++) {
        result[2u + i] = buffer[i];
    }
    result[10] = WORD(0x40026444u);
}

void overrun(void) {
    WORD(0x4001100Cu) = 0x200Cu;
    say("go\n");
    drain();
    spin(16000);
    result[0] = WORD(0x40011000u); /* SR */
    result[1] = WORD(0x40011004u); /* DR: clears */
    result[2] = WORD(0x40011000u);
}

void echo(void) {
    WORD(0x4001100Cu) = 0x200Cu;
    say("go\n");
    for (;;) {
        if ((WORD(0x40011000u) & 0x20u) != 0u) {
            WORD(0x40011004u) = WORD(0x40011004u);
        }
    }
}

void identity(void) {
    for (uint32_t i = 0; i < 3u; i++) {
        result[i] = WORD(0x1FFF7A10u + 4u * i);
    }
    result[3] = *(volatile uint16_t *)0x1FFF7A22u;
}

void memory(void) {
    for (uint32_t i = 0; i < 8u; i++) {
        result[i] = untouched[i];
    }
}

void quiet(void) {
    WORD(0x40020000u) &= ~(15u << 18); /* PA9, PA10 back to inputs */
    say("nobody hears this\n");
    drain();
    WORD(0x40020000u) |= 10u << 18;
}

void provoke(void) {
    chosen();
}
