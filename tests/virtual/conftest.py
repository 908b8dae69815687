"""Small ELFs for the virtual board, and the two that run them: the virtual board and QEMU."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hilgate.virtual.board import VirtualBoard
from hilgate.virtual.machine import Machine, Options
from hilgate.virtual.peripherals.base import Peripheral

HERE = Path(__file__).parent
FLAGS = (
    "-mcpu=cortex-m4 -mthumb -mfloat-abi=softfp -mfpu=fpv4-sp-d16 -std=c11 -O1 -nostdlib -ffreestanding -fno-builtin"
    " -Wall -Wextra -Wshadow -Werror -Wno-unused-parameter"
).split()
END = b"end\n"


@pytest.fixture(scope="session")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The ELF of `fidelity/<name>.c` or `elves/<name>.c`, built with the harness once a session."""
    folder = tmp_path_factory.mktemp("elves")

    def build(name: str) -> Path:
        target = folder / f"{Path(name).stem}.elf"
        if not target.exists():
            kit = HERE / "fidelity"
            sources = [str(HERE / name), str(kit / "harness.c"), "-I", str(kit), "-T", str(kit / "link.ld")]
            subprocess.run(["arm-none-eabi-gcc", *FLAGS, *sources, "-o", str(target)], check=True)
        return target

    return build


@pytest.fixture(scope="session")
def board_of(root: Path) -> Callable[..., VirtualBoard]:
    """A virtual board with an ELF in it; options as in machine.Options."""

    def make(image: Path, name: str = "qemu_stm32f405", **options: bool | int) -> VirtualBoard:
        return VirtualBoard(name, image, Options(**options), root=root)  # type: ignore[arg-type]

    return make


@dataclass(frozen=True)
class Chip:
    """A virtual board whose registers are reached by name, as `RCC.CR`, without a program that does it."""

    board: VirtualBoard

    @property
    def machine(self) -> Machine:
        return self.board.machine

    def poke(self, name: str, value: int) -> None:
        peripheral, address = self._place(name)
        peripheral.write(address, 4, value)

    def peek(self, name: str) -> int:
        peripheral, address = self._place(name)
        return peripheral.read(address, 4)

    def wait_us(self, us: int) -> None:
        """Let time pass in which nothing is executed."""
        self.machine.core.state.cycles += us * self.machine.clock.hz // 1_000_000 + 1
        self.machine.clock.do_due()

    def _place(self, name: str) -> tuple[Peripheral, int]:
        peripheral, register = name.split(".")
        found = self.machine.peripherals[peripheral]
        return found, found.facts.base + found.facts.registers[register].offset


@pytest.fixture
def chip_on(elf: Callable[[str], Path], board_of: Callable[..., VirtualBoard]) -> Callable[[str], Chip]:
    """A fresh chip of a board, after power-on."""
    return lambda board: Chip(board_of(elf("elves/greet.c"), board))


@pytest.fixture(scope="session")
def until_end() -> Callable[[VirtualBoard], str]:
    """What the board prints until it says `end`, within one virtual second."""

    def read(board: VirtualBoard) -> str:
        text = b""
        while not text.endswith(END) and board.time_us < 1_000_000:
            text += board.read(1, 50_000)
        return text.decode("ascii")

    return read


@pytest.fixture(scope="session")
def on_qemu() -> Callable[[Path], str]:
    """The same on QEMU's netduinoplus2."""

    def read(image: Path) -> str:
        command = ["qemu-system-arm", "-M", "netduinoplus2", "-display", "none", "-monitor", "none"]
        command += ["-serial", "stdio", "-kernel", str(image)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            os.set_blocking(process.stdout.fileno(), False)
            text, deadline = b"", time.monotonic() + 20
            while not text.endswith(END) and time.monotonic() < deadline:
                text += process.stdout.read() or b""
                time.sleep(0.01)
            process.kill()
        return text.decode("ascii")

    return read
