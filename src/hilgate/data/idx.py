"""The idx format of the MNIST family, read strictly.

Bytes 0-1 are zero, byte 2 is the type (0x08: unsigned byte), byte 3 the number of dimensions; then one big-endian u32
for each dimension; then the items, last dimension fastest. Source: the format section of the original MNIST page.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from hilgate.errors import DataError

if TYPE_CHECKING:
    import numpy as np

UNSIGNED_BYTE = 0x08


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """uint8 array of that many dimensions. Raises DataError: unreadable, wrong magic, wrong length."""
    import numpy as np

    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from error
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise DataError(f"{len(content)} bytes are too short for an idx header", where=str(path))
    expected = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if content[:4] != expected:
        raise DataError(
            f"wrong magic {content[:4].hex()}, expected {expected.hex()}",
            where=str(path),
            hint="not the idx file it should be",
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if math.prod(shape) != len(content) - header:
        raise DataError(f"its header says {shape}, but {len(content) - header} bytes follow", where=str(path))
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)
