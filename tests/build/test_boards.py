"""The boards of this project against the MCU's own data, and the register facts against themselves."""

from __future__ import annotations

import itertools
import re
import subprocess

import pytest

from hilgate.build import board_header, linker, registers, vectors
from hilgate.build.layout import check_memories
from hilgate.catalogue import board_names, load_board
from hilgate.errors import ParamsError

FAMILIES = ("stm32f4", "stm32h7", "stm32l4")


@pytest.fixture(scope="module")
def boards(root):
    return {name: load_board(name, root) for name in board_names(root)}


@pytest.fixture(scope="module")
def facts(root):
    return registers.load(root / "firmware/port/stm32f4/registers.toml")


@pytest.fixture(scope="module", params=FAMILIES)
def family(root, request):
    return registers.load(root / f"firmware/port/{request.param}/registers.toml")


def test_every_port_is_checked(root):
    assert {path.parent.name for path in (root / "firmware/port").glob("*/registers.toml")} == set(FAMILIES)


def test_there_are_the_boards_that_params_name(boards):
    assert {"nucleo_f446re", "nucleo_l4r5zi", "qemu_stm32f405", "stm32h747i_disco"} <= set(boards)
    assert "TEMPLATE" not in boards


def test_board_ids_are_unique(boards):
    ids = [board.board_id for board in boards.values()]
    assert sorted(ids) == sorted(set(ids)) and 0 not in ids, "0 is the host port"


def test_memories_are_those_of_the_mcu(boards):
    """Contiguous SRAMs may be one memory of the board; none may be invented."""
    for board in boards.values():
        known = vectors.load_vectors(board)["memories"].values()
        for memory in board.memories:
            inside = [m for m in known if memory.origin <= m["origin"] and m["origin"] + m["bytes"] <= memory.end]
            assert sum(m["bytes"] for m in inside) == memory.bytes, (board.name, memory.name)
            can = {"r": "read", "w": "write", "x": "execute"}
            allowed = set.intersection(*({can[letter] for letter in m["access"]} for m in inside))
            assert set(memory.can) - {"dma"} <= allowed, (board.name, memory.name)


def test_every_board_generates(boards):
    for board in boards.values():
        check_memories(board, vectors.load_vectors(board)["memories"])
        assert "BOARD_CONSOLE_BASE" in board_header.render(board)
        assert f"boards/{board.name}/" in linker.render(board)
        assert "vector_table" in vectors.render(vectors.load_vectors(board))


def test_the_dma_route_is_the_documented_one(boards):
    header = board_header.render(boards["nucleo_f446re"])
    for line in ("DMA_BASE DMA1_BASE", "DMA_CHANNEL 4u", "DMA_STREAM_CR DMA_S5CR_OFFSET", "COMPLETE DMA_HISR_TCIF5"):
        assert line in header, line


def test_the_dma_route_of_the_l4_goes_through_the_multiplexer(boards):
    header = board_header.render(boards["nucleo_l4r5zi"])
    for line in (
        "DMA_BASE DMA1_BASE",
        "DMA_REQUEST 34u",
        "DMAMUX_CHANNEL DMAMUX_C0CR_OFFSET",
        "COMPLETE DMA_ISR_TCIF1",
    ):
        assert line in header, line
    assert "BOARD_CONSOLE_VDDIO2 1" in header, "its console is on port G"


@pytest.mark.parametrize(
    ("table", "key", "value", "what"),
    [
        ("option_bytes", "dual_bank", False, "a flash page has 8192 bytes"),
        ("clock", "hz", 110_000_000, "its pll makes 120000000"),
        ("clock", "pll", {"m": 2, "n": 45, "r": 2}, "8000000 Hz into the VCO, 360000000 Hz out of it"),
        ("clock", "pll", {"m": 1, "n": 7, "r": 2}, "a divider is out of range"),
        ("clock", "flash_wait_states", 4, "120000000 Hz needs 5"),
        ("clock", "source", "hse_pll", "`hse_pll` is not known"),
        ("clock", "apb1_divider", 3, "apb1_divider is 3"),
        ("console", "receive", "interrupt", "`interrupt` is not known"),
        ("console", "tx", "PG9", "PG9 is not LPUART1's"),
        ("console", "uart", "USART1", "`USART1` is not known"),
    ],
)
def test_facts_that_the_l4_cannot_do_are_refused(root, table, key, value, what):
    board = load_board("nucleo_l4r5zi", root)
    board.tables[table][key] = value
    with pytest.raises(ParamsError, match=re.escape(what)):
        board_header.render(board)


def test_fields_fit_and_do_not_overlap(family):
    count = 0
    for block, entries in family["block"].items():
        for name, register in entries.items():
            places = sorted(register.get("fields", {}).values())
            for (low, width), (next_low, _) in itertools.pairwise(places):
                assert low + width <= next_low, (block, name)
            assert not places or sum(places[-1]) <= 32, (block, name)
            count += len(places)
    assert count > 700


def test_registers_lie_inside_their_peripherals(family):
    ends = sorted((p["base"], p["base"] + p["bytes"], name) for name, p in family["peripheral"].items())
    for (_, end, name), (start, _, other) in itertools.pairwise(ends):
        assert end <= start or {name, other} & {"SYSTICK", "NVIC", "SCB", "COREDEBUG"}, (name, other)
    for name, peripheral in family["peripheral"].items():
        last = max(register["offset"] for register in family["block"][peripheral["block"]].values())
        assert last + 4 <= peripheral["bytes"], name


def test_the_header_compiles_on_its_own(facts, tmp_path):
    (tmp_path / "registers.h").write_text(registers.render(facts, "stm32f446re"), "utf-8")
    (tmp_path / "use.c").write_text('#include "registers.h"\nint x = RCC_CR_PLLRDY >> RCC_CR_PLLRDY_POS;\n', "utf-8")
    subprocess.run(["gcc", "-Wall", "-Werror", "-c", "use.c", "-o", "use.o"], cwd=tmp_path, check=True)


def test_the_header_of_another_mcu_has_what_that_mcu_has(facts):
    ours, theirs = registers.render(facts, "stm32f446re"), registers.render(facts, "stm32f405rg")
    assert "#define PWR_CR_VOS 0x0000C000u" in ours and "#define PWR_CR_VOS 0x00004000u" in theirs
    assert "PWR_CR_ODEN" in ours and "PWR_CR_ODEN" not in theirs
    assert "RCC_DCKCFGR_OFFSET" in ours and "RCC_DCKCFGR_OFFSET" not in theirs
    assert "#define FLASH_ACR_LATENCY 0x00000007u" in theirs
