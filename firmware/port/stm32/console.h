/* The console UART: polled sending, reception into a ring by DMA or by interrupt. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

/** Pins, clocks, ring and receiver, at PROTOCOL_LIMIT_FIRST_BAUD. bus_hz: of the APB the UART hangs on. */
void console_start(uint32_t bus_hz);

#endif
