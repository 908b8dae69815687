"""page_t of hook.c said again in Python: a page of registers for machines without a C compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hilgate.virtual.hooks import WATCHDOG_FEED, Kind

if TYPE_CHECKING:
    from hilgate.virtual.fallback import PythonHooks


@dataclass
class PythonPage:
    """page_t of hook.c."""

    base: int
    hooks: PythonHooks
    read: Callable[..., int]
    write: Callable[..., None]
    shown: dict[int, tuple[int, Kind]] = field(default_factory=dict)
    fed: int = 0
    read_words: set[int] = field(default_factory=set)

    def noted(self, address: int) -> bool:
        was = address in self.read_words
        self.read_words.discard(address)
        return was

    def feed(self, address: int) -> None:
        self.fed = address

    def show(self, address: int, value: int, kind: Kind = Kind.PLAIN) -> None:
        self.shown[address] = (value & 0xFFFF_FFFF, kind)

    def ask(self, address: int) -> None:
        self.shown.pop(address, None)

    def on_read(self, uc: Any, offset: int, size: int, _user: Any) -> int:
        address = self.base + offset
        value, kind = self.shown.get(address, (0, Kind.ASK))
        if size == 4 and kind in (Kind.PLAIN, Kind.NOTED):
            if kind is Kind.NOTED:
                self.read_words.add(address)
            return value
        now = self.hooks.now(uc)
        if size != 4 or kind is Kind.ASK:
            return self.read(address, size)
        if kind is Kind.CYCLES:
            return (now - value) & 0xFFFF_FFFF
        state = self.hooks.state
        passed = (now - state.ticks_start) // state.ticks_divider
        return 0 if passed == 0 else state.ticks_reload - (passed - 1) % (state.ticks_reload + 1)

    def on_write(self, uc: Any, offset: int, size: int, value: int, _user: Any) -> None:
        now = self.hooks.now(uc)
        if value == WATCHDOG_FEED and self.fed == self.base + offset:
            self.hooks.state.fed_at = now
            return
        self.write(self.base + offset, size, value)
