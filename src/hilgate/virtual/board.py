"""A virtual board to program against: load an image, run it, talk to its console, ask what it cost.

    board = VirtualBoard("nucleo_f446re", Path("firmware.elf"))
    board.write(b"...")                       # host -> console, at board.baud
    data = board.read(64, timeout_us=50_000)  # runs until 64 bytes have come or 50 ms of virtual time have passed
    board.cycles, board.instructions, board.profile()

Time passes only in `run`, `run_us` and `read`, so equal calls give equal cycles. For one function without a board see
bare.py.
"""

from __future__ import annotations

from pathlib import Path

from hilgate.catalogue import Board, load_board
from hilgate.project import project_root
from hilgate.virtual.elf import load_image
from hilgate.virtual.machine import Machine, Options
from hilgate.virtual.profile import FunctionCost, profile
from hilgate.virtual.wire import Wire

US_PER_RUN = 1000  # host input can change the plan only between runs of the machine: bound each


class VirtualBoard:
    """board: a name or a Board; root: the project, by default that of the current folder; baud: of the host's end."""

    def __init__(
        self,
        board: str | Board,
        elf: Path,
        options: Options | None = None,
        *,
        root: Path | None = None,
        baud: int = 115200,
    ) -> None:
        facts = load_board(board, root or project_root()) if isinstance(board, str) else board
        self.machine = Machine(facts, load_image(elf), options)
        self.wire = Wire(self.machine.clock, self.machine.console, baud)

    @property
    def cycles(self) -> int:
        """Core cycles since power-on (instructions when the cost model is off)."""
        return int(self.machine.core.state.cycles)

    @property
    def instructions(self) -> int:
        """Executed instructions since power-on; those that a condition skips count too."""
        return int(self.machine.core.state.instructions)

    @property
    def clock_hz(self) -> int:
        """What the core runs at now, as the firmware set it up."""
        return self.machine.clock.hz

    @property
    def time_us(self) -> float:
        """Virtual time since power-on."""
        return self.machine.clock.now_ps() / 1e6

    @property
    def stalls(self) -> tuple[int, int]:
        """Cycles lost to flash wait states: (instruction fetch, data)."""
        state = self.machine.core.state
        return int(state.fetch_stalls), int(state.data_stalls)

    @property
    def baud(self) -> int:
        return self.wire.baud

    @baud.setter
    def baud(self, rate: int) -> None:
        self.wire.baud = rate

    def run(self, cycles: int) -> None:
        """Let so many core cycles pass. Raises VirtualFault."""
        self.machine.run(cycles)

    def run_us(self, us: float, *, until_bytes: int | None = None) -> None:
        """Let virtual time pass, or stop when so many bytes of the board are waiting. Raises VirtualFault."""
        clock = self.machine.clock
        end = clock.now_ps() + int(us * 1_000_000)
        enough = None if until_bytes is None else (lambda: len(self.wire.to_host) >= until_bytes)
        while (left := end - clock.now_ps()) > 0 and not (enough is not None and enough()):
            self.machine.run(min(clock.hz * US_PER_RUN // 1_000_000, left * clock.hz // 10**12 + 1), enough)

    def write(self, data: bytes) -> None:
        """Bytes for the board's console; they arrive one after another at the host's rate while the board runs."""
        self.wire.send(data)

    def read(self, size: int, timeout_us: float) -> bytes:
        """Up to `size` bytes of the console; runs the board until they are there or the time has passed."""
        if len(self.wire.to_host) < size:
            self.run_us(timeout_us, until_bytes=size)
        waiting = self.wire.to_host
        return bytes(waiting.popleft() for _ in range(min(size, len(waiting))))

    def profile(self) -> list[FunctionCost]:
        """Cost by function, most cycles first."""
        return profile(self.machine.core, self.machine.image)
