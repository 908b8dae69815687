"""FLASH: wait states behind the core's caches, and bank 1's controller, which programs words of 256 bits with ECC."""

from __future__ import annotations

from hilgate.virtual.peripherals.base import Peripheral

KEYS = (0x4567_0123, 0xCDEF_89AB)  # RM0399, FLASH_KEYR1
WORD_BYTES = 32
ERASED = 0xFF
LOCK, PG, SER, START = 1, 2, 4, 1 << 7
BSY, QW, STRBERR, PGSERR = 1, 4, 1 << 19, 1 << 18


class Flash(Peripheral):
    """The array is memory of the core; stores to bank 1 arrive at `program`. Bank 2 and option bytes are read only."""

    PLAIN = frozenset(("SR1", "OPTCR", "OPTSR_CUR", "ECC_FA1R"))

    def reset(self) -> None:
        super().reset()
        self._keys: list[int] = []
        self._buffer: dict[int, int] = {}
        self._apply()

    def write_ACR(self, value: int) -> None:  # noqa: N802
        self.set("ACR", value)
        self._apply()
        self.machine.rcc.check_limits()

    def _apply(self) -> None:
        """A line that no cache has costs the array's wait states and the way over the AXI bus, in core cycles."""
        machine = self.machine
        state, counted = machine.core.state, machine.core.cycles_counted
        axi = self.bit("ACR", "LATENCY") + 1 + machine.family["flash"]["axi_cycles"]
        state.wait_states = axi * machine.rcc.ahb_divider() if counted and "RCC" in machine.peripherals else 0  # type: ignore[attr-defined]
        scb = machine.peripherals.get("SCB")
        state.icache, state.dcache = scb.caches if scb is not None and scb.values else (0, 0)  # type: ignore[attr-defined]

    # ------------------------------------------------------------------ the controller

    def write_KEYR1(self, value: int) -> None:  # noqa: N802
        self._keys.append(value)
        if tuple(self._keys) != KEYS[: len(self._keys)]:
            self._refuse(f"a wrong key 0x{value:08x} in FLASH.KEYR1: silicon answers with a bus error and locks")
        if len(self._keys) == len(KEYS):
            self.put("CR1", "LOCK1", 0)
            self._keys = []

    def write_CCR1(self, value: int) -> None:  # noqa: N802
        self.set("SR1", self.values["SR1"] & ~value)

    def write_CR1(self, value: int) -> None:  # noqa: N802
        if self.values["CR1"] & LOCK or self.values["SR1"] & BSY:
            self.set("CR1", self.values["CR1"] | value & LOCK)
            return
        self.set("CR1", value)
        if value & 0x0FFF_8000 or value & (1 << 3) or value & (1 << 6):
            self._refuse(f"FLASH.CR1 = 0x{value:08x}: only PG and SER are modelled")
        if value & START and value & SER:
            self._erase(value >> 8 & 7)

    def _erase(self, number: int) -> None:
        memory = self.machine.flash_memory
        begin, size = sum(memory.sectors[:number]), memory.sectors[number]
        self.machine.core.memories.write(memory.origin + begin, bytes([ERASED]) * size)
        self._busy(size * self.machine.family["flash"]["sector_erase_us_per_kib"] // 1024, None)

    def program(self, pc: int, address: int, size: int, value: int) -> None:
        """A store into bank 1 fills the write buffer; the whole word of 32 bytes is programmed when it is full."""
        word = address & -WORD_BYTES
        if not self.values["CR1"] & PG or self.values["CR1"] & LOCK:
            self.put("SR1", "PGSERR1", 1)
            return
        if self._buffer and min(self._buffer) & -WORD_BYTES != word:
            self._buffer.clear()
            self.put("SR1", "STRBERR1", 1)
            return
        self._buffer |= {address + i: value >> 8 * i & 0xFF for i in range(size)}
        if len(self._buffer) < WORD_BYTES:
            return
        if self.machine.core.memories.read(word, WORD_BYTES) != bytes([ERASED]) * WORD_BYTES:
            self._refuse(f"the flash word at 0x{word:08x} is programmed twice: its ECC would be wrong for ever")
        self.machine.core.memories.write(word, bytes(self._buffer[word + i] for i in range(WORD_BYTES)))
        self._buffer.clear()
        self._busy(self.machine.family["flash"]["word_program_us"], pc)

    def _busy(self, us: int, pc: int | None) -> None:
        self.set("SR1", self.values["SR1"] | BSY | QW)
        self.machine.core.code_changed_later = True
        self.machine.clock.after_us("FLASH.BSY", us, self._done)
        memory = self.machine.flash_memory
        if pc is None or memory.origin <= pc < memory.end:
            self.machine.stall_us(us)

    def _done(self) -> None:
        self.set("SR1", self.values["SR1"] & ~(BSY | QW))
        self.set("CR1", self.values["CR1"] & ~START)
