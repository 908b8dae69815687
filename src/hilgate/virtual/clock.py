"""Virtual time: cycles of a core whose clock changes, and what is to happen when.

Time is in whole picoseconds, so that 921600 baud and 180 MHz meet without rounding that depends on the order of events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PS_PER_S = 1_000_000_000_000
PS_PER_US = 1_000_000


class Clock:
    """state: the hooks' counters. `limit` is the cycle at which the caller wants to stop."""

    def __init__(self, state: Any, hz: int) -> None:
        self.state, self.hz = state, hz
        self._base_ps, self._base_cycles = 0, 0
        # by key: when, in which order it was planned, the key again, what. min() of the values is the next one
        self._events: dict[str, tuple[int, int, str, Callable[[], None]]] = {}
        self._order = 0
        self._limit = 1 << 62
        self._stopping = False

    def now_ps(self) -> int:
        return self.ps_at(int(self.state.cycles))

    def ps_at(self, cycles: int) -> int:
        """Time of a cycle since the last change of the core clock."""
        return self._base_ps + (cycles - self._base_cycles) * PS_PER_S // self.hz

    def set_hz(self, hz: int) -> None:
        """The core clock changes now."""
        self._base_ps, self._base_cycles = self.now_ps(), int(self.state.cycles)
        self.hz = hz
        self._arm()

    def cycles_for(self, ps: int) -> int:
        """The first cycle at which `ps` has passed."""
        return self._base_cycles + -(-(ps - self._base_ps) * self.hz // PS_PER_S)

    def at(self, key: str, ps: int, action: Callable[[], None]) -> None:
        """Do `action` at time `ps`; replaces what was planned under the same key."""
        self._order += 1
        self._events[key] = (ps, self._order, key, action)
        self._arm()

    def after_us(self, key: str, us: int, action: Callable[[], None]) -> None:
        self.at(key, self.now_ps() + us * PS_PER_US, action)

    def at_cycles(self, key: str, cycles: int, action: Callable[[], None]) -> None:
        """The same for a cycle of the core at its present clock."""
        self.at(key, self.ps_at(cycles), action)

    def cancel(self, key: str) -> None:
        if self._events.pop(key, None) is not None:
            self._arm()

    def cancel_all(self, *, but: str) -> None:
        """At a reset: what the chip had planned is off; the event `but` belongs to the world outside."""
        self._events = {key: event for key, event in self._events.items() if key == but}
        self._arm()

    def planned(self, key: str) -> bool:
        return key in self._events

    def stop_at(self, cycles: int) -> None:
        """The core stops at this cycle even if nothing is to happen."""
        self._limit = cycles
        self._arm()

    def stop_now(self) -> None:
        """The core stops at the end of the block that it executes."""
        self._stopping = True
        self.state.deadline = 0

    def _arm(self) -> None:
        if self._stopping:
            return
        due = self.next_event_cycles()
        self.state.deadline = self._limit if due is None else min(self._limit, max(0, due))

    def next_event_cycles(self) -> int | None:
        """When the next event is due; None when nothing is planned."""
        return self.cycles_for(min(self._events.values())[0]) if self._events else None

    def do_due(self) -> None:
        """Do everything that is due, oldest first; then set the core's next stop."""
        self._stopping = True  # plans made meanwhile do not
        while self._events:
            ps, _, key, action = min(self._events.values())
            if self.cycles_for(ps) > self.state.cycles:
                break
            del self._events[key]
            action()
        self._stopping = False
        self._arm()
