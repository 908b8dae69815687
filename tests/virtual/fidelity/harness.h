/* What every fidelity case shares: an ELF per case, `provoke` does it, and what the core says about it is printed.
 *
 * Each fault or exception prints one line with its number, status registers, stacked PC and xPSR, and EXC_RETURN. The
 * same image runs on the virtual board and on QEMU's netduinoplus2 (STM32F405, console USART1); their texts must be
 * equal. */
#ifndef HARNESS_H
#define HARNESS_H
#include <stdint.h>

#define WORD(address) (*(volatile uint32_t *)(address))
#define ICSR 0xE000ED04u
#define VTOR 0xE000ED08u
#define AIRCR 0xE000ED0Cu
#define CCR 0xE000ED14u
#define SHPR2 0xE000ED1Cu
#define SHPR3 0xE000ED20u
#define SHCSR 0xE000ED24u
#define CFSR 0xE000ED28u
#define HFSR 0xE000ED2Cu
#define CPACR 0xE000ED88u
#define NVIC_ISER0 0xE000E100u
#define NVIC_ISPR0 0xE000E200u
#define NVIC_IPR(n) (*(volatile uint8_t *)(0xE000E400u + (n)))
#define SYST_CSR 0xE000E010u
#define SYST_RVR 0xE000E014u
#define SYST_CVR 0xE000E018u
#define CODE_UNMAPPED 0x30000000u /* nothing there, may execute */
#define NAKED __attribute__((naked, noinline, used))

extern uint32_t survivor __attribute__((section(".noinit"))); /* keeps its value over a reset */

void provoke(void); /* the case */
void say(const char *text);
void say_hex(const char *name, uint32_t value);
void drain(void); /* until the last byte has left */
void finish(void) __attribute__((noreturn));
void enable_fpu(void);
void resume_after(uint32_t bytes); /* a fault goes on so many bytes after the faulting instruction; 0: the case ends */
void expect_interrupt(uint32_t number, void (*handler)(void)); /* what irq `number` does; it prints itself first */
void expect_system(uint32_t exception, void (*handler)(void));
#endif
