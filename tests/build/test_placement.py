"""Code, weights and arena where [layout] wants them: stored in flash, counted twice, refused where they cannot be."""

from __future__ import annotations

import pytest
from elftools.elf.elffile import ELFFile

from hilgate.build import linker, placement
from hilgate.build.image import segments, symbols
from hilgate.errors import DoesNotFitError, ParamsError
from hilgate.hashing import image_hashes

FLASH, SRAM, CCM, WEIGHTS = 0x0800_0000, 0x2000_0000, 0x1000_0000, 0x0802_0000
CCM_MEMORY = """[[memory]] # modm: port/stm32f4/vectors_stm32f405rg.toml
name = "ccm"
kind = "ram"
origin = 0x1000_0000
bytes = 0x1_0000
can = ["read", "write"]

[clock]"""


def layout(*lines: str) -> tuple[str, str]:
    return "[virtual]", "\n".join([*lines, "", "[virtual]"])


@pytest.fixture
def with_ccm(board_with):
    """The STM32F405 with its core-coupled memory, which neither executes nor takes DMA (QEMU's has none)."""
    return lambda *lines: board_with(("[clock]", CCM_MEMORY), layout(*lines), name="qemu_stm32f405")


def sections(elf):
    with elf.open("rb") as file:
        return {s.name: (s["sh_addr"], s["sh_size"]) for s in ELFFile(file).iter_sections() if s["sh_flags"] & 2}


@pytest.fixture
def hot(build, board_with, model):
    return build(model, board_with(layout('hot_code = "sram"', 'hot_weights = "sram"')))


@pytest.mark.arm
def test_hot_code_is_stored_in_flash_and_runs_in_ram(hot, image):
    at = sections(hot.elf)
    code = next(s for s in segments(hot.elf) if s.run == at[".kernels"][0])
    assert SRAM <= code.run < SRAM + 0x2_0000 and FLASH < code.load < WEIGHTS and code.load % 4 == 0
    names = symbols(hot.elf)
    assert all(names[name] > SRAM for name in ("model_run", "model_profile", "model_check"))
    assert names["image_start"] < code.load and code.load + code.file_bytes <= names["image_end"]
    assert names["stack_bottom"] == SRAM and at[".arena"] == sections(image.elf)[".arena"], "what was there stays"


@pytest.mark.arm
def test_the_hash_covers_what_is_stored(hot, tmp_path):
    found = image_hashes(hot.elf)
    assert found.image == found.slot == bytes.fromhex(hot.image_hash)
    data = bytearray(hot.elf.read_bytes())
    code = next(s for s in segments(hot.elf) if s.run == sections(hot.elf)[".kernels"][0])
    data[code.offset + 4] ^= 1
    (tmp_path / "changed.elf").write_bytes(data)
    assert image_hashes(tmp_path / "changed.elf").image != found.image


@pytest.mark.arm
def test_weights_keep_their_place_and_their_symbol(hot, model, read_load):
    blob = (model / "weights.bin").read_bytes()
    assert read_load(hot.elf, WEIGHTS, WEIGHTS + len(blob)) == blob
    names = symbols(hot.elf)
    assert names["model_weights"] == WEIGHTS and names["hot_weights"] % 16 == 0
    assert sections(hot.elf)[".hot_weights"] == (names["hot_weights"], len(blob))


@pytest.mark.arm
def test_sizes_count_both_places_and_the_stack_is_the_same(hot, image):
    flash, ram = hot.sizes["flash"], hot.sizes["ram"]
    assert flash["weights_bytes"] == 176 and flash["total_bytes"] - image.sizes["flash"]["total_bytes"] < 256
    moved = flash["kernels_bytes"] + flash["weights_bytes"]
    assert ram["static_bytes"] - image.sizes["ram"]["static_bytes"] == moved
    assert ram["stack_worst_bytes"] == image.sizes["ram"]["stack_worst_bytes"]
    assert hot.sizes["stack_path"] == image.sizes["stack_path"], "a call through a veneer is a call"
    rows = {row["name"]: row["memory"] for row in hot.sizes["symbols"]}
    assert (rows["model_run"], rows["model_weights"], rows["main"]) == ("sram", "flash", "flash")


NAKED = """static __attribute__((naked, noinline)) void pushes(void) {
    __asm volatile("push {r4-r11, lr}\\n\\tbl memcmp\\n\\tpop {r4-r11, pc}");
}
"""


@pytest.mark.arm
def test_the_stack_behind_a_veneer_counts(build, board_with, model_with):
    """Assembly in RAM that calls into flash: GCC knows nothing of it, and the code shows a veneer."""
    start = "static void layer_0(const uint8_t *weights, uint8_t *arena) {"
    folder = model_with(("/** y[o]", f"{NAKED}\n/** y[o]"), (start, f"{start}\n    pushes();"))
    hot = build(folder, board_with(layout('hot_code = "sram"')))
    assert "__memcmp_veneer" in {row["name"] for row in hot.sizes["symbols"]}
    path = hot.sizes["stack_path"]
    assert path[path.index("pushes (36)") + 1].startswith("memcmp"), path


def test_nothing_moves_unless_the_board_says_so(board):
    placed = placement.place(board, 16, 176)
    assert not placed.copies and "model_weights" in placement.header(placed)
    assert "placements" not in linker.render(board) and "hot" not in linker.render(board)


def test_a_budget_keeps_large_weights_in_flash(board_with):
    board = board_with(layout('hot_weights = "sram"', "hot_weights_max_bytes = 1000"))
    assert placement.place(board, 16, 1000).hot_weights and not placement.place(board, 16, 1001).hot_weights


@pytest.mark.arm
def test_ccm_takes_the_arena_and_the_weights(build, with_ccm, model):
    built = build(model, with_ccm('arena = "ccm"', 'hot_weights = "ccm"'))
    at = sections(built.elf)
    assert at[".arena"] == (CCM, 16) and at[".hot_weights"] == (CCM + 16, 176)
    assert at[".stack"][0] == SRAM and at[".dma_buffers"][0] >= SRAM
    assert built.sizes["ram"]["arena_bytes"] == 16


@pytest.mark.parametrize(
    ("line", "word", "hint"),
    [
        ('hot_code = "ccm"', "layout.hot_code: memory `ccm` cannot execute", "that can: sram"),
        ('hot_code = "itcm"', "layout.hot_code: there is no RAM `itcm`", "sram, ccm"),
        ('hot_weights = "flash"', "layout.hot_weights: there is no RAM `flash`", "sram, ccm"),
        ('arena = "dtcm"', "layout.arena: there is no RAM `dtcm`", "sram, ccm"),
    ],
)
def test_memories_that_cannot(with_ccm, line, word, hint):
    with pytest.raises(ParamsError, match=word) as error:
        placement.place(with_ccm(line))
    assert hint in error.value.hint and "board.toml" in error.value.where


@pytest.mark.arm
@pytest.mark.parametrize(
    ("key", "edit"),
    [
        ("hot_weights", ("weights.c", "model_weights[]", "model_weights[70000]")),
        ("arena", ("model.h", "ARENA_BYTES 16u", "ARENA_BYTES 70000u")),
    ],
)
def test_what_moved_does_not_fit(build, with_ccm, model_with, key, edit):
    file, old, new = edit
    word = "ccm needs 70,000 bytes, the board has 65,536 for it: 4,464 too many"
    with pytest.raises(DoesNotFitError, match=word) as error:
        build(model_with((old, new), file=file), with_ccm(f'{key} = "ccm"'))
    assert f"layout.{key}" in error.value.hint
