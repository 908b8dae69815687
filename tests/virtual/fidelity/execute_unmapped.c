/* Jumping to where nothing is: BusFault IBUSERR. */
#include "harness.h"

void provoke(void) {
    ((void (*)(void))(CODE_UNMAPPED | 1u))();
}
