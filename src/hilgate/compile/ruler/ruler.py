"""A bare Cortex-M4 image of one model, for measuring the engine alone: `scripts/ruler FILE` makes
build/ruler/<stem>.elf.

The image exports `bm_reset()`, `bm_init()` and `bm_invoke()` (0: fine, one inference) and the words `bm_in_ptr`,
`bm_in_len`, `bm_out_ptr`, `bm_out_len`, which bm_init fills: raw int8 tensors. Flash is at 0x08000000, RAM at
0x20000000.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from hilgate.compile.compile import Compiled, compile_model
from hilgate.compile.options import Options
from hilgate.errors import BuildError, ModelError, ToolMissingError

HERE = Path(__file__).parent
COMPILER = "arm-none-eabi-gcc"
CPU = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-ffreestanding")
LINK = ("-nostartfiles", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections,--no-warn-rwx-segments")


def make_image(model: Path, folder: Path, options: Options | None = None) -> tuple[Path, Compiled]:
    """Compile `model` into folder/<stem>/ and link folder/<stem>.elf. Raises ModelError, ToolMissingError,
    BuildError.
    """
    sources = folder / model.stem
    compiled = compile_model(model, sources, options)
    if len(compiled.graph.inputs) != 1 or len(compiled.graph.outputs) != 1:
        raise ModelError("the ruler measures models with one input and one output", where=str(model))
    image = folder / f"{model.stem}.elf"
    files = [str(HERE / "ruler.c"), str(sources / "model.c"), str(sources / "weights.c")]
    command = [
        COMPILER,
        *CPU,
        *FLAGS,
        *LINK,
        f"-T{HERE / 'ruler.ld'}",
        f"-I{sources}",
        "-o",
        str(image),
        *files,
        "-lgcc",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ToolMissingError(f"{COMPILER} is not installed", where="PATH", hint="see `hilgate doctor`") from error
    if done.returncode != 0:
        raise BuildError(done.stderr.strip()[-2000:] or "the linker refused", where=str(image))
    return image, compiled
