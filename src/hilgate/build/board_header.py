"""board.h: what the port's C code needs of board.toml, as constants in the names of registers.h."""

from __future__ import annotations

from typing import Any

from hilgate.build.board_clock import clock_constants
from hilgate.build.board_facts import Facts
from hilgate.build.vectors import load_vectors
from hilgate.catalogue import Board

COUNTERS = ("dwt", "none")
WATCHDOG_MAX_MS = 4096  # one count a millisecond, twelve bits: IWDG_RLR


def render(board: Board) -> str:
    """The text of board.h."""
    facts = Facts(board)
    constants = {
        "BOARD_ID": f"{board.board_id}u",
        **clock_constants(facts),
        **console_constants(facts),
        "BOARD_COUNTER": f"PROTOCOL_COUNTER_{facts.one_of('counter', 'kind', COUNTERS).upper()}",
        "BOARD_UID_ADDRESS": f"0x{facts.number('identity', 'uid_address', 0, 0xFFFF_FFFC, default=0):08X}u",
        "BOARD_WATCHDOG_MS": f"{facts.number('watchdog', 'timeout_ms', 1, WATCHDOG_MAX_MS)}u",
    }
    lines = [f"/* Generated from boards/{board.name}/board.toml. */", "#ifndef BOARD_H", "#define BOARD_H", ""]
    lines += ['#include "protocol.h"', '#include "registers.h"', ""]
    lines += [f"#define {name} {value}" for name, value in constants.items()]
    return "\n".join([*lines, "", "#endif", ""])


def console_constants(facts: Facts) -> dict[str, str]:
    vectors = load_vectors(facts.board)
    uarts = sorted({name.split("_")[0] for name in vectors["usart_pins"]})
    uart = facts.one_of("console", "uart", uarts)
    constants = {
        "BOARD_CONSOLE_BASE": f"{uart}_BASE",
        "BOARD_CONSOLE_BUS": "2" if uart in ("USART1", "USART6") else "1",
        "BOARD_CONSOLE_INTERRUPT": f"{vectors['interrupts'][uart]}u",
        "BOARD_CONSOLE_HANDLER": f"{uart}_handler",
        "BOARD_CONSOLE_ALTERNATE": f"{facts.number('console', 'alternate_function', 0, 15)}u",
    }
    bus = constants["BOARD_CONSOLE_BUS"]
    constants["BOARD_CONSOLE_CLOCK_REGISTER"] = f"(RCC_BASE + RCC_APB{bus}ENR_OFFSET)"
    constants["BOARD_CONSOLE_CLOCK"] = f"RCC_APB{bus}ENR_{uart}EN"
    ports = []
    for line in ("tx", "rx"):
        port, pin = pin_of(facts, uart, line, vectors)
        ports.append(port)
        constants[f"BOARD_CONSOLE_{line.upper()}_GPIO"] = f"GPIO{port}_BASE"
        constants[f"BOARD_CONSOLE_{line.upper()}_PIN"] = f"{pin}u"
    constants["BOARD_CONSOLE_PIN_CLOCKS"] = "(" + " | ".join(f"RCC_AHB1ENR_GPIO{p}EN" for p in sorted(set(ports))) + ")"
    return constants | receive_constants(facts, uart, vectors)


def pin_of(facts: Facts, uart: str, line: str, vectors: dict[str, Any]) -> tuple[str, int]:
    """Port letter and pin number, checked against the MCU's own table."""
    place = facts.get("console", line)
    possible = vectors["usart_pins"].get(f"{uart}_{line.upper()}", {})
    if possible.get(place) != facts.get("console", "alternate_function"):
        raise facts.refuse(f"[console] {line} = {place} is not {uart}'s on this MCU", f"possible: {possible}")
    return place[1], int(place[2:])


def receive_constants(facts: Facts, uart: str, vectors: dict[str, Any]) -> dict[str, str]:
    receive = facts.one_of("console", "receive", ("dma", "interrupt"))
    if receive == "interrupt":
        return {"BOARD_CONSOLE_RECEIVE_DMA": "0"}
    controller, stream, channel = vectors["usart_dma"][f"{uart}_RX"][0]
    half = "L" if stream < 4 else "H"
    flags = [f"DMA_{half}IFCR_C{flag}IF{stream}" for flag in ("TC", "HT", "TE", "DME", "FE")]
    constants = {
        "BOARD_CONSOLE_RECEIVE_DMA": "1",
        "BOARD_CONSOLE_DMA_BASE": f"DMA{controller}_BASE",
        "BOARD_CONSOLE_DMA_CLOCK": f"RCC_AHB1ENR_DMA{controller}EN",
        "BOARD_CONSOLE_DMA_CHANNEL": f"{channel}u",
        "BOARD_CONSOLE_DMA_FLAGS": f"DMA_{half}ISR_OFFSET",
        "BOARD_CONSOLE_DMA_CLEAR": f"DMA_{half}IFCR_OFFSET",
        "BOARD_CONSOLE_DMA_TRANSFER_COMPLETE": f"DMA_{half}ISR_TCIF{stream}",
        "BOARD_CONSOLE_DMA_ALL_FLAGS": "(" + " | ".join(flags) + ")",
    }
    for register in ("CR", "NDTR", "PAR", "M0AR"):
        constants[f"BOARD_CONSOLE_DMA_STREAM_{register}"] = f"DMA_S{stream}{register}_OFFSET"
    return constants
