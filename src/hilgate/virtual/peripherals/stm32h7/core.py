"""What a Cortex-M7 has beside a Cortex-M4: caches and their maintenance, MPU registers, a lock on the DWT."""

from __future__ import annotations

from hilgate.virtual.peripherals.base import Peripheral
from hilgate.virtual.peripherals.dwt import Dwt
from hilgate.virtual.peripherals.scb import Scb

DWT_KEY = 0xC5AC_CE55
SETS, WAYS = 128, 4  # of the data cache: 16 KB in lines of 32 bytes
IC, DC, BP = 1 << 17, 1 << 16, 1 << 18


class ScbM7(Scb):
    """CCR switches the caches. The data cache may hold anything after power-on: it must be invalidated first."""

    PLAIN = Scb.PLAIN | {"CCSIDR", "CSSELR"}

    def write_CCR(self, value: int) -> None:  # noqa: N802
        had = self.values["CCR"]
        super().write_CCR(value & ~(IC | DC))
        self.set("CCR", self.values["CCR"] | value & (IC | DC) | BP)
        cache: Cache = self.machine.peripherals["CACHE"]  # type: ignore[assignment]
        if value & DC & ~had and not cache.data_is_clean:
            self._refuse("SCB.CCR.DC: the data cache is switched on before all of its lines were invalidated by DCISW")
        self.machine.flash._apply()

    @property
    def caches(self) -> tuple[bool, bool]:
        """Whether the instruction cache and the data cache are on."""
        return bool(self.values["CCR"] & IC), bool(self.values["CCR"] & DC)


class Cache(Peripheral):
    """Maintenance by address has no effect: both sides see one memory here (see FIDELITY.toml)."""

    def reset(self) -> None:
        super().reset()
        self._invalid: set[int] = set()

    @property
    def data_is_clean(self) -> bool:
        return len(self._invalid) == SETS * WAYS

    def write_ICIALLU(self, _value: int) -> None:  # noqa: N802
        self.machine.core.hooks.flush_caches()
        self.machine.core.code_changed_later = True

    def write_DCISW(self, value: int) -> None:  # noqa: N802
        self._invalid.add(value & 0xC000_0FE0)

    def write_ICIMVAU(self, _value: int) -> None:  # noqa: N802
        self.machine.core.code_changed_later = True

    def write_DCIMVAC(self, _value: int) -> None:  # noqa: N802
        """One memory: nothing to throw away."""

    def write_DCCMVAC(self, _value: int) -> None:  # noqa: N802
        """One memory: nothing to write back."""

    def write_DCCIMVAC(self, _value: int) -> None:  # noqa: N802
        """One memory: nothing to write back."""

    def write_DCCSW(self, _value: int) -> None:  # noqa: N802
        """One memory: nothing to write back."""

    def write_DCCISW(self, value: int) -> None:  # noqa: N802
        self.write_DCISW(value)


class Mpu(Peripheral):
    """Regions are kept and asked for what is cached; who may access what is not enforced (see FIDELITY.toml)."""

    PLAIN = frozenset(("TYPE", "CTRL", "RNR"))

    def reset(self) -> None:
        super().reset()
        self._regions: dict[int, tuple[int, int]] = {}

    def _number(self) -> int:
        return self.values["RNR"] & 0xF

    def write_RBAR(self, value: int) -> None:  # noqa: N802
        if value & 0x10:
            self.set("RNR", value & 0xF)
        self._regions[self._number()] = (value & ~0x1F, self._regions.get(self._number(), (0, 0))[1])

    def read_RBAR(self) -> int:  # noqa: N802
        return self._regions.get(self._number(), (0, 0))[0] | self._number()

    def write_RASR(self, value: int) -> None:  # noqa: N802
        base = self._regions.get(self._number(), (0, 0))[0]
        size = 2 << (value >> 1 & 31)
        if value & 1 and (size < 32 or base % size):
            self._refuse(f"MPU region {self._number()} at 0x{base:08x} is not aligned to its {size} bytes")
        self._regions[self._number()] = (base, value)

    def read_RASR(self) -> int:  # noqa: N802
        return self._regions.get(self._number(), (0, 0))[1]

    def is_cacheable(self, address: int) -> bool:
        """Of memory that the caches stand before; the highest region that holds the address decides."""
        attributes = None
        if self.values["CTRL"] & 1:
            for number in sorted(self._regions):
                base, value = self._regions[number]
                size = 2 << (value >> 1 & 31)
                inside = value & 1 and base <= address < base + size
                if inside and not value >> 8 >> ((address - base) * 8 // size) & 1:
                    attributes = value
        if attributes is None:
            return True  # SRAM's default in the ARMv7-M map is write-back
        return bool(attributes >> 17 & 1 or (attributes >> 19 & 4))  # C, or TEX 1xx: cached


class LockedDwt(Dwt):
    """Writes are ignored in silence until the key has been written to LAR; a power-on locks it again."""

    def reset(self) -> None:
        self._locked = getattr(self, "_locked", True) or self.machine.resets[-1:] == ["power_on"]
        super().reset()

    def write_LAR(self, value: int) -> None:  # noqa: N802
        self._locked = value != DWT_KEY

    def read_LSR(self) -> int:  # noqa: N802
        return 1 | self._locked << 1

    def write_CTRL(self, value: int) -> None:  # noqa: N802
        if not self._locked:
            super().write_CTRL(value)

    def write_CYCCNT(self, value: int) -> None:  # noqa: N802
        if not self._locked:
            super().write_CYCCNT(value)
