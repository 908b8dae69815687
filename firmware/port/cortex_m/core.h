/* What every Cortex-M of ARMv7-M has: interrupts, SysTick as a clock, DWT as a counter, reset. */
#ifndef CORE_H
#define CORE_H

#include <stdbool.h>
#include <stdint.h>

/** A peripheral register: REG(RCC, CR) at its only instance, REG_AT(base, USART, SR) at any instance. */
#define REG_AT(base, block, name) (*(volatile uint32_t *)((base) + block##_##name##_OFFSET))
#define REG(block, name) REG_AT(block##_BASE, block, name)
/** The value of a field in its place. */
#define FIELD(name, value) (((uint32_t)(value) << name##_POS) & (name))

/** Let time pass without touching a register, about three cycles a turn: polling at full speed loads the bus for
 * nothing, and an emulator pays for each access far more than for the instruction. */
static inline void core_pause(uint32_t turns) {
    for (; turns > 0; turns--) __asm volatile("");
}

/** Let SysTick run freely on HCLK / 8 as the source of time. */
void core_time_start(uint32_t clock_hz);
/** Let CYCCNT run; false when this core has none, or one that does not count. */
bool core_counter_start(void);
void core_interrupt_enable(uint32_t number);

#endif
