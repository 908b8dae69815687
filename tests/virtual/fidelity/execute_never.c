/* Jumping to a peripheral: MemManage IACCVIOL, without any MPU. */
#include "harness.h"

void provoke(void) {
    ((void (*)(void))0x40000001u)();
}
