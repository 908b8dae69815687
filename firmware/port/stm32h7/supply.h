/* Where the core's voltage comes from, and how high it is. */
#ifndef SUPPLY_H
#define SUPPLY_H

#include <stdbool.h>

/** Settle the supply as the board is wired and raise the core to voltage scale 1; false: stay at the reset clock. */
bool supply_start(void);

#endif
