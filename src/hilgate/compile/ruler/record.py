"""What whole models cost on the ruler, as rows of a CSV file: instructions, cycles, flash, RAM, stack, arena.

rows = measure_all(Path("model.tflite"), folder)
write(Path("measured.csv"), rows)
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from hilgate.artifacts import atomic_write
from hilgate.compile.options import Options
from hilgate.compile.reference import run_reference
from hilgate.compile.ruler.count import count, noise
from hilgate.compile.ruler.ruler import make_image
from hilgate.errors import BuildError

CHOICES = ((True, "speed"), (False, "speed"), (False, "size"), (False, "ram"))  # updatable, optimize


@dataclass(frozen=True)
class Row:
    """One model under one choice. macs: as the field counts them, for the whole model; run_macs: what is left after
    passes. flash and RAM: of the whole image.
    """

    model: str
    updatable: bool
    optimize: str
    macs: int
    run_macs: int
    instructions: int
    cycles: int
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    arena_bytes: int

    @property
    def key(self) -> tuple[str, bool, str]:
        return self.model, self.updatable, self.optimize

    @property
    def cycles_per_mac(self) -> float:
        return self.cycles / self.macs


def measure(model: Path, folder: Path, options: Options, macs: int = 0) -> Row:
    """Compile, link, run and count one model; its output must be the reference's.

    macs: of the whole model (default: those that run). Raises ModelError, ToolMissingError, BuildError.
    """
    image, compiled = make_image(model, folder, options)
    counted = count(image)
    name = compiled.graph.inputs[0]
    tensor = compiled.graph.tensors[name]
    array = np.frombuffer(noise(tensor.bytes), np.int8).reshape(1, *tensor.shape)
    if run_reference(compiled.graph, {name: array})[0].tobytes() != counted.output:
        raise BuildError("the image's output is not the reference's, so its cycles mean nothing", where=str(image))
    return Row(
        model.stem,
        options.updatable,
        options.optimize,
        macs or compiled.model["macs"],
        compiled.model["macs"],
        counted.instructions,
        counted.cycles,
        counted.flash_bytes,
        counted.ram_bytes,
        counted.stack_bytes,
        compiled.model["arena_bytes"],
    )


def measure_all(model: Path, folder: Path) -> list[Row]:
    """One row for each of CHOICES."""
    rows: list[Row] = []
    for updatable, optimize in CHOICES:
        options = Options(optimize, updatable)
        rows.append(measure(model, folder / f"{updatable}_{optimize}", options, rows[0].macs if rows else 0))
    return rows


def read(path: Path) -> list[Row]:
    """The rows of a file that `write` made; none when there is no file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(line) for line in csv.DictReader(file)]


def _row(line: dict[str, str]) -> Row:
    numbers = [int(line[field.name]) for field in fields(Row)[3:]]
    return Row(line["model"], line["updatable"] == "True", line["optimize"], *numbers)


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows in order of their keys."""
    lines = [",".join(field.name for field in fields(Row))]
    lines += [",".join(map(str, asdict(row).values())) for row in sorted(rows, key=lambda row: row.key)]
    atomic_write(path, "".join(f"{line}\n" for line in lines).encode())
