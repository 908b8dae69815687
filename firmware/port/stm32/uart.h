/* The registers of a family's UART, for console.c; port/<family>/uart_registers.h implements it, inline: calls would
 * cost 300 bytes of flash. */
#ifndef UART_H
#define UART_H

#include "board.h"

#include <stdbool.h>
#include <stdint.h>

/** Clocks of the pins and the UART; the UART itself is still off. */
static inline void uart_clocks_on(void);
/** Transmitter on, at this divider; the receiver stays off until uart_receive. */
static inline void uart_start(uint32_t divider);
/** What the divider must be for `baud`, 0 when it cannot be; off_hz: by how many counts of the clock a second is wrong.
 */
static inline uint32_t uart_divider(uint32_t bus_hz, uint32_t baud, uint32_t *off_hz);
static inline void uart_set_divider(uint32_t divider);

static inline bool uart_can_send(void);
static inline void uart_send(uint8_t byte);
/** The last bit has left. */
static inline bool uart_all_sent(void);
static inline void uart_receive(bool on);

#if BOARD_CONSOLE_RECEIVE_DMA
/** Let every received byte go into the ring, from its start and round and round. */
static inline void uart_receive_into(volatile uint8_t *ring, uint32_t bytes);
/** Let no more bytes go into the ring. */
static inline void uart_receive_stop(void);
/** Bytes until the DMA passes the ring's end. */
static inline uint32_t uart_dma_left(void);
/** Whether it has passed the ring's end since this was last asked. */
static inline bool uart_dma_take_wrap(void);
/** Whether a received byte was lost since this was last asked. */
static inline bool uart_take_overrun(void);

#else
static inline void uart_receive_interrupt_on(void);
/** The received byte, if there is one; *overrun: others were lost before it. */
static inline bool uart_take_byte(uint8_t *byte, bool *overrun);
#endif

#endif
