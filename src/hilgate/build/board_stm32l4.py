"""Clock and console of an STM32L4+ board as constants of board.h; ranges from RM0432, RCC_PLLCFGR and LPUART."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilgate.build.board_facts import Facts
from hilgate.build.board_pins import pin_of
from hilgate.build.vectors import load_vectors
from hilgate.params import build

VCO_INPUT_HZ = (2_660_000, 16_000_000)
VCO_HZ = (64_000_000, 344_000_000)
HIGHEST_HZ = 120_000_000
WAIT_STATE_HZ = 20_000_000  # one more for each 20 MHz, in voltage range 1
FIRST_DMA_CHANNEL = 1
PAGE_BYTES = {True: 4096, False: 8192}  # by OPTR.DBANK


@dataclass(frozen=True)
class Pll:
    """Dividers: core clock = oscillator / m * n / r."""

    m: int
    n: int
    r: int


def clock_constants(facts: Facts) -> dict[str, str]:
    """The only source is the internal oscillator; where it does not start, the reset clock stays."""
    facts.one_of("clock", "source", ("hsi_pll",))
    dual_bank = bool(facts.get("option_bytes", "dual_bank"))
    if set(facts.board.memory("flash").sectors) != {PAGE_BYTES[dual_bank]}:
        raise facts.refuse(
            f"[option_bytes] dual_bank is {dual_bank}, so a flash page has {PAGE_BYTES[dual_bank]} bytes"
        )
    hsi_hz = facts.number("clock", "hsi_hz", 1, HIGHEST_HZ)
    pll = _pll(facts, hsi_hz)
    hz = hsi_hz // pll.m * pll.n // pll.r
    if hz != facts.get("clock", "hz") or hz > HIGHEST_HZ:
        raise facts.refuse(f"[clock] hz is {facts.get('clock', 'hz')}, but its pll makes {hz}", f"at most {HIGHEST_HZ}")
    wait_states, needed = facts.number("clock", "flash_wait_states", 0, 15), -(-hz // WAIT_STATE_HZ) - 1
    if wait_states < needed:
        raise facts.refuse(f"[clock] flash_wait_states is {wait_states}, but {hz} Hz needs {needed}")
    constants = {
        "BOARD_CLOCK_HZ": f"{hz}u",
        "BOARD_RESET_HZ": f"{facts.number('clock', 'reset_hz', 1, HIGHEST_HZ)}u",
        "BOARD_FLASH_WAIT_STATES": f"{wait_states}u",
    }
    for bus in ("apb1", "apb2"):
        divider = facts.get("clock", f"{bus}_divider")
        if divider not in (1, 2, 4, 8, 16):
            raise facts.refuse(f"[clock] {bus}_divider is {divider!r}, not 1, 2, 4, 8 or 16")
        constants[f"BOARD_{bus.upper()}_DIVIDER"] = f"{divider}u"
    return constants | {f"BOARD_PLL_{letter.upper()}": f"{getattr(pll, letter)}u" for letter in "mnr"}


def _pll(facts: Facts, hsi_hz: int) -> Pll:
    """The dividers, checked against what the PLL can do."""
    pll = build(Pll, facts.get("clock", "pll"), f"{facts.where}: clock.pll")
    if not 1 <= pll.m <= 16 or not 8 <= pll.n <= 127 or pll.r not in (2, 4, 6, 8):
        raise facts.refuse(f"[clock] pll {pll}: a divider is out of range", "m 1-16, n 8-127, r 2, 4, 6 or 8")
    into, vco = hsi_hz // pll.m, hsi_hz // pll.m * pll.n
    if not VCO_INPUT_HZ[0] <= into <= VCO_INPUT_HZ[1] or not VCO_HZ[0] <= vco <= VCO_HZ[1]:
        hint = "2.66 to 16 MHz into the VCO, 64 to 344 MHz out of it"
        raise facts.refuse(f"[clock] pll on {hsi_hz} Hz: {into} Hz into the VCO, {vco} Hz out of it", hint)
    return pll


def console_constants(facts: Facts) -> dict[str, str]:
    """LPUART1, received by the first DMA channel."""
    vectors = load_vectors(facts.board)
    uart = facts.one_of("console", "uart", sorted({name.split("_")[0] for name in vectors["usart_pins"]}))
    facts.one_of("console", "receive", ("dma",))
    pins = {line: pin_of(facts, uart, line, vectors) for line in ("tx", "rx")}
    ports = sorted({port for port, _ in pins.values()})
    constants = {
        "BOARD_CONSOLE_BASE": f"{uart}_BASE",
        "BOARD_CONSOLE_BUS": "1",  # the LPUART hangs on APB1
        "BOARD_CONSOLE_RECEIVE_DMA": "1",
        "BOARD_CONSOLE_ALTERNATE": f"{facts.number('console', 'alternate_function', 0, 15)}u",
        "BOARD_CONSOLE_CLOCK_REGISTER": "(RCC_BASE + RCC_APB1ENR2_OFFSET)",
        "BOARD_CONSOLE_CLOCK": f"RCC_APB1ENR2_{uart}EN",
        "BOARD_CONSOLE_PIN_CLOCKS": "(" + " | ".join(f"RCC_AHB2ENR_GPIO{port}EN" for port in ports) + ")",
        "BOARD_CONSOLE_VDDIO2": str(int(any(port == "G" and pin >= 2 for port, pin in pins.values()))),
    }
    for line, (port, pin) in pins.items():
        constants[f"BOARD_CONSOLE_{line.upper()}_GPIO"] = f"GPIO{port}_BASE"
        constants[f"BOARD_CONSOLE_{line.upper()}_PIN"] = f"{pin}u"
    return constants | _dma_constants(uart, vectors)


def _dma_constants(uart: str, vectors: dict[str, Any]) -> dict[str, str]:
    controller, channel, request = next(r for r in vectors["usart_dma"][f"{uart}_RX"] if r[1] == FIRST_DMA_CHANNEL)
    constants = {
        "BOARD_CONSOLE_DMA_BASE": f"DMA{controller}_BASE",
        "BOARD_CONSOLE_DMA_CLOCK": f"RCC_AHB1ENR_DMA{controller}EN",
        "BOARD_CONSOLE_DMA_REQUEST": f"{request}u",
        "BOARD_CONSOLE_DMAMUX_CHANNEL": f"DMAMUX_C{7 * (controller - 1) + channel - 1}CR_OFFSET",
        "BOARD_CONSOLE_DMA_TRANSFER_COMPLETE": f"DMA_ISR_TCIF{channel}",
        "BOARD_CONSOLE_DMA_ALL_FLAGS": f"DMA_IFCR_CGIF{channel}",
    }
    for register in ("CCR", "CNDTR", "CPAR", "CMAR"):
        constants[f"BOARD_CONSOLE_DMA_CHANNEL_{register}"] = f"DMA_{register}{channel}_OFFSET"
    return constants
