"""FLASH of the STM32L4+: pages, and 64 bits with their ECC at a time, which can be programmed once."""

from __future__ import annotations

from hilgate.virtual.peripherals.flash import ERASED, Flash

DOUBLE_WORD = 8
BANK_PAGES = 256  # dual bank: pages of 4 KB, CR.PNB counts inside CR.BKER's bank; single: 256 of 8 KB, BKER stays clear


class FlashL4(Flash):
    """Two banks or one, as board.toml says. ECC errors of a torn write are not modelled; an erase stalls both banks."""

    PLAIN = frozenset(("OPTR", "ECCR"))

    def reset(self) -> None:
        self._first: tuple[int, int] | None = None  # address and value of the first word of a pair
        super().reset()
        self.put("OPTR", "DBANK", int(len(self.machine.flash_memory.sectors) > BANK_PAGES))

    def write_OPTR(self, value: int) -> None:  # noqa: N802
        self._refuse(f"write of 0x{value:08x} to FLASH.OPTR: option bytes are not modelled and never written")

    def write_CR(self, value: int) -> None:  # noqa: N802
        if self.bit("CR", "LOCK") or self.bit("SR", "BSY"):
            self.put("CR", "LOCK", self.bit("CR", "LOCK") | value >> 31)
            return
        self.set("CR", value)
        for name in ("EOPIE", "ERRIE", "RDERRIE", "OPTSTRT", "OBL_LAUNCH", "FSTPG"):
            if self.bit("CR", name):
                self._refuse(f"FLASH.CR.{name} is not modelled")
        if self.bit("CR", "START"):
            self._erase()

    def _erase(self) -> None:
        pages, first, count = self.machine.flash_memory.sectors, 0, 0
        banks, dual = (
            [bank for bank, name in enumerate(("MER1", "MER2")) if self.bit("CR", name)],
            self.bit("OPTR", "DBANK"),
        )
        if len(banks) == 2:
            count = len(pages)
        elif banks and dual:
            first, count = BANK_PAGES * banks[0], BANK_PAGES
        elif self.bit("CR", "PER") and (dual or not self.bit("CR", "BKER")):
            first, count = BANK_PAGES * self.bit("CR", "BKER") + self.bit("CR", "PNB"), 1
        else:
            self.put("SR", "PGSERR", 1)
            return
        begin, size = sum(pages[:first]), sum(pages[first : first + count])
        self.machine.core.memories.write(self.machine.flash_memory.origin + begin, bytes([ERASED]) * size)
        family = self.machine.family["flash"]
        self._busy(family["bank_erase_us"] if banks else family["page_erase_us"])

    def program(self, pc: int, address: int, size: int, value: int) -> None:
        """A store into the flash array: two words make a double word. Sets the flags of RM0432 when it is not legal."""
        memories = self.machine.core.memories
        if not self.bit("CR", "PG") or self.bit("CR", "LOCK"):
            self.put("SR", "PGSERR", 1)
        elif size != DOUBLE_WORD // 2:
            self.put("SR", "SIZERR", 1)
        elif self._first is None and address % DOUBLE_WORD == 0:
            self._first = (address, value)
        elif self._first is None or address != self._first[0] + 4:
            self._first = None
            self.put("SR", "PGAERR", 1)
        else:
            (place, low), self._first = self._first, None
            data = (value << 32 | low).to_bytes(DOUBLE_WORD, "little")
            if memories.read(place, DOUBLE_WORD) != b"\xff" * DOUBLE_WORD and any(data):
                self.put("SR", "PROGERR", 1)
                return
            memories.write(place, data)
            self._busy(self.machine.family["flash"]["word_program_us"], pc)

    def _done(self) -> None:
        self.put("SR", "BSY", 0)
        self.put("CR", "START", 0)
