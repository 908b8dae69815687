"""FLASH: wait states and accelerator for the cost model, and the controller that erases and programs (only 1 to 0)."""

from __future__ import annotations

from hilgate.virtual.peripherals.base import Peripheral

KEYS = (0x4567_0123, 0xCDEF_89AB)  # RM0390 3.5.1
ERASED = 0xFF


class Flash(Peripheral):
    """The array itself is memory of the core; writes to it arrive at `program`."""

    PLAIN = frozenset(("OPTCR",))
    CLEARED_BY_ONES = frozenset(("SR",))

    def reset(self) -> None:
        super().reset()
        self._keys: list[int] = []
        self._locked_out = False
        self._apply()

    def write_ACR(self, value: int) -> None:  # noqa: N802
        self.set("ACR", value & ~(self._mask("ICRST") | self._mask("DCRST")))
        if value & (self._mask("ICRST") | self._mask("DCRST")):
            self.machine.core.hooks.flush_caches()
        self._apply()
        self.machine.rcc.check_limits()

    def _apply(self) -> None:
        state, counted = self.machine.core.state, self.machine.core.cycles_counted
        state.wait_states = self.bit("ACR", "LATENCY") if counted else 0
        state.prefetch, state.icache, state.dcache = (self.bit("ACR", n) for n in ("PRFTEN", "ICEN", "DCEN"))

    def _mask(self, name: str) -> int:
        return self.facts.registers["ACR"].bits(name)

    # ------------------------------------------------------------------ the controller

    def write_KEYR(self, value: int) -> None:  # noqa: N802
        self._keys.append(value)
        if tuple(self._keys) == KEYS[: len(self._keys)] and not self._locked_out:
            if len(self._keys) == len(KEYS):
                self.put("CR", "LOCK", 0)
                self._keys = []
            return
        self._locked_out, self._keys = True, []  # until reset, RM0390 3.5.1
        self._refuse(f"a wrong key 0x{value:08x} in FLASH.KEYR: silicon answers with a bus error and locks until reset")

    def write_OPTCR(self, value: int) -> None:  # noqa: N802
        self._refuse(f"write of 0x{value:08x} to FLASH.OPTCR: option bytes are not modelled and never written")

    def write_SR(self, value: int) -> None:  # noqa: N802
        busy = self.values["SR"] & self.facts.registers["SR"].bits("BSY")
        self.set("SR", self.values["SR"] & ~value & ~busy | busy)

    def write_CR(self, value: int) -> None:  # noqa: N802
        if self.bit("CR", "LOCK") or self.bit("SR", "BSY"):
            self.put("CR", "LOCK", self.bit("CR", "LOCK") | value >> 31)
            return
        self.set("CR", value)
        if self.bit("CR", "EOPIE") or self.bit("CR", "ERRIE"):
            self._refuse("FLASH.CR: interrupts of the flash controller are not modelled")
        if self.bit("CR", "STRT"):
            self._erase()

    def _erase(self) -> None:
        sectors = self.machine.flash_memory.sectors
        number = self.bit("CR", "SNB")
        if self.bit("CR", "MER"):
            begin, size = 0, sum(sectors)
        elif self.bit("CR", "SER") and number < len(sectors):
            begin, size = sum(sectors[:number]), sectors[number]
        else:
            self.put("SR", "PGSERR", 1)
            return
        origin = self.machine.flash_memory.origin
        self.machine.core.memories.write(origin + begin, bytes([ERASED]) * size)
        self._busy(size * self.machine.family["flash"]["sector_erase_us_per_kib"] // 1024)

    def program(self, pc: int, address: int, size: int, value: int) -> None:
        """A store into the flash array. Sets the error flags that RM0390 3.5.4 names when it is not legal."""
        if not self.bit("CR", "PG") or self.bit("CR", "LOCK"):
            self.put("SR", "PGSERR", 1)
        elif 1 << self.bit("CR", "PSIZE") != size:
            self.put("SR", "PGPERR", 1)
        else:
            old = int.from_bytes(self.machine.core.memories.read(address, size), "little")
            self.machine.core.memories.write(address, (old & value).to_bytes(size, "little"))
            self._busy(self.machine.family["flash"]["word_program_us"], pc)

    def _busy(self, us: int, pc: int | None = None) -> None:
        """The array answers nobody while it works: a core that executes from it stands still; one in RAM sees BSY."""
        self.put("SR", "BSY", 1)
        self.machine.core.code_changed_later = True
        self.machine.clock.after_us("FLASH.BSY", us, self._done)
        memory = self.machine.flash_memory
        if pc is None or memory.origin <= pc < memory.end:
            self.machine.stall_us(us)

    def _done(self) -> None:
        self.put("SR", "BSY", 0)
        self.put("CR", "STRT", 0)
