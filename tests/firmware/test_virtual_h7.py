"""The STM32H747's own paths: supply and 400 MHz, caches and the uncached ring, the arena's memory, a locked counter."""

from __future__ import annotations

import io
import re

import pytest
from elftools.elf.elffile import ELFFile

from hilgate.build import board_header
from hilgate.build.build import build_image
from hilgate.build.image import segments
from hilgate.build.placement import arena_region
from hilgate.catalogue import load_board
from hilgate.errors import ParamsError
from hilgate.hashing import image_hashes
from hilgate.link.connect import connect
from hilgate.link.protocol import ClockSource, Counter, ResetCause
from hilgate.virtual.board import VirtualBoard
from hilgate.virtual.elf import load_image
from hilgate.virtual.machine import Options

pytestmark = pytest.mark.arm
BOARD = "stm32h747i_disco"


@pytest.fixture(scope="module")
def board(root):
    return load_board(BOARD, root)


@pytest.fixture(scope="module")
def image(virtual_image):
    return virtual_image(BOARD)


@pytest.fixture
def session(image):
    with connect(f"virtual://{BOARD}?image={image.elf}") as opened:
        yield opened


def test_reaches_400_mhz_from_the_crystal(session, image):
    who = session.identity
    assert (who.clock_source, who.clock_hz) == (ClockSource.HSE_PLL, 400_000_000)
    assert (who.counter, who.reset_cause, who.image_ok) == (Counter.DWT, ResetCause.POWER_ON, 1)
    assert who.uid != bytes(12) and who.image_hash.hex() == image.image_hash


def test_a_dead_crystal_falls_back_to_the_internal_oscillator(image):
    with connect(f"virtual://{BOARD}?image={image.elf}&hse=0") as session:
        who = session.identity
        assert (who.clock_source, who.clock_hz, who.baud) == (ClockSource.HSI_PLL, 400_000_000, 115200)
        assert session.set_baud(921600)


def test_caches_are_on_and_the_ring_is_not_cached(image, root):
    machine = VirtualBoard(BOARD, image.elf, root=root).machine
    machine.run(8_000_000)
    assert machine.scb.caches == (True, True)
    is_cacheable = machine.peripherals["MPU"].is_cacheable
    assert not is_cacheable(load_image(image.elf).symbols["ring"]) and is_cacheable(0x2400_0000)
    assert machine.pwr.get("CR3") & 0x3F == 0b100 and machine.pwr.scale == 1


def test_the_python_hooks_count_the_same(image, root):
    """Start-up with its 512 lines of cache maintenance, PLL and hashes, on two implementations of the cost model."""
    seen = []
    for native in (True, False):
        powered = VirtualBoard(BOARD, image.elf, Options(native=native), root=root)
        powered.run_us(4_000)
        seen.append((powered.cycles, powered.instructions, powered.stalls))
    assert seen[0] == seen[1] and min(seen[0][2]) > 0


def test_each_thing_lies_where_it_must(image, board):
    names, places = load_image(image.elf).symbols, {memory.name: memory for memory in board.memories}

    def lies_in(symbol: str, memory: str) -> bool:
        return places[memory].origin <= names[symbol] < places[memory].end

    assert lies_in("arena", "dtcm") and lies_in("stack_top", "dtcm") and lies_in("fault_stack", "dtcm")
    assert lies_in("ring", "d2_sram"), "DMA1 does not reach the DTCM"
    assert names["stack_bottom"] == places["dtcm"].origin, "an overflow leaves the DTCM, and faults"
    assert names["second_core_vectors"] == 0x0810_0000
    loaded = [s for s in segments(image.elf) if s.load == 0x0810_0000]
    assert len(loaded) == 1 and 64 < loaded[0].file_bytes < 128


def test_another_second_core_is_another_image(image, tmp_path):
    """The Cortex-M4 of ST's demo would take bus cycles while ours is measured."""
    whole, right = image.elf.read_bytes(), image_hashes(image.elf)
    parsed = ELFFile(io.BytesIO(whole))
    segment = next(s for s in parsed.iter_segments() if s["p_paddr"] == 0x0810_0000 and s["p_filesz"])
    changed = bytearray(whole)
    changed[segment["p_offset"] + segment["p_filesz"] - 1] ^= 1
    path = tmp_path / "changed.elf"
    path.write_bytes(changed)
    found = image_hashes(path)
    assert found.slot == right.slot and found.image != right.image
    with connect(f"virtual://{BOARD}?image={path}") as session:
        assert session.identity.image_ok == 0 and session.identity.image_hash == found.image


@pytest.mark.parametrize("stated", [{"kind": "ldo"}, {"kind": ""}, {}])
def test_no_image_is_built_for_a_supply_that_locks_the_board(root, stated):
    board = load_board(BOARD, root)
    board.tables["supply"] = stated
    with pytest.raises(ParamsError, match=r"\[supply\]"):
        board_header.render(board)


def test_a_large_arena_moves_to_the_axi_sram(board, root, model, tmp_path):
    """And runs there: the linker, the sizes and the virtual board agree about it."""
    assert arena_region(board, 100_000).name == "dtcm" and arena_region(board, 120_000).name == "axi_sram"
    assert arena_region(board, 600_000).name == "dtcm", "fits nowhere: the linker says so of the first choice"
    folder = tmp_path / "large"
    folder.mkdir()
    for file in model.folder.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    header = (folder / "model.h").read_text("utf-8")
    (folder / "model.h").write_text(re.sub(r"(MODEL_ARENA_BYTES) \d+u", r"\1 200000u", header), "utf-8")
    built = build_image(board, folder, tmp_path / "out", firmware=root / "firmware")
    assert load_image(built.elf).symbols["arena"] == 0x2400_0000
    assert built.sizes["ram"]["arena_bytes"] == 200_000
    with connect(f"virtual://{BOARD}?image={built.elf}") as session:
        data = bytes(range(8))
        assert session.run_vector(data).output == model.run(data)
