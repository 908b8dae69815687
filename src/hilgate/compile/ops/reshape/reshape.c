#include "reshape.h"
