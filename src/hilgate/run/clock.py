"""Does a board's clock run as fast as it says? Its cycles against this computer's time.

Bench commands of one run and of many, with answers of equal length: what they have in common (link, quiesce, USB turns)
cancels out. What remains on this computer's clock but not in the cycles is restoring the input before each run; it
is estimated and allowed for, and where it is no longer small beside the inference the clock cannot be checked this way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from hilgate.errors import DeviceError
from hilgate.link.protocol import BENCH_RUNS
from hilgate.link.session import Session

SPAN_S = 0.4  # counted time to compare: USB turns jitter by about 1 ms, 0.3 % of it
MOST_REPEATS = 50
TOLERANCE = 0.05  # quartz, ST-LINK's MCO and this computer agree within 0.1 %, an internal oscillator within 2 %
RESTORE_CYCLES, RESTORE_CYCLES_PER_BYTE = 500, 2  # of memcpy, masking and watchdog around a run, rather too many
MOST_RESTORE = 0.25  # of an inference


def check_clock(session: Session, cycles_per_run: int, now: Callable[[], float] = time.perf_counter) -> float | None:
    """Seconds by the board's cycles over seconds here, of the same work; None when inference is too short to tell.

    now: this computer's clock; tests take one that does not depend on how busy the computer is.
    Raises DeviceError when they differ by more than the tolerance.
    """
    said, cycles = session.identity, max(cycles_per_run, 1)
    restore = (RESTORE_CYCLES + RESTORE_CYCLES_PER_BYTE * said.input_bytes) / cycles
    if restore > MOST_RESTORE:
        return None
    repeats = min(MOST_REPEATS, math.ceil(SPAN_S / (BENCH_RUNS * cycles / said.clock_hz)))
    short_s, short_cycles = _timed(session, 1, repeats, now)
    long_s, long_cycles = _timed(session, BENCH_RUNS, repeats, now)
    ratio = (long_cycles - short_cycles) / said.clock_hz / max(long_s - short_s, 1e-9)
    if not 1 - TOLERANCE - restore < ratio < 1 + TOLERANCE:
        what = (
            f"the board says {said.clock_hz / 1e6:g} MHz, but its cycles are {ratio:.3f} of the time that passed here"
        )
        hint = "its oscillator or PLL is not what the firmware believes, or this is an emulator; call that by its name"
        raise DeviceError(what, where=session.name, hint=hint)
    return round(ratio, 4)


def _timed(session: Session, runs: int, repeats: int, now: Callable[[], float]) -> tuple[float, int]:
    """Seconds here, and cycles, of so many commands of `runs` runs.

    Only the last run of a command is reported, so that all answers are equally long: at 115200 baud the cycles of 200
    runs would be under way for 70 ms. The others run the same input, and their cycles are taken for the same.
    """
    began = now()
    cycles = sum(runs * session.bench(runs - 1, 1)[0] for _ in range(repeats))
    return now() - began, cycles
