"""ONNX files between rooms: read as hostile input, written without traces of this machine, run one sample at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.artifacts import atomic_write
from hilgate.errors import ArtifactError, ModelError

if TYPE_CHECKING:
    import numpy as np
    import onnx
    import onnxruntime

LIMIT_BYTES = 1 << 28  # larger than any model that an STM32 holds


def load_model(path: Path) -> onnx.ModelProto:
    """Parse and check. Raises ArtifactError: unreadable, too large, no ONNX, or weights kept outside the file."""
    import onnx

    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise ArtifactError(f"larger than {LIMIT_BYTES} bytes", where=str(path))
        model = onnx.load_model_from_string(path.read_bytes())
        if any(onnx.external_data_helper.uses_external_data(tensor) for tensor in model.graph.initializer):
            raise ArtifactError("its weights are kept in another file", where=str(path), hint="save it as one file")
        onnx.checker.check_model(model)
    except OSError as error:
        raise ArtifactError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except ArtifactError:
        raise
    except Exception as error:  # protobuf's and the checker's own classes
        reason = " ".join(str(error).split())[:200]
        raise ArtifactError(f"not a valid ONNX file: {reason}", where=str(path)) from error
    return model


def save_model(path: Path, model: onnx.ModelProto) -> None:
    """Write atomically, without doc strings and metadata: exporters put source paths and stack traces there."""
    strip(model)
    atomic_write(path, model.SerializeToString(deterministic=True))


def strip(model: onnx.ModelProto) -> None:
    """Remove every doc_string and metadata_props, in place, in the model and all its parts."""
    graph = model.graph
    parts: list[Any] = [model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info]
    for function in model.functions:
        parts += [function, *function.node, *function.value_info]
    for part in parts:
        part.ClearField("doc_string")
        part.ClearField("metadata_props")


def open_session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """An onnxruntime session: one thread, no graph optimisation (its fused int8 kernels saturate on some x86 cores)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's classes have no common base
        raise ModelError(f"onnxruntime refuses it: {' '.join(str(error).split())[:200]}") from error


def run_samples(session: onnxruntime.InferenceSession, x: np.ndarray) -> np.ndarray:
    """x (N, ...) through a model of batch 1, sample by sample -> its first output (N, ...)."""
    import numpy as np

    name, first = session.get_inputs()[0].name, [session.get_outputs()[0].name]
    return np.concatenate([session.run(first, {name: x[i : i + 1]})[0] for i in range(len(x))])
