/* The divider of a USART at sixteen-fold oversampling (RM0390, RM0399: BRR). */
#ifndef USART_H
#define USART_H

#include <stdint.h>

#define USART_DIVIDER_MIN 16u /* BRR of 1.0 */
#define USART_DIVIDER_MAX 0xFFFFu

/** As uart_divider of uart.h. */
static inline uint32_t usart_divider(uint32_t bus_hz, uint32_t baud, uint32_t *off_hz) {
    const uint32_t divider = baud == 0 ? 0 : (bus_hz + baud / 2u) / baud;
    const uint32_t made = divider * baud; /* the bus clock which would make `baud` exactly */
    *off_hz = made > bus_hz ? made - bus_hz : bus_hz - made;
    return divider < USART_DIVIDER_MIN || divider > USART_DIVIDER_MAX ? 0 : divider;
}

#endif
