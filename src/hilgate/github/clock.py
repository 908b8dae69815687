"""Time and chance in one place, so that tests of a storm of errors take none."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

_chance = random.SystemRandom()


@dataclass(frozen=True)
class Clock:
    """now: seconds since 1970; sleep: seconds; jitter: in [0, 1), so that many clients do not come back at once."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = _chance.random
