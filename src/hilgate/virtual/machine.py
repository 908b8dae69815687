"""The virtual STM32: core, memories, peripherals, time and exceptions put together, and the loop that runs them.

What silicon would answer with a fault that firmware can handle (access to addresses where the chip has nothing,
unaligned LDRD, undefined instruction, ...) is raised in the firmware. What exists on silicon and is not modelled here
is a VirtualFault that ends the run: it names address, register and PC. Nothing unmodelled reads as zero.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilgate.catalogue import Board
from hilgate.errors import ArtifactError, VirtualFault
from hilgate.virtual.clock import Clock
from hilgate.virtual.core import Core
from hilgate.virtual.cost import load_cpu
from hilgate.virtual.dma_routes import DmaRoutes
from hilgate.virtual.exceptions import FIRST_INTERRUPT, Exceptions
from hilgate.virtual.hooks import Accelerator
from hilgate.virtual.registers import load_facts, load_family
from hilgate.virtual.stops import after

if TYPE_CHECKING:
    from hilgate.virtual.elf import Image
    from hilgate.virtual.peripherals.base import Peripheral
    from hilgate.virtual.peripherals.gpio import Gpio
    from hilgate.virtual.peripherals.serial import Serial
    from hilgate.virtual.peripherals.uid import FactoryData

HANG_US = 100_000
RESETS_MOST, FAULTS_MOST = 100, 10_000  # without a byte from the board in between


@dataclass(frozen=True)
class Options:
    """cycles: the cost model counts (else one cycle an instruction); native: use the C hooks where possible; hse, hsi:
    the external clock starts, and the internal one where it is not that of reset; seed: of the unique id and of what
    RAM holds after power-on."""

    cycles: bool = True
    native: bool = True
    hse: bool = True
    hsi: bool = True
    seed: int = 1


class Machine:
    """One virtual board with one image. `run` is all that makes time pass."""

    def __init__(self, board: Board, image: Image, options: Options | None = None) -> None:
        self.board, self.image, self.options = board, image, options or Options()
        self.family, self.facts = load_family(board.family), load_facts(board)
        self.flash_memory = board.memory("flash")
        dual_bank = board.tables.get("option_bytes", {}).get("dual_bank", True)
        accelerator = self.family["accelerator" if dual_bank else "accelerator_single_bank"]
        self.core = Core(
            load_cpu(board.cpu),
            Accelerator(
                self.flash_memory.origin,
                self.flash_memory.bytes,
                accelerator["line_bytes"].bit_length() - 1,
                accelerator["code_lines"],
                accelerator["data_lines"],
            ),
            cycles=self.options.cycles,
            native=self.options.native,
        )
        self.vector_base = self.flash_memory.origin
        self.last_fault = "a fault"
        self.resets: list[str] = []
        self._silent_resets = self._silent_faults = 0
        self.dma = DmaRoutes(self)
        self._uarts: list[Serial] = []
        self.pins: dict[str, bool] = {}  # signal -> a pin carries it; GPIO clears it
        self.sleeping = False
        self._pc = 0
        self.factory: FactoryData | None = None  # unique id and flash size, where the board has a known one
        self._reset_wanted: str | None = None
        self.clock = Clock(self.core.state, self.family["clock"].get("reset_hz", self.family["clock"]["hsi_hz"]))
        self.exceptions = Exceptions(self)
        self._map_memories()
        self._build_peripherals()
        self._load()
        self.reset("power_on")

    # ------------------------------------------------------------------ construction

    def _map_memories(self) -> None:
        noise = random.Random(self.options.seed)  # noqa: S311  (what RAM holds after power-on, no secret)
        for memory in self.board.memories:
            write = "write" in memory.can
            view = self.core.memories.map(memory.origin, memory.bytes, execute="execute" in memory.can, write=write)
            view[:] = noise.randbytes(len(view)) if write else b"\xff" * len(view)
        if not any(memory.origin == 0 for memory in self.board.memories):  # BOOT0 is low: flash answers at 0 too
            self.core.memories.alias(self.flash_memory.origin, self.flash_memory.bytes, 0, write=False)
        for alias in self.board.tables.get("aliases", {}).values():
            self.core.memories.alias(alias["origin"], alias["bytes"], alias["at"], write=True)

    def _build_peripherals(self) -> None:
        from hilgate.virtual.peripherals.catalogue import build
        from hilgate.virtual.peripherals.serial import Serial

        self.peripherals: dict[str, Peripheral] = build(self)
        self._uarts = [peripheral for peripheral in self.peripherals.values() if isinstance(peripheral, Serial)]
        for name in ("rcc", "pwr", "flash", "iwdg", "scb", "systick", "dwt", "coredebug"):
            setattr(self, name, self.peripherals[name.upper()])
        self.console: Serial = self.peripherals[self.board.tables["console"]["uart"]]  # type: ignore[assignment]

    if TYPE_CHECKING:
        from hilgate.virtual.peripherals.dwt import CoreDebug, Dwt
        from hilgate.virtual.peripherals.flash import Flash
        from hilgate.virtual.peripherals.iwdg import Iwdg
        from hilgate.virtual.peripherals.pwr import Pwr
        from hilgate.virtual.peripherals.rcc import Rcc
        from hilgate.virtual.peripherals.scb import Scb
        from hilgate.virtual.peripherals.systick import SysTick

        rcc: Rcc
        pwr: Pwr
        flash: Flash
        iwdg: Iwdg
        scb: Scb
        systick: SysTick
        dwt: Dwt
        coredebug: CoreDebug

    def _load(self) -> None:
        for segment in self.image.segments:
            end = segment.address + len(segment.data)
            if not any(m.origin <= segment.address and end <= m.end for m in self.board.memories):
                raise ArtifactError(
                    f"{len(segment.data)} bytes at 0x{segment.address:08x} are outside {self.board.name}'s memory",
                    where=str(self.image.path),
                    hint="was it built for this board?",
                )
            self.core.memories.write(segment.address, segment.data)
        sp, pc = self._vector(0), self._vector(1)
        if not pc & 1 or not any(m.origin <= sp - 4 < m.end for m in self.board.memories):
            raise ArtifactError(
                f"no vector table at 0x{self.vector_base:08x}: stack 0x{sp:08x}, reset 0x{pc:08x}",
                where=str(self.image.path),
                hint=f"was it built for {self.board.name}?",
            )

    def _vector(self, number: int) -> int:
        return int.from_bytes(self.core.memories.read(self.vector_base + 4 * number, 4), "little")

    # ------------------------------------------------------------------ reset

    def request_reset(self, cause: str) -> None:
        """At the end of the block that runs now."""
        self._reset_wanted = cause
        self.clock.stop_now()

    def reset(self, cause: str) -> None:
        """All of the chip but its memories. cause: power_on, pin, software, watchdog. Raises VirtualFault in a loop."""
        self._silent_resets += cause in ("software", "watchdog")
        if self._silent_resets > RESETS_MOST:
            what = f"a reset loop: {RESETS_MOST} resets without a byte from the board, the last one by {cause}"
            raise VirtualFault(what, where=self.image.place(self._pc & ~1))
        self.resets.append(cause)
        self._reset_wanted, self.sleeping = None, False
        self.clock.cancel_all(but="WIRE")
        self.core.code_break()
        self.exceptions.reset()
        self.core.hooks.flush_caches()
        for peripheral in self.peripherals.values():
            peripheral.reset()
        self.rcc.reset_by(cause)
        self.gate(self.rcc)
        core = self.core
        for name, value in (("XPSR", 1 << 24), ("CONTROL", 0), ("PRIMASK", 0), ("FAULTMASK", 0), ("BASEPRI", 0)):
            core.set(name, value)
        for name in (*(f"R{n}" for n in range(13)), "PSP"):
            core.set(name, 0)
        core.set("FPSCR", 0)
        core.set("MSP", self._vector(0) & ~3)
        core.set("LR", 0xFFFF_FFFF)
        self._pc = self._vector(1)

    # ------------------------------------------------------------------ what peripherals ask

    def set_core_hz(self, hz: int) -> None:
        if hz != self.clock.hz:
            if "IWDG" in self.peripherals:
                self.iwdg.settle()
            self.clock.set_hz(hz)
            self.systick.arm()
        for uart in self._uarts:  # a bus may run at another rate although the core does not
            uart.rate_changed()
        if "FLASH" in self.peripherals and self.flash.values:
            self.rcc.check_limits()

    def gate(self, _rcc: Peripheral) -> None:
        """RCC opened or closed clock gates."""
        for peripheral in self.peripherals.values():
            on = self.rcc.is_clocked(peripheral.name)
            if on != peripheral.clocked:
                peripheral.clock(on)

    def reset_peripheral(self, name: str) -> None:
        """RCC pulsed a reset line; UARTx and USARTx are spelled either way by the vendor."""
        for spelled in (name, f"US{name.removeprefix('U')}"):
            if spelled in self.peripherals:
                self.peripherals[spelled].reset()

    def set_interrupt(self, name: str, level: bool) -> None:
        if name in self.facts.interrupts:
            self.exceptions.set_level(FIRST_INTERRUPT + self.facts.interrupts[name], level)

    def trace_enabled(self) -> bool:
        return bool(self.coredebug.values.get("DEMCR", 0) >> 24 & 1)

    def pin_is(self, signal: str) -> bool:
        """Whether any pin is switched to a signal such as USART2_TX."""
        if signal not in self.pins:
            self.pins[signal] = self._find_pin(signal)
        return self.pins[signal]

    def _find_pin(self, signal: str) -> bool:
        for pin, function in self.facts.usart_pins.get(signal, {}).items():
            port: Gpio | None = self.peripherals.get(f"GPIO{pin[1]}")  # type: ignore[assignment]
            if port is not None and port.alternate(int(pin[2:])) == function:
                return True
        return False

    def exact_cycles(self) -> int:
        """The cycle count at the instruction that accesses a register now."""
        return self.core.cycles_at(int(self.core.state.pc))

    def stall_us(self, us: int) -> None:
        """The core stands still for this time."""
        self.core.state.cycles += us * self.clock.hz // 1_000_000

    def note_fault(self, bit: str, pc: int, address: int | None) -> None:
        at = "" if address is None else f", address 0x{address:08x}"
        cause = f", in the handler of {self.last_fault}" if any(n < 7 for n in self.exceptions.active) else ""
        self.last_fault = f"{bit} at {self.image.place(pc)}{at}{cause}"
        self._silent_faults += 1
        if self._silent_faults > FAULTS_MOST:
            what = f"a fault loop: {FAULTS_MOST} faults without a byte from the board, the last one {self.last_fault}"
            raise VirtualFault(what)
        if not self.iwdg.running:
            self.clock.after_us("HANG", HANG_US, self._check_hang)

    def _check_hang(self) -> None:
        if any(number < 7 for number in self.exceptions.active):
            raise VirtualFault(f"the firmware hangs in its fault handler after {self.last_fault}")

    def said_something(self) -> None:
        """A byte has left the board: whatever it does, it does not run in a circle."""
        self._silent_resets = self._silent_faults = 0

    # ------------------------------------------------------------------ running

    def run(self, cycles: int, until: Callable[[], bool] | None = None) -> None:
        """Run until the cycle count has grown by `cycles`, or `until` is true after an event."""
        end = self.core.state.cycles + cycles
        self.clock.stop_at(end)
        while self.core.state.cycles < end and not (until is not None and until()):
            try:
                self._step(end)
            except VirtualFault as error:
                error.where = error.where or self.image.place(self.core.get("PC"))
                raise

    def _step(self, end: int) -> None:
        self.clock.do_due()
        if self._reset_wanted is not None:
            self.reset(self._reset_wanted)
            return
        number = self.exceptions.next_pending() if self.exceptions.pending else None
        if number is not None:
            self.sleeping = False
            self._pc = self.exceptions.enter(number, self._pc)
        elif self.sleeping and not self._wakes():
            due = self.clock.next_event_cycles()
            self.core.state.cycles = max(self.core.state.cycles, end if due is None else min(end, due))
            return
        if self.core.code_changed_later:
            self.core.code_changed()
        self.core.state.pending = int(bool(self.exceptions.pending))
        stop = self.core.run(self._pc)
        self.core.state.pc = 0
        self._pc = after(self, stop)

    def _wakes(self) -> bool:
        """WFI ends by any interrupt that would be taken but for PRIMASK."""
        number = self.exceptions.next_pending(ignore_masks=True)
        self.sleeping = number is None
        return not self.sleeping
