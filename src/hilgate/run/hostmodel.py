"""The compiled C on this computer, called through ctypes: the same sources as in the firmware."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.errors import ArtifactError
from hilgate.hostc import build_host_library

if TYPE_CHECKING:
    import numpy as np

ALIGNMENT = 16  # of the arena's base: docs/architecture.md
LAYER_FUNCTION = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint8), ctypes.c_uint32
)


def host_library(folder: Path, model: dict[str, Any], cache: Path) -> Path:
    """The C folder as a library of this computer, in `cache`; made again when a file of the folder has changed.

    Raises ToolMissingError, BuildError.
    """
    listed = json.dumps([model["files"], model["architecture_hash"], model["weights_hash"]], sort_keys=True)
    path = cache / f"libmodel-{hashlib.sha256(listed.encode()).hexdigest()[:16]}.so"
    if not path.exists():
        building = build_host_library(folder.resolve(), path.with_suffix(f".{os.getpid()}"))
        building.replace(path)
    return path


class HostModel:
    """The model of one cell. Raises ArtifactError when the library cannot be loaded or refuses its weights."""

    def __init__(self, library: Path, model: dict[str, Any]) -> None:
        try:
            self._library = ctypes.CDLL(str(library.resolve()))
            self._weights = (ctypes.c_uint8 * model["weights_bytes"]).in_dll(self._library, "model_weights")
            self._functions = [getattr(self._library, f"model_{name}") for name in ("check", "run", "profile")]
        except (OSError, AttributeError, ValueError) as error:
            hint = "delete it; `hilgate run` makes it again"
            raise ArtifactError(f"cannot be loaded: {error}", where=str(library), hint=hint) from error
        self._check, self._run, self._profile = self._functions
        self._check.restype = ctypes.c_int32
        self._run.restype = self._profile.restype = None
        self._input, self._output = model["input"][0], model["output"][0]
        self._memory = (ctypes.c_uint8 * (model["arena_bytes"] + ALIGNMENT))()
        address = ctypes.addressof(self._memory)
        self._arena = address + -address % ALIGNMENT
        verdict = self._check(self._weights, ctypes.c_uint32(model["weights_bytes"]))
        if verdict != 0:
            raise ArtifactError(f"the weights break rule {verdict} of model_check", where=str(library))

    def run(self, x: np.ndarray) -> bytes:
        """One input (input_bytes,) -> the output's bytes."""
        self._load(x)
        self._run(self._weights, ctypes.c_void_p(self._arena))
        return ctypes.string_at(self._arena + self._output["offset"], self._output["bytes"])

    def layer_crcs(self, x: np.ndarray) -> list[int]:
        """CRC-32 of each layer's output, as the firmware's `profile` computes it."""
        found: list[int] = []

        def after(_context: int, _layer: int, output: Any, count: int) -> None:
            found.append(zlib.crc32(ctypes.string_at(output, count)))

        self._load(x)
        self._profile(self._weights, ctypes.c_void_p(self._arena), LAYER_FUNCTION(after), None)
        return found

    def _load(self, x: np.ndarray) -> None:
        ctypes.memmove(self._arena + self._input["offset"], x.tobytes(), self._input["bytes"])
