"""Arrays in files: .npz archives whose bytes depend on nothing but the arrays, and the fingerprint of arrays."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hilgate.artifacts import atomic_write
from hilgate.errors import ArtifactError

if TYPE_CHECKING:
    import numpy as np

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can hold


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays (C order, little-endian, names sorted, stored without compression) atomically."""
    import numpy as np

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy", ZIP_TIME)
            member.create_system = 3  # the same on every host
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, canonical(arrays[name]), version=(1, 0), allow_pickle=False)
    atomic_write(path, buffer.getvalue())


def read_npz(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Read the named arrays. Raises ArtifactError: missing, damaged, or without one of the names."""
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except Exception as error:  # a damaged file makes numpy, zipfile, zlib and tokenize raise their own classes
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ArtifactError(
            f"not a readable .npz file: {reason}", where=str(path), hint="delete it and make it again"
        ) from error


def canonical(array: np.ndarray) -> np.ndarray:
    """The same values, contiguous and little-endian."""
    import numpy as np

    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def fingerprint(*arrays: np.ndarray) -> str:
    """SHA-256 over dtype, shape and bytes of each array, as 64 hex digits."""
    digest = hashlib.sha256()
    for array in map(canonical, arrays):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
