/* port/stm32/console.c with the UART of port/stm32f4 on this computer: its registers are plain memory at their own
 * addresses, and this file plays the DMA. Built as a shared library by test_console.py. */
#define _GNU_SOURCE
#include "console.c" /* NOLINT: its ring is static */
#include "family.c"  /* NOLINT */

#include <sys/mman.h>

static uint32_t position;

/** Map the pages of USART2, GPIO, RCC and DMA1; 0 when all of them could be had. */
int harness_open(void) {
    static const uint32_t pages[] = {0x40004000u, 0x40020000u, 0x40023000u, 0x40026000u};
    for (unsigned i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
        void *want = (void *)(uintptr_t)pages[i];
        if (mmap(want, 4096, PROT_READ | PROT_WRITE, how, -1, 0) != want) return 1;
    }
    return 0;
}

/** Let the DMA receive: bytes into the ring, NDTR counts down and reloads, the flag is set at each wrap. */
void harness_dma(const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        ring[position++] = bytes[i];
        if (position == RING_BYTES) {
            position = 0;
            REG_AT(BOARD_CONSOLE_DMA_BASE, DMA, HISR) |= BOARD_CONSOLE_DMA_TRANSFER_COMPLETE;
        }
        DMA_STREAM(NDTR) = RING_BYTES - position;
    }
}

/** What the hardware does with a write to the clear register. */
int32_t harness_read(void) {
    const int32_t byte = port_console_read();
    REG_AT(BOARD_CONSOLE_DMA_BASE, DMA, HISR) &= ~DMA_CLEAR;
    DMA_CLEAR = 0;
    return byte;
}

/** Between the last byte of a turn and its flag, the counter at `left` already: returns what a read finds. */
int32_t harness_read_before_the_flag(uint32_t left) {
    const uint32_t really_left = DMA_STREAM(NDTR);
    REG_AT(BOARD_CONSOLE_DMA_BASE, DMA, HISR) &= ~(uint32_t)BOARD_CONSOLE_DMA_TRANSFER_COMPLETE;
    DMA_STREAM(NDTR) = left;
    const int32_t byte = harness_read();
    DMA_STREAM(NDTR) = really_left;
    REG_AT(BOARD_CONSOLE_DMA_BASE, DMA, HISR) |= BOARD_CONSOLE_DMA_TRANSFER_COMPLETE;
    return byte;
}

uint32_t harness_register(uint32_t address) {
    return *(volatile uint32_t *)(uintptr_t)address;
}

void harness_set_register(uint32_t address, uint32_t value) {
    *(volatile uint32_t *)(uintptr_t)address = value;
}

void core_interrupt_enable(uint32_t number) {
    (void)number;
}
