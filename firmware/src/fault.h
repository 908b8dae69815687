/* The record of the last crash, in memory that a reset keeps. */
#ifndef FAULT_H
#define FAULT_H

#include "protocol.h"

#include <stdbool.h>
#include <stdint.h>

/** Store `record` for the next life. Safe in a fault handler: no call leaves this file. */
void fault_store(const protocol_fault_record *record);

/** Once after start-up: take over what the last life left, or make a record when the watchdog ended it. */
void fault_collect(uint8_t reset_cause);
/** The reset cause, refined: PROTOCOL_RESET_CAUSE_FAULT when a fault handler asked for the reset. */
uint8_t fault_reset_cause(void);
/** True when this very start follows a crash; such a record is reported unasked, once. */
bool fault_is_fresh(void);

/** True while a record waits to be read by fault_take. */
bool fault_pending(void);
/** The waiting record without clearing it; all zero when there is none. */
void fault_peek(protocol_fault_record *record);
/** The same, and clear it. */
void fault_take(protocol_fault_record *record);

#endif
