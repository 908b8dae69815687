"""The clock of board.toml as constants of board.h; ranges from RM0390 and RM0090, RCC_PLLCFGR and RCC_CFGR."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.build.board_facts import Facts
from hilgate.params import build

SOURCES = ("hse_pll", "hsi_pll", "hse_bypass_pll")
VCO_INPUT_HZ = (1_000_000, 2_000_000)
VCO_HZ = (100_000_000, 432_000_000)
HIGHEST_HZ = 200_000_000


@dataclass(frozen=True)
class Pll:
    """Dividers: core clock = reference / m * n / p; q feeds USB, which nothing here uses."""

    m: int
    n: int
    p: int
    q: int

    def core_hz(self, reference_hz: int) -> int:
        return reference_hz // self.m * self.n // self.p


def clock_constants(facts: Facts) -> dict[str, str]:
    source = facts.one_of("clock", "source", SOURCES)
    hsi_hz = facts.number("clock", "hsi_hz", 1, HIGHEST_HZ)
    reference_hz = hsi_hz if source == "hsi_pll" else facts.number("clock", "hse_hz", 1, HIGHEST_HZ)
    pll = _pll(facts, "pll", reference_hz)
    fallback = _pll(facts, "fallback_pll" if "fallback_pll" in facts.board.tables["clock"] else "pll", hsi_hz)
    hz = pll.core_hz(reference_hz)
    if hz != facts.get("clock", "hz"):
        raise facts.refuse(f"[clock] hz is {facts.get('clock', 'hz')}, but its pll makes {hz}")
    constants = {
        "BOARD_CLOCK_SOURCE": f"PROTOCOL_CLOCK_SOURCE_{source.upper()}",
        "BOARD_CLOCK_HZ": f"{hz}u",
        "BOARD_RESET_HZ": f"{facts.number('clock', 'reset_hz', 1, HIGHEST_HZ, default=hsi_hz)}u",
        "BOARD_FALLBACK_HZ": f"{fallback.core_hz(hsi_hz)}u",
        "BOARD_FLASH_WAIT_STATES": f"{facts.number('clock', 'flash_wait_states', 0, 15)}u",
        "BOARD_OVER_DRIVE": str(int(facts.get("clock", "over_drive") is True)),
    }
    for bus in ("apb1", "apb2"):
        divider = facts.get("clock", f"{bus}_divider")
        if divider not in (1, 2, 4, 8, 16):
            raise facts.refuse(f"[clock] {bus}_divider is {divider!r}, not 1, 2, 4, 8 or 16")
        constants[f"BOARD_{bus.upper()}_DIVIDER"] = f"{divider}u"
    for name, dividers in (("PLL", pll), ("FALLBACK", fallback)):
        constants |= {f"BOARD_{name}_{letter.upper()}": f"{getattr(dividers, letter)}u" for letter in "mnpq"}
    return constants


def _pll(facts: Facts, key: str, reference_hz: int) -> Pll:
    """The dividers, checked against what the PLL can do."""
    pll = build(Pll, facts.get("clock", key), f"{facts.where}: clock.{key}")
    if not 2 <= pll.m <= 63 or not 50 <= pll.n <= 432 or pll.p not in (2, 4, 6, 8) or not 2 <= pll.q <= 15:
        raise facts.refuse(
            f"[clock] {key} {pll}: a divider is out of range", "m 2-63, n 50-432, p 2, 4, 6 or 8, q 2-15"
        )
    into, vco = reference_hz // pll.m, reference_hz // pll.m * pll.n
    if not VCO_INPUT_HZ[0] <= into <= VCO_INPUT_HZ[1] or not VCO_HZ[0] <= vco <= VCO_HZ[1]:
        hint = "1 to 2 MHz into the VCO, 100 to 432 MHz out of it"
        raise facts.refuse(f"[clock] {key} on {reference_hz} Hz: {into} Hz into the VCO, {vco} Hz out of it", hint)
    return pll
