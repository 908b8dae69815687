"""sizes.json: its sums hold for every compiler, its exact figures for the pinned one."""

from __future__ import annotations

import ctypes
import re
import struct
import subprocess
import warnings

import pytest

from hilgate.artifacts import read_json, write_json
from hilgate.build.callgraph import read_call_graph
from hilgate.build.code_frames import read_code
from hilgate.build.image import segments
from hilgate.errors import BuildError
from hilgate.hostc import build_host_library
from hilgate.tools import PINNED_ARM_GCC, has_pinned_compiler

pytestmark = pytest.mark.arm


def test_sums_hold(image):
    flash, ram = image.sizes["flash"], image.sizes["ram"]
    assert flash["total_bytes"] == flash["weights_bytes"] + flash["kernels_bytes"] + flash["runtime_bytes"]
    assert ram["total_bytes"] == ram["static_bytes"] + ram["arena_bytes"] + ram["stack_worst_bytes"]
    assert (flash["weights_bytes"], ram["arena_bytes"]) == (176, 16)
    assert (flash["capacity_bytes"], ram["capacity_bytes"]) == (512 * 1024, 128 * 1024)
    loaded = [s for s in segments(image.elf) if s.load < 0x2000_0000]
    assert flash["total_bytes"] == sum(s.file_bytes for s in loaded)


def test_binutils_count_the_same(image):
    """Another witness than pyelftools: readelf's program headers and size's sections, to the byte."""
    flash, ram = image.sizes["flash"], image.sizes["ram"]
    headers = re.findall(
        r"LOAD\s+0x\w+ (0x\w+) (0x\w+) (0x\w+) (0x\w+)", output("arm-none-eabi-readelf", "-lW", image.elf)
    )
    stored = [int(file, 16) for _, load, file, _ in headers if 0x0800_0000 <= int(load, 16) < 0x0808_0000]
    held = [int(memory, 16) for run, _, _, memory in headers if 0x2000_0000 <= int(run, 16) < 0x2002_0000]
    size = {
        name: int(n) for name, n in re.findall(r"^(\.\S+)\s+(\d+)", output("arm-none-eabi-size", "-A", image.elf), re.M)
    }
    assert flash["total_bytes"] == sum(stored)
    assert (flash["weights_bytes"], flash["kernels_bytes"]) == (size[".weights"], size[".kernels"])
    assert flash["runtime_bytes"] == size[".vectors"] + size[".text"] + size[".data"], "no byte without a section"
    assert ram["static_bytes"] + ram["arena_bytes"] == sum(held) + size[".noinit"]
    parts = ram["static_bytes"] - sum(size[name] for name in (".bss", ".noinit", ".data", ".dma_buffers"))
    assert ram["arena_bytes"] == size[".arena"] and 0 <= parts < 16, "padding"


def output(program: str, *arguments: object) -> str:
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True).stdout


def test_exact_with_the_pinned_compiler_bounded_with_others(image):
    """Reviewed numbers: whoever changes them sees it here."""
    flash, ram = image.sizes["flash"], image.sizes["ram"]
    figures = (flash["kernels_bytes"], flash["runtime_bytes"], ram["static_bytes"], ram["stack_worst_bytes"])
    assert image.sizes["toolchain"]["pinned"] == has_pinned_compiler()
    if has_pinned_compiler():
        assert image.sizes["toolchain"]["version"] == PINNED_ARM_GCC
        assert figures == EXACT
    else:
        warnings.warn(f"bounds only: exact figures hold for arm-none-eabi-gcc {PINNED_ARM_GCC}", stacklevel=1)
        assert all(0.7 * exact < got < 1.4 * exact for got, exact in zip(figures, EXACT, strict=True))


EXACT = (528, 8768, 6836, 628)  # kernels, runtime, static RAM, worst stack


def test_every_large_symbol_has_its_memory(image):
    rows = {row["name"]: row for row in image.sizes["symbols"]}
    assert rows["ring"] == {"name": "ring", "section": ".dma_buffers", "memory": "sram", "bytes": 4096}
    assert rows["model_weights"]["section"] == ".weights" and rows["model_weights"]["memory"] == "flash"
    assert rows["arena"]["section"] == ".arena"
    assert all(row["memory"] for row in rows.values())


def test_the_document_fits_the_schema(image, tmp_path):
    path = tmp_path / "sizes.json"
    write_json(path, "sizes", {"cell": "c", "task": "t", **image.sizes})
    assert read_json(path, "sizes")["hashes"]["image"] == image.image_hash


def test_the_stack_path_is_a_chain_of_calls_with_exceptions_on_top(image):
    path, total = image.sizes["stack_path"], image.sizes["ram"]["stack_worst_bytes"]
    assert path[:2] == [p for p in path if p.startswith(("reset_handler", "main"))]
    assert path[-2:] == ["fault (108)", "nmi (108)"]
    assert any(step.startswith("after_layer") for step in path), "the indirect call of model_profile is followed"
    assert sum(int(re.search(r"\((\d+)\)", step)[1]) for step in path) == total


LAYER_0 = "static void layer_0(const uint8_t *weights, uint8_t *arena) {"
SCRATCH = "volatile uint8_t scratch[600];\n    scratch[arena[0]] = 1;\n    arena[1] = scratch[arena[2]];"
RECURSION = """static int32_t again(int32_t n) {
    volatile int32_t m = n;
    return n ? again(m - 1) + m : 0;
}
"""
VARIABLE_ARRAY = """static int32_t again(int32_t n) {
    volatile uint8_t room[n];
    room[0] = 1;
    return room[0];
}
"""


