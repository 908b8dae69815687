/* What start-up asks of a family beside its clock; port/<family>/family.c implements it. */
#ifndef FAMILY_H
#define FAMILY_H

#include <stdint.h>

/** Why we started, PROTOCOL_RESET_CAUSE_...; clears the flags. */
uint8_t family_reset_cause(void);
/** What the core needs at full speed and before its counter starts: caches, locks. */
void family_prepare_core(void);
/** A small part of a byte at 921600 baud, without touching a register. */
void family_pause_send(void);
/** Less than a byte at 921600 baud, at full clock; up to 300 us at the reset clock. */
void family_pause_idle(void);

#endif
