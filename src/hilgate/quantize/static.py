"""Post-training quantization by onnxruntime: QDQ, int8 weights per channel, int8 activations with a zero point."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from hilgate.errors import ModelError
from hilgate.onnxmodel import load_model, strip

if TYPE_CHECKING:
    import numpy as np
    import onnx

METHODS = ("minmax", "percentile")  # onnxruntime's entropy compares 128 bins with 128 levels: it never clips anything
PERCENTILE = 99.99
BESIDES = ("Sub", "Div")  # onnxruntime leaves them in float; a network that normalises its own input begins with them


def quantize(
    model: onnx.ModelProto, samples: np.ndarray, method: str, percentile: float = PERCENTILE
) -> onnx.ModelProto:
    """The int8 QDQ form of a float model of batch 1, with ranges from `samples` (N, ...). Raises ModelError."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    chosen = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile}
    if any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise ModelError("is quantized already", where="quantize", hint="it takes the float model of `hilgate export`")
    with tempfile.TemporaryDirectory(prefix="hilgate-") as scratch, _quiet():
        path = Path(scratch) / "int8.onnx"
        copy = type(model)()
        copy.CopyFrom(model)  # the quantizer changes what it is given
        try:
            quantize_static(
                copy,
                str(path),
                _reader(model.graph.input[0].name, samples),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=chosen[method],
                op_types_to_quantize=sorted({*QDQRegistry, *QLinearOpsRegistry, *BESIDES}),
                extra_options={"CalibPercentile": percentile},
            )
        except Exception as error:  # onnxruntime raises whatever its parts raise
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"onnxruntime cannot quantize it: {reason}", where="quantize") from error
        integer = load_model(path)
    strip(integer)
    return integer


def _reader(name: str, samples: np.ndarray) -> object:
    """One sample at a time, as the model takes them."""
    from onnxruntime.quantization import CalibrationDataReader

    class Samples(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.position = 0

        def get_next(self) -> dict[str, np.ndarray] | None:
            if self.position >= len(samples):
                return None
            self.position += 1
            return {name: samples[self.position - 1 : self.position]}

    return Samples()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the quantizer's advice on the root logger, and what its histograms print."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        logging.disable(before)
