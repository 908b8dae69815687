"""build: the C folder and a board become an image, a host library and the account of their bytes."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.artifacts import artifact, atomic_write, needed, write_json
from hilgate.build import board_header, linker, placement, registers, vectors
from hilgate.build.cmake import CPU_FLAGS, OPTIMIZE, FirmwareProject, build_elf
from hilgate.build.fit import check_stack_fits, explain_misfit
from hilgate.build.image import fill_hash_slot
from hilgate.build.layers import layer_rows
from hilgate.build.layout import check_memories
from hilgate.build.sizes import file_hash, flash_sizes, ram_sizes, section_rows, symbol_rows
from hilgate.build.stack import worst_stack
from hilgate.build.workplace import workplace
from hilgate.catalogue import Board, load_board
from hilgate.console import say
from hilgate.errors import BuildError, ParamsError
from hilgate.params import Params
from hilgate.tools import PINNED_ARM_GCC, has_pinned_compiler, tool_version


@dataclass(frozen=True)
class BuildParams:
    """params.yaml build.<board>. optimize: GCC's level for the whole image."""

    optimize: str = "O2"


@dataclass(frozen=True)
class BuiltImage:
    """elf: the image, hash slot filled; sizes: the content of sizes.json but for cell and task."""

    elf: Path
    image_hash: str
    sizes: dict[str, Any]


def execute(cell: str, params: Params, root: Path) -> None:
    """Build one cell: firmware.elf, sizes.json."""
    where = params.cell(cell)
    board = load_board(where.board, root)
    options = params.section("build", where.board, BuildParams)
    folder = needed(root, "compile.folder", where.task)
    out = root / ".cache" / "build" / cell  # kept: the map, the generated files and the log are worth a look
    with workplace(out):
        image = build_image(board, folder, out, firmware=root / "firmware", optimize=options.optimize)
        atomic_write(artifact(root, "build.elf", cell), image.elf.read_bytes())
        sizes = {"cell": cell, "task": where.task, **image.sizes, "layers": layer_rows(folder)}
        write_json(artifact(root, "build.sizes", cell), "sizes", sizes)
    say(summary(sizes))


def summary(sizes: dict[str, Any]) -> str:
    """One line for the person who watches."""
    flash, ram = sizes["flash"], sizes["ram"]
    text = (
        f"build {sizes['cell']}: flash {flash['total_bytes']:,} of {flash['capacity_bytes']:,} bytes, "
        f"RAM {ram['total_bytes']:,} of {ram['capacity_bytes']:,}, image {sizes['hashes']['image'][:12]}"
    )
    if not sizes["toolchain"]["pinned"]:
        text += (
            f"; {sizes['toolchain']['version']} is not the pinned compiler {PINNED_ARM_GCC}: sizes and cycles differ"
        )
    return text


def build_image(board: Board, model: Path, out: Path, *, firmware: Path, optimize: str = "O2") -> BuiltImage:
    """One image of `model` (a C folder) for `board`, made in `out`, which is emptied first.

    Equal inputs give an equal ELF wherever `out` is. Raises ToolMissingError, ParamsError, BuildError, DoesNotFitError.
    """
    if optimize not in OPTIMIZE:
        raise ParamsError(
            f"optimize `{optimize}` is not known", where=f"build.{board.name}", hint=f"one of {', '.join(OPTIMIZE)}"
        )
    project = prepare(board, model.resolve(), out.resolve(), firmware.resolve(), optimize)
    try:
        linked = build_elf(project)
    except BuildError as error:
        raise explain_misfit(error, board) from error
    elf = Path(shutil.copy(linked, out / "firmware.elf"))
    digest = fill_hash_slot(elf)
    stack = worst_stack(project.build, elf)
    check_stack_fits(stack, board)
    sizes = {
        "board": board.name,
        "flash": flash_sizes(elf, board),
        "ram": ram_sizes(elf, board, stack),
        "stack_path": list(stack.path),
        "sections": section_rows(elf, board),
        "symbols": symbol_rows(elf, board),
        "toolchain": {
            "compiler": "arm-none-eabi-gcc",
            "version": tool_version("arm-none-eabi-gcc"),
            "pinned": has_pinned_compiler(),
            "flags": f"-{optimize} {CPU_FLAGS[board.cpu]}",
        },
        "hashes": {"elf": file_hash(elf), "image": digest.hex()},
    }
    return BuiltImage(elf, digest.hex(), sizes)


def model_bytes(model: Path, what: str) -> int:
    """MODEL_<what>_BYTES of the model's header. Raises BuildError when it is not there."""
    name, path, hint = f"MODEL_{what}_BYTES", model / "model.h", "let `hilgate compile` write the folder again"
    try:
        found = re.search(rf"^#define {name} (\d+)u?", path.read_text("utf-8"), re.MULTILINE)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.reason
        raise BuildError(f"cannot be read: {reason}", where=str(path), hint=hint) from error
    if found is None:
        raise BuildError(f"{name} is not defined", where=str(path), hint=hint)
    return int(found[1])


def prepare(board: Board, model: Path, out: Path, firmware: Path, optimize: str) -> FirmwareProject:
    """Generate what comes from board.toml, and lay out the folders of the build."""
    if board.cpu not in CPU_FLAGS:
        raise ParamsError(
            f"cpu `{board.cpu}` is not known",
            where=str(board.folder / "board.toml"),
            hint=f"one of {', '.join(CPU_FLAGS)}",
        )
    shutil.rmtree(out, ignore_errors=True)
    generated, build = out / "generated", out / "build"
    for folder in (generated, build):
        folder.mkdir(parents=True)
    port = firmware / "port" / board.family
    placed = placement.place(board, model_bytes(model, "ARENA"), model_bytes(model, "WEIGHTS"))
    family, mcu = registers.load(port / "registers.toml"), vectors.load_vectors(board)
    check_memories(board, mcu["memories"])
    texts = {
        "registers.h": registers.render(family, board.mcu.lower()),
        "vectors.c": vectors.render(mcu),
        "board.h": board_header.render(board),
        "placement.h": placement.header(placed),
        "linker.ld": linker.render(board, placed),
    }
    for name, text in texts.items():
        (generated / name).write_text(text, "utf-8")
    return FirmwareProject(firmware, model, generated, board.folder.resolve(), build, board.family, board.cpu, optimize)