def test_a_deeper_kernel_is_a_deeper_stack(build, image, model_with):
    other = build(model_with((LAYER_0, f"{LAYER_0}\n    {SCRATCH}")))
    grown = other.sizes["ram"]["stack_worst_bytes"] - image.sizes["ram"]["stack_worst_bytes"]
    assert 540 <= grown <= 640


@pytest.mark.parametrize(("code", "word"), [(RECURSION, "recursion"), (VARIABLE_ARRAY, "unknown at compile time")])
def test_a_stack_without_a_bound_is_refused(build, model_with, code, word):
    run = "    layer_0(weights, arena);\n    layer_1"
    folder = model_with(("/** y[o]", f"{code}\n/** y[o]"), (run, f"    if (again(arena[1]) > 9) return;\n{run}"))
    with pytest.raises(BuildError, match=word) as error:
        build(folder)
    assert "model" in error.value.where


def test_gcc_and_the_code_agree_on_every_frame(image):
    """Two witnesses: GCC's own figures, and the instructions that lower sp."""
    figures = {
        f.name: f.bytes for f in read_call_graph(image.elf.parent / "build").functions.values() if f.bytes is not None
    }
    seen = {name: code.bytes for name, code in read_code(image.elf) if name in figures}
    assert len(seen) > 60 and sum(seen.values()) > 1000
    assert seen == {name: figures[name] for name in seen}


NAKED = """static __attribute__((naked, noinline)) void pushes(void) {
    __asm volatile("push {r4-r11, lr}\\n\\tvpush {s16-s31}\\n\\tbl memcmp\\n\\tvpop {s16-s31}\\n\\tpop {r4-r11, pc}");
}
"""


def test_assembly_is_measured_by_its_code(build, model_with):
    """GCC says 0 bytes of a naked function: this one pushes 9 + 16 words, and calls."""
    folder = model_with(("/** y[o]", f"{NAKED}\n/** y[o]"), (LAYER_0, f"{LAYER_0}\n    pushes();"))
    path = build(folder).sizes["stack_path"]
    at = path.index("pushes (100)")
    assert path[at - 1].startswith("layer_0") or path[at - 1].startswith("model_"), path
    assert path[at + 1].startswith("memcmp")


def test_functions_of_libgcc_are_measured_by_their_code(build, model_with):
    """GCC says nothing of what it did not compile: a 64-bit division calls libgcc."""
    divide = "volatile int64_t n = arena[0];\n    arena[1] = (uint8_t)(n / (arena[2] + 1));"
    other = build(model_with((LAYER_0, f"{LAYER_0}\n    {divide}")))
    path = other.sizes["stack_path"]
    frame = next(int(re.search(r"\d+", step)[0]) for step in path if step.startswith("__aeabi_ldivmod"))
    assert frame >= 16, "it saves registers; a frame of 0 would be a guess"
    assert sum(int(re.search(r"\((\d+)\)", step)[1]) for step in path) == other.sizes["ram"]["stack_worst_bytes"]


def test_the_host_library_computes_the_same_model(model, tmp_path):
    library = ctypes.CDLL(str(build_host_library(model, tmp_path / "libmodel.so")))
    weights = (model / "weights.bin").read_bytes()
    assert library.model_check(weights, len(weights)) == 0
    assert library.model_check(weights[:-1] + b"x", len(weights)) == 4
    arena = ctypes.create_string_buffer(bytes([3, 200, 17, 90, 255, 128, 127, 1]), 16)
    library.model_run(weights, arena)
    expected = [
        max(-128, min(127, sum(w * x for w, x in zip(row, hidden(weights), strict=True)) >> 4))
        for row in rows(weights, 112, 6, 4)
    ]
    assert list(struct.unpack("4b", arena.raw[:4])) == expected


def rows(weights: bytes, at: int, inputs: int, outputs: int) -> list[tuple[int, ...]]:
    return [struct.unpack_from(f"{inputs}b", weights, at + o * inputs) for o in range(outputs)]


def hidden(weights: bytes) -> list[int]:
    x = struct.unpack("8b", bytes([3, 200, 17, 90, 255, 128, 127, 1]))
    return [
        max(-128, min(127, sum(w * v for w, v in zip(row, x, strict=True)) >> 4)) for row in rows(weights, 64, 8, 6)
    ]


def test_sections_account_for_flash_and_ram_up_to_padding(image):
    rows, flash, ram = image.sizes["sections"], image.sizes["flash"], image.sizes["ram"]
    sums = {kind: sum(row["bytes"] for row in rows if row["memory"] == kind) for kind in ("flash", "ram")}
    assert 0 <= flash["total_bytes"] - sums["flash"] < 64
    assert 0 <= ram["static_bytes"] + ram["arena_bytes"] - sums["ram"] < 64
    by_name = {(row["name"], row["memory"]): row["bytes"] for row in rows}
    assert by_name[".weights", "flash"] == flash["weights_bytes"]
    assert by_name[".data", "flash"] == by_name[".data", "ram"]
    assert ".stack" not in {row["name"] for row in rows}
