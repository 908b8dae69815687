"""The clock of board.toml as constants of board.h; ranges of each family from its reference manual, chapter RCC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilgate.build.board_facts import Facts
from hilgate.build.vectors import load_vectors
from hilgate.params import build

SOURCES = ("hse_pll", "hsi_pll", "hse_bypass_pll")
OVER_DRIVE_HZ = 168_000_000  # RM0390 5.1.4: what an STM32F4 reaches without it; one that is no faster has none
# APB1 and APB2 at most. STM32F4: RM0390 6.2, with over-drive or without; an STM32F411 could do a little more.
F4_APB_HZ = {True: (45_000_000, 90_000_000), False: (42_000_000, 84_000_000)}
H7_AHB_HZ, H7_APB_HZ = 200_000_000, (100_000_000, 100_000_000)  # RM0399 8.5: at voltage scale 1
SUPPLIES = ("smps",)  # an LDO configuration on a board wired for SMPS locks it: no board here is wired for LDO


@dataclass(frozen=True)
class PllLimits:
    """What a family's PLL can do: inclusive ranges of its dividers, and of the VCO's input and output in Hz."""

    m: tuple[int, int]
    n: tuple[int, int]
    p: tuple[int, ...]
    q: tuple[int, int]
    vco_input_hz: tuple[int, int]
    vco_hz: tuple[int, int]
    highest_hz: int


LIMITS = {
    # RM0390 and RM0090, RCC_PLLCFGR
    "stm32f4": PllLimits(
        (2, 63), (50, 432), (2, 4, 6, 8), (2, 15), (1_000_000, 2_000_000), (100_000_000, 432_000_000), 180_000_000
    ),
    # RM0399, RCC_PLLCKSELR and RCC_PLL1DIVR; 400 MHz at voltage scale 1. The VCO's wide range; 836 MHz on revision Y
    "stm32h7": PllLimits(
        (1, 63), (4, 512), tuple(range(2, 129, 2)), (1, 128), (2_000_000, 16_000_000), (192_000_000, 836_000_000),
        400_000_000,
    ),
}  # fmt: skip


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
    limits = LIMITS.get(facts.board.family)
    if limits is None:
        raise facts.refuse(
            f"nobody has described the PLL of family `{facts.board.family}`", f"known: {', '.join(LIMITS)}"
        )
    source = facts.one_of("clock", "source", SOURCES)
    hsi_hz = facts.number("clock", "hsi_hz", 1, limits.highest_hz)
    reference_hz = hsi_hz if source == "hsi_pll" else facts.number("clock", "hse_hz", 1, limits.highest_hz)
    pll = _pll(facts, "pll", reference_hz)
    fallback = _pll(facts, "fallback_pll" if "fallback_pll" in facts.board.tables["clock"] else "pll", hsi_hz)
    hz = pll.core_hz(reference_hz)
    if hz != facts.get("clock", "hz"):
        raise facts.refuse(f"[clock] hz is {facts.get('clock', 'hz')}, but its pll makes {hz}")
    _check_speed(facts, max(hz, fallback.core_hz(hsi_hz)))
    constants = {
        "BOARD_CLOCK_SOURCE": f"PROTOCOL_CLOCK_SOURCE_{source.upper()}",
        "BOARD_CLOCK_HZ": f"{hz}u",
        "BOARD_RESET_HZ": f"{facts.number('clock', 'reset_hz', 1, limits.highest_hz, default=hsi_hz)}u",
        "BOARD_FALLBACK_HZ": f"{fallback.core_hz(hsi_hz)}u",
        "BOARD_FLASH_WAIT_STATES": f"{facts.number('clock', 'flash_wait_states', 0, 15)}u",
        "BOARD_OVER_DRIVE": str(int(facts.get("clock", "over_drive") is True)),
    }
    for bus in ("apb1", "apb2"):
        constants[f"BOARD_{bus.upper()}_DIVIDER"] = f"{facts.get('clock', f'{bus}_divider')}u"
    for name, dividers in (("PLL", pll), ("FALLBACK", fallback)):
        constants |= {f"BOARD_{name}_{letter.upper()}": f"{getattr(dividers, letter)}u" for letter in "mnpq"}
    if facts.board.family == "stm32h7":
        constants |= _h7_constants(facts, {"PLL": reference_hz // pll.m, "FALLBACK": hsi_hz // fallback.m})
    return constants


def _check_speed(facts: Facts, hz: int) -> None:
    """The core, its flash and its buses, each against what the MCU can do. Raises ParamsError."""
    is_f4 = facts.board.family == "stm32f4"
    mcu_clock = load_vectors(facts.board)["clock"] if is_f4 else {"max_hz": LIMITS[facts.board.family].highest_hz}
    if hz > mcu_clock["max_hz"]:
        raise facts.refuse(f"[clock] {hz} Hz is too fast: the {facts.board.mcu} reaches {mcu_clock['max_hz']} Hz")
    if is_f4:
        over_drive = _f4_over_drive(facts, hz, mcu_clock)
        bus_hz, most_hz = hz, F4_APB_HZ[over_drive]
    else:
        bus_hz, most_hz = hz // facts.number("clock", "ahb_divider", 1, 2), H7_APB_HZ
        if bus_hz > H7_AHB_HZ:
            raise facts.refuse(f"[clock] {hz} Hz makes {bus_hz} Hz of the AHBs", f"at most {H7_AHB_HZ}: ahb_divider")
    for bus, most in zip(("apb1", "apb2"), most_hz, strict=True):
        divider = facts.get("clock", f"{bus}_divider")
        if divider not in (1, 2, 4, 8, 16):
            raise facts.refuse(f"[clock] {bus}_divider is {divider!r}, not 1, 2, 4, 8 or 16")
        if bus_hz // divider > most:
            raise facts.refuse(f"[clock] {bus}_divider {divider} makes {bus_hz // divider} Hz", f"at most {most}")


def _f4_over_drive(facts: Facts, hz: int, mcu_clock: dict[str, Any]) -> bool:
    """Whether the board uses over-drive; it and the wait states are checked."""
    wanted = facts.get("clock", "over_drive") is True
    if wanted and mcu_clock["max_hz"] <= OVER_DRIVE_HZ:
        raise facts.refuse(f"[clock] the {facts.board.mcu} has no over-drive", "over_drive = false")
    if hz > OVER_DRIVE_HZ and not wanted:
        raise facts.refuse(f"[clock] {hz} Hz needs over-drive", "over_drive = true")
    needed = next(states for states, most in enumerate(mcu_clock["wait_states_max_hz"]) if hz <= most)
    wait_states = facts.number("clock", "flash_wait_states", 0, 15)
    if wait_states < needed:
        raise facts.refuse(f"[clock] flash_wait_states is {wait_states}, but {hz} Hz needs {needed}")
    return wanted


def _h7_constants(facts: Facts, vco_input_hz: dict[str, int]) -> dict[str, str]:
    """What an STM32H7 needs beside. Ranges of RCC_PLLCFGR.PLL1RGE: from 1, 2, 4, 8 MHz."""
    facts.one_of("supply", "kind", SUPPLIES)
    codes = {name: (hz // 1_000_000).bit_length() - 1 for name, hz in vco_input_hz.items()}
    return {
        "BOARD_SUPPLY_SMPS": "1",
        "BOARD_AHB_DIVIDER": f"{facts.number('clock', 'ahb_divider', 1, 2)}u",
        "BOARD_FLASH_PROGRAM_DELAY": f"{facts.number('clock', 'flash_program_delay', 0, 3)}u",
        **{f"BOARD_{name}_RANGE": f"{min(code, 3)}u" for name, code in codes.items()},
    }


def _pll(facts: Facts, key: str, reference_hz: int) -> Pll:
    """The dividers, checked against what the PLL can do."""
    pll = build(Pll, facts.get("clock", key), f"{facts.where}: clock.{key}")
    limits = LIMITS[facts.board.family]
    in_range = all(
        low <= value <= high for value, (low, high) in ((pll.m, limits.m), (pll.n, limits.n), (pll.q, limits.q))
    )
    if not in_range or pll.p not in limits.p:
        hint = f"m {_span(limits.m)}, n {_span(limits.n)}, p {_choices(limits.p)}, q {_span(limits.q)}"
        raise facts.refuse(f"[clock] {key} {pll}: a divider is out of range", hint)
    into, vco = reference_hz // pll.m, reference_hz // pll.m * pll.n
    (low_in, high_in), (low, high) = limits.vco_input_hz, limits.vco_hz
    if not low_in <= into <= high_in or not low <= vco <= high:
        hint = (
            f"{low_in // 10**6} to {high_in // 10**6} MHz into the VCO, {low // 10**6} to {high // 10**6} MHz out of it"
        )
        raise facts.refuse(f"[clock] {key} on {reference_hz} Hz: {into} Hz into the VCO, {vco} Hz out of it", hint)
    return pll


def _span(limits: tuple[int, int]) -> str:
    return f"{limits[0]}-{limits[1]}"


def _choices(values: tuple[int, ...]) -> str:
    if len(values) > 8:
        return f"an even number from {values[0]} to {values[-1]}"
    return f"{', '.join(map(str, values[:-1]))} or {values[-1]}"
