/* The console on the LPUART: polled sending, reception into a ring by DMA. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

/** Pins and their supply, clocks, ring and receiver, at PROTOCOL_LIMIT_FIRST_BAUD. bus_hz: of APB1. */
void console_start(uint32_t bus_hz);

#endif
