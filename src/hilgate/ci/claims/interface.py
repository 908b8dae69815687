"""How a model is spoken to, as its model.json declares: tensors in the arena, scales, names of layers.

The declaration is a claim that can only hurt itself: main's inputs are quantized by it and outputs read by it, so a
false one makes the very image it describes score badly (docs/decisions/0011-what-a-claim-may-declare.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilgate.errors import ClaimError, TaskError

if TYPE_CHECKING:
    import numpy as np

    from hilgate.task import Metric

LONGEST_NAME = 200
LONGEST_WORD = 300
MOST_LAYERS = 4000
LARGEST_TENSOR_BYTES = 16 * 1024 * 1024
ORDER_SAMPLES = 256  # on which two possible orders of an input are told apart


@dataclass(frozen=True)
class Tensor:
    """An int8 tensor of one sample in the arena. shape: without the batch."""

    shape: tuple[int, ...]
    scale: float
    zero_point: int
    offset: int
    bytes: int


@dataclass(frozen=True)
class Interface:
    """One input, one output, the bytes of the arena, and the layers' names in order."""

    input: Tensor
    output: Tensor
    arena_bytes: int
    layers: tuple[str, ...]


def check_interface(model: dict[str, Any]) -> Interface:
    """The interface of a checked model.json. Raises ClaimError when no such model can be."""
    where = "model.json"
    if len(model["input"]) != 1 or len(model["output"]) != 1:
        raise ClaimError("a task's model has one input and one output", where=where)
    names = tuple(str(layer["name"]) for layer in model["layers"])
    if not 0 < len(names) <= MOST_LAYERS or any(len(name) > LONGEST_NAME for name in names):
        raise ClaimError(f"{len(names)} layers, or a name of more than {LONGEST_NAME} letters", where=where)
    tensors = [_tensor(model[side][0], model["arena_bytes"], f"{where}: {side}") for side in ("input", "output")]
    return Interface(tensors[0], tensors[1], int(model["arena_bytes"]), names)


def check_words(node: Any, where: str) -> None:
    """Every text of a document is as short as names are. Raises ClaimError."""
    texts = [*node, *node.values()] if isinstance(node, dict) else node if isinstance(node, list) else ()
    for item in texts:
        if isinstance(item, str) and len(item) > LONGEST_WORD:
            raise ClaimError(f"a text of {len(item)} letters, more than {LONGEST_WORD} are refused", where=where)
        check_words(item, where)


def _tensor(stated: dict[str, Any], arena_bytes: int, where: str) -> Tensor:
    shape, scale, zero = tuple(stated["shape"]), float(stated["scale"]), stated["zero_point"]
    size = math.prod(shape) if len(shape) <= 8 else 0
    if shape[:1] != (1,) or not 0 < size == stated["bytes"] <= LARGEST_TENSOR_BYTES:
        raise ClaimError(
            f"shape {list(shape)[:9]} and {stated['bytes']} bytes are no int8 tensor of one sample", where=where
        )
    if not (math.isfinite(scale) and 1e-12 < scale < 1e12) or not -128 <= zero <= 127:
        raise ClaimError(f"scale {scale:g} and zero point {zero} are no quantization to int8", where=where)
    if stated["offset"] + stated["bytes"] > arena_bytes:
        raise ClaimError("it lies outside the arena", where=where)
    return Tensor(shape[1:], scale, zero, stated["offset"], stated["bytes"])


def orders_of(shape: tuple[int, ...], interface: Interface) -> list[tuple[int, ...]]:
    """Ways to bring a sample of `shape` into the input's order: as it is, or channels first to channels last."""
    target = interface.input.shape
    found: list[tuple[int, ...]] = []
    if len(shape) == 3 and (shape[1], shape[2], shape[0]) == target:
        found.append((1, 2, 0))
    if math.prod(shape) == math.prod(target) and (len(shape) != len(target) or shape == target or not found):
        found.append(tuple(range(len(shape))))
    return found


def quantized(real: np.ndarray, order: tuple[int, ...], tensor: Tensor) -> np.ndarray:
    """Preprocessed samples (N, ...) float32 -> int8 (N, bytes), rounded half to even as ONNX's QuantizeLinear does."""
    import numpy as np

    from hilgate.compile import arithmetic

    ordered = real.transpose(0, *(axis + 1 for axis in order)).reshape(len(real), -1)
    return np.ascontiguousarray(arithmetic.quantize(ordered, tensor.scale, tensor.zero_point)).astype(np.int8)


def scores(outputs: np.ndarray, labels: np.ndarray, tensor: Tensor, metric: Metric) -> np.ndarray:
    """The metric of every sample, float64 (N,), of raw outputs int8 (N, bytes). Raises ClaimError: not finite."""
    import numpy as np

    levels = outputs.reshape(len(outputs), *tensor.shape).astype(np.float32)
    real = (levels - np.float32(tensor.zero_point)) * np.float32(tensor.scale)
    try:
        values = np.asarray(metric.per_sample(real, labels), dtype=np.float64)
    except (ValueError, IndexError, TypeError, TaskError) as error:
        raise ClaimError(f"main's metric cannot read outputs of shape {tensor.shape}: {error}") from error
    if values.shape != (len(outputs),) or not np.isfinite(values).all():
        raise ClaimError(f"main's metric gives no finite score for outputs of shape {tensor.shape}")
    return values
