/* The Cortex-M4's image. Both cores start at reset, the second one at the start of bank 2, where the factory put ST's
 * demonstration: it would run on our buses and pins. What lies there now masks everything and sleeps for good. CPU and
 * bus clocks of its domain go on, since our UART and DMA are there (no SLEEPDEEP).
 */
#include <stdint.h>

#define STACK_TOP 0x10048000u /* end of the D2 SRAMs where the Cortex-M4 sees them; only a fault would use it */

typedef void (*vector)(void);

__attribute__((naked, section(".second_core.text"))) static void second_core_sleep(void) {
    __asm volatile("cpsid i\n"
                   "1:\twfi\n\t"
                   "b 1b");
}

/** Stack, reset and the core's own exceptions. */
__attribute__((section(".second_core.vectors"), used)) const vector second_core_vectors[16] = {
    (vector)STACK_TOP, second_core_sleep, second_core_sleep, second_core_sleep,
    second_core_sleep, second_core_sleep, second_core_sleep,
};
