"""Call the model of an image directly on the virtual board, and count what only the virtual board can know.

The firmware is booted first by its own start-up code, so clocks, caches and copied code are as they are in the product.
Then input is written into the arena, `model_run` is called as the runner does, and the core is run until it returns: no
byte goes over the link, and no number comes from the firmware.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilgate.errors import ClaimError
from hilgate.virtual.core import Event

if TYPE_CHECKING:
    from hilgate.virtual.machine import Machine

RETURN_ADDRESS = 0xDFFF_FF00  # where nothing is: going there ends a call
AFTER_LAYER = 0xDFFF_FE00
WATCHDOG_MS = 10_000  # of a board that has none
MARGIN = 1.5  # the watchdog's oscillator is not exact
STACK_PAINT = b"\xa5"
RED_ZONE_BYTES = 64  # kept below the caller's stack pointer
MOST_LAYERS = 4000


@dataclass(frozen=True)
class ModelCall:
    """One call: the output's bytes, and its cycles (instructions where the cost model is off)."""

    output: bytes
    cycles: int


@dataclass(frozen=True)
class LayerCall:
    """One layer of a profiled call: cycles, and the CRC-32 of its output."""

    cycles: int
    crc32: int


class DirectModel:
    """The model of a booted machine that stands idle. Addresses come from the image's symbols.

    offsets and sizes: of input and output in the arena. Raises ClaimError when the image has no such model.
    """

    def __init__(self, machine: Machine, input_at: tuple[int, int], output_at: tuple[int, int]) -> None:
        self.machine, self.core = machine, machine.core
        symbols = machine.image.symbols
        for name in ("model_run", "model_profile", "model_weights", "arena"):
            if name not in symbols:
                raise ClaimError(f"it has no symbol {name}", where="firmware.elf", hint="do not strip the image")
        self._run, self._profile = symbols["model_run"], symbols["model_profile"]
        self._weights = symbols.get("hot_weights", symbols["model_weights"])
        self._arena = symbols["arena"]
        self._input, self._output = input_at, output_at
        rams = [memory for memory in machine.board.memories if memory.kind == "ram"]
        if not any(m.origin <= self._arena and self._arena + end <= m.end for m in rams for end in (sum(input_at),)):
            raise ClaimError("its arena is outside RAM", where="firmware.elf")
        self._idle = self.core.get("SP")
        watchdog_ms = machine.board.tables.get("watchdog", {}).get("timeout_ms", WATCHDOG_MS)
        self._longest = int(MARGIN * watchdog_ms / 1000 * machine.clock.hz)  # then a real board has started again
        self._stack = self._idle - RED_ZONE_BYTES & ~7

    def run(self, x: bytes) -> ModelCall:
        """One input -> one output. Raises ClaimError when the model crashes or does not end."""
        began = self._start(x, self._run, (self._weights, self._arena))
        pc = self._run
        stop = self.core.run(pc | 1)
        if stop.pc != RETURN_ADDRESS:
            raise self._failed(stop.event, stop.pc)
        return ModelCall(self._read(self._arena + self._output[0], self._output[1]), self._now() - began)

    def profile(self, x: bytes) -> list[LayerCall]:
        """The same by `model_profile`, whose call after each layer is answered here. Raises ClaimError."""
        began = self._start(x, self._profile, (self._weights, self._arena, AFTER_LAYER | 1, 0))
        rows: list[LayerCall] = []
        stop = self.core.run(self._profile | 1)
        while stop.pc == AFTER_LAYER and len(rows) < MOST_LAYERS:
            address, count, back = (self.core.get(name) for name in ("R2", "R3", "LR"))
            rows.append(LayerCall(self._now() - began, zlib.crc32(self._read(address, min(count, 1 << 24)))))
            self.core.code_break()
            began = self._now()
            stop = self.core.run(back | 1)
        if stop.pc != RETURN_ADDRESS:
            raise self._failed(stop.event, stop.pc)
        return rows

    def stack_of(self, call: Callable[[], object]) -> int:
        """Bytes of the main stack down to the last one that a call touched: painted before, looked at after."""
        low = next((m.origin for m in self.machine.board.memories if m.origin < self._stack <= m.end), self._stack)
        low = max(low, self._stack - (1 << 20), self._top_of_data(low))
        self.core.memories.write(low, STACK_PAINT * (self._stack - low))
        call()
        content = self._read(low, self._stack - low)
        first = int.from_bytes(self.core.memories.read(self.machine.vector_base, 4), "little")
        return first - self._idle + len(content.lstrip(STACK_PAINT))

    def _top_of_data(self, low: int) -> int:
        """End of what the image keeps below the stack in the same memory, if anything."""
        ends = [s.address + len(s.data) for s in self.machine.image.segments if low <= s.address < self._stack]
        return max(ends, default=low)

    def _start(self, x: bytes, function: int, arguments: tuple[int, ...]) -> int:
        core = self.core
        if not any(function & ~1 == one.address for one in self.machine.image.functions):
            raise ClaimError(f"no function starts at {function:#010x}", where="firmware.elf")
        core.memories.write(self._arena + self._input[0], x)
        for index, value in enumerate(arguments):
            core.set(f"R{index}", value)
        core.set("SP", self._stack)
        core.set("LR", RETURN_ADDRESS | 1)
        core.code_break()
        core.state.deadline = core.state.cycles + self._longest
        core.state.pending = 0
        return self._now()

    def _now(self) -> int:
        return int(self.core.state.cycles)

    def _read(self, address: int, count: int) -> bytes:
        if not any(m.origin <= address and address + count <= m.end for m in self.machine.board.memories):
            raise ClaimError(f"a tensor at {address:#010x} is outside memory", where="firmware.elf")
        return self.core.memories.read(address, count)

    def _failed(self, event: Event, pc: int) -> ClaimError:
        if event is Event.DEADLINE:
            what = f"the model still runs after {self._longest} cycles, longer than the watchdog lets it"
            return ClaimError(what, where="firmware.elf")
        place = self.machine.image.place(pc)[:200]
        return ClaimError(f"the model ends by {event.value} at {place} instead of returning", where="firmware.elf")
