"""What is to be measured: the files that other rooms made for one cell, checked to belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.arrays import read_npz
from hilgate.artifacts import needed, read_json
from hilgate.catalogue import Board, load_board
from hilgate.errors import ArtifactError
from hilgate.hashing import ImageHashes, image_hashes, sha256_of
from hilgate.params import Params
from hilgate.run.hostmodel import host_library

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Subject:
    """One cell's inputs. Of the test set: x int8 (N, input_bytes), expected int8 (N, output_bytes), labels (N, ...)."""

    cell: str
    task: str
    board: Board
    elf: Path
    library: Path
    sizes: dict[str, Any]
    model: dict[str, Any]
    dataset_hash: str
    hashes: ImageHashes
    x: np.ndarray
    expected: np.ndarray
    labels: np.ndarray

    @property
    def layer_names(self) -> list[str]:
        return [layer["name"] for layer in self.model["layers"]]


def load_subject(cell: str, params: Params, root: Path) -> Subject:
    """Read and check. Raises ArtifactError when a file is missing, or belongs to another build than the others."""
    item = params.cell(cell)
    elf = needed(root, "build.elf", cell)
    sizes = read_json(needed(root, "build.sizes", cell), "sizes")
    model = read_json(needed(root, "compile.model", item.task), "model")
    facts = read_json(needed(root, "data.facts", item.task), "facts")
    vectors = read_npz(needed(root, "compile.vectors", item.task), ("input", "expected", "label"))
    hashes = image_hashes(elf)
    _check_build(cell, elf, sizes, model, hashes)
    _check_vectors(needed(root, "compile.vectors", item.task), vectors, model)
    return Subject(
        cell=cell,
        task=item.task,
        board=load_board(item.board, root),
        elf=elf,
        library=host_library(needed(root, "compile.folder", item.task), model, root / ".cache" / "run" / cell),
        sizes=sizes,
        model=model,
        dataset_hash=facts["splits"]["test"]["sha256"],
        hashes=hashes,
        x=vectors["input"],
        expected=vectors["expected"],
        labels=vectors["label"],
    )


def _check_build(cell: str, elf: Path, sizes: dict[str, Any], model: dict[str, Any], hashes: ImageHashes) -> None:
    again = f"make them again with `hilgate build {cell}`, or `dvc repro`"
    if hashes.image != hashes.slot:
        raise ArtifactError("the image's bytes do not match the hash in its header", where=str(elf), hint=again)
    if sizes["hashes"]["elf"] != sha256_of(elf) or sizes["hashes"]["image"] != hashes.image.hex():
        raise ArtifactError("sizes.json belongs to another firmware.elf", where=str(elf), hint=again)
    if (model["architecture_hash"], model["weights_hash"]) != (hashes.architecture.hex(), hashes.weights.hex()):
        raise ArtifactError("the firmware was built from another compiled model", where=str(elf), hint=again)


def _check_vectors(path: Path, vectors: dict[str, np.ndarray], model: dict[str, Any]) -> None:
    n = len(vectors["label"])
    due = {"input": (n, model["input"][0]["bytes"]), "expected": (n, model["output"][0]["bytes"])}
    for name, shape in due.items():
        array = vectors[name]
        if n == 0 or array.shape != shape or array.dtype.kind not in "iu" or array.dtype.itemsize != 1:
            what = f"`{name}` is {array.dtype} {array.shape} where int8 {shape} is due"
            raise ArtifactError(what, where=str(path), hint="make it again with `hilgate compile`")
