"""board.h: what the port's C code needs of board.toml, as constants in the names of registers.h."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilgate.build import board_stm32l4
from hilgate.build.board_clock import clock_constants
from hilgate.build.board_facts import Facts
from hilgate.build.board_pins import pin_of
from hilgate.build.layout import region
from hilgate.build.vectors import load_vectors
from hilgate.catalogue import Board
from hilgate.errors import ParamsError

COUNTERS = ("dwt", "none")


@dataclass(frozen=True)
class Gates:
    """RCC's registers that open the clocks of ports and of the UARTs of APB1; whether a DMAMUX routes the requests."""

    ports: str
    apb1: str
    mux: bool


GATES = {"stm32f4": Gates("AHB1ENR", "APB1ENR", mux=False), "stm32h7": Gates("AHB4ENR", "APB1LENR", mux=True)}
WATCHDOG_MAX_MS = 4096  # one count a millisecond, twelve bits: IWDG_RLR


def render(board: Board) -> str:
    """The text of board.h."""
    facts = Facts(board)
    clock, console = BY_FAMILY.get(board.family, (clock_constants, console_constants))
    constants = {
        "BOARD_ID": f"{board.board_id}u",
        **clock(facts),
        **console(facts),
        "BOARD_COUNTER": f"PROTOCOL_COUNTER_{facts.one_of('counter', 'kind', COUNTERS).upper()}",
        "BOARD_UID_ADDRESS": f"0x{facts.number('identity', 'uid_address', 0, 0xFFFF_FFFC, default=0):08X}u",
        **uncached_constants(board),
        "BOARD_WATCHDOG_MS": f"{facts.number('watchdog', 'timeout_ms', 1, WATCHDOG_MAX_MS)}u",
    }
    lines = [f"/* Generated from boards/{board.name}/board.toml. */", "#ifndef BOARD_H", "#define BOARD_H", ""]
    lines += ['#include "protocol.h"', '#include "registers.h"', ""]
    lines += [f"#define {name} {value}" for name, value in constants.items()]
    return "\n".join([*lines, "", "#endif", ""])


def uncached_constants(board: Board) -> dict[str, str]:
    """Where DMA buffers are, as a region of the MPU: base and logarithm of its size; nothing without a data cache."""
    if board.family != "stm32h7":
        return {}
    memory = region(board, "ram", "read", "write", "dma")
    log2 = (memory.bytes - 1).bit_length()
    if memory.origin % (1 << log2):
        where = str(board.folder / "board.toml")
        raise ParamsError(f"memory `{memory.name}` does not start at a multiple of {1 << log2:#x}", where=where)
    return {"BOARD_UNCACHED_BASE": f"0x{memory.origin:08X}u", "BOARD_UNCACHED_LOG2": f"{log2}u"}


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
    gates = GATES[facts.board.family]
    gate = gates.apb1 if bus == "1" else "APB2ENR"
    constants["BOARD_CONSOLE_CLOCK_REGISTER"] = f"(RCC_BASE + RCC_{gate}_OFFSET)"
    constants["BOARD_CONSOLE_CLOCK"] = f"RCC_{gate}_{uart}EN"
    ports = []
    for line in ("tx", "rx"):
        port, pin = pin_of(facts, uart, line, vectors)
        ports.append(port)
        constants[f"BOARD_CONSOLE_{line.upper()}_GPIO"] = f"GPIO{port}_BASE"
        constants[f"BOARD_CONSOLE_{line.upper()}_PIN"] = f"{pin}u"
    opened = " | ".join(f"RCC_{gates.ports}_GPIO{port}EN" for port in sorted(set(ports)))
    constants["BOARD_CONSOLE_PIN_CLOCKS"] = f"({opened})"
    return constants | receive_constants(facts, uart, vectors)


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
        **_request_constants(facts, controller, stream, channel),
        "BOARD_CONSOLE_DMA_FLAGS": f"DMA_{half}ISR_OFFSET",
        "BOARD_CONSOLE_DMA_CLEAR": f"DMA_{half}IFCR_OFFSET",
        "BOARD_CONSOLE_DMA_TRANSFER_COMPLETE": f"DMA_{half}ISR_TCIF{stream}",
        "BOARD_CONSOLE_DMA_ALL_FLAGS": "(" + " | ".join(flags) + ")",
    }
    for register in ("CR", "NDTR", "PAR", "M0AR"):
        constants[f"BOARD_CONSOLE_DMA_STREAM_{register}"] = f"DMA_S{stream}{register}_OFFSET"
    return constants


def _request_constants(facts: Facts, controller: int, stream: int, request: int) -> dict[str, str]:
    """How the UART's request reaches the stream: by a channel of the stream, or through the DMAMUX."""
    if not GATES[facts.board.family].mux:
        return {"BOARD_CONSOLE_DMA_CHANNEL": f"{request}u"}
    channel = 8 * (controller - 1) + stream  # RM0399, DMAMUX1: channels 0-7 are DMA1's streams, 8-15 DMA2's
    return {
        "BOARD_CONSOLE_DMA_REQUEST": f"{request}u",
        "BOARD_CONSOLE_DMAMUX": f"(DMAMUX1_BASE + DMAMUX_C{channel}CR_OFFSET)",
    }


# Families whose clock tree or UART has other registers than the STM32F4's.
BY_FAMILY = {"stm32l4": (board_stm32l4.clock_constants, board_stm32l4.console_constants)}
