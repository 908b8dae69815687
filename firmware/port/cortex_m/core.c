#include "core.h"

#include "port.h"
#include "registers.h"

#define SYSTICK_SPAN (SYSTICK_RVR_RELOAD + 1u)
#define WAIT_TURNS 100u   /* a few microseconds at most */
#define AIRCR_KEY 0x05FAu /* ARM DDI 0403E.e B3.2.6 */

/* Sixteenths of a tick: 180 MHz / 8 is 22.5 ticks a microsecond. A span of 2^24 ticks stays below 2^28 sixteenths. */
static uint32_t ticks_per_us_x16, last_ticks, spare_ticks_x16, time_us;

void core_time_start(uint32_t clock_hz) {
    /* The reference clock of an STM32's SysTick is HCLK / 8: at 180 MHz it wraps after 0.74 s. */
    ticks_per_us_x16 = clock_hz / 8u * 2u / 125000u;
    REG(SYSTICK, RVR) = SYSTICK_RVR_RELOAD;
    REG(SYSTICK, CVR) = 0;
    REG(SYSTICK, CSR) = SYSTICK_CSR_ENABLE;
    last_ticks = SYSTICK_RVR_RELOAD - REG(SYSTICK, CVR);
}

uint32_t port_time_us(void) {
    const uint32_t ticks = SYSTICK_RVR_RELOAD - REG(SYSTICK, CVR);
    const uint32_t passed = (ticks - last_ticks) & SYSTICK_RVR_RELOAD;
    last_ticks = ticks;
    const uint32_t ticks_x16 = (passed << 4) + spare_ticks_x16;
    spare_ticks_x16 = ticks_x16 % ticks_per_us_x16;
    time_us += ticks_x16 / ticks_per_us_x16;
    return time_us;
}

void port_wait_us(uint32_t us) {
    const uint32_t start = port_time_us();
    while (port_time_us() - start < us) core_pause(WAIT_TURNS);
}

bool core_counter_start(void) {
    REG(COREDEBUG, DEMCR) |= COREDEBUG_DEMCR_TRCENA;
    if (REG(DWT, CTRL) & DWT_CTRL_NOCYCCNT) return false;
    REG(DWT, CYCCNT) = 0;
    REG(DWT, CTRL) |= DWT_CTRL_CYCCNTENA;
    /* An emulator without a DWT reads as 0 and says no word about it: believe only a counter that counts. */
    const uint32_t start = REG(DWT, CYCCNT);
    core_pause(WAIT_TURNS);
    return REG(DWT, CYCCNT) != start;
}

uint32_t port_interrupts_mask(void) {
    uint32_t saved;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(saved)::"memory");
    return saved;
}

void port_interrupts_restore(uint32_t saved) {
    __asm volatile("msr primask, %0" ::"r"(saved) : "memory");
}

void core_interrupt_enable(uint32_t number) {
    *(&REG(NVIC, ISER0) + number / 32u) = 1u << (number & 31u);
}

void port_reset(void) {
    __asm volatile("dsb" ::: "memory");
    REG(SCB, AIRCR) = FIELD(SCB_AIRCR_VECTKEY, AIRCR_KEY) | SCB_AIRCR_SYSRESETREQ;
    for (;;) {
    }
}

void port_crash(void) {
    __asm volatile("udf #0");
    for (;;) {
    }
}
