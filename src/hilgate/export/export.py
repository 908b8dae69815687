"""export: trained weights -> float ONNX of batch 1, checked against torch on a golden batch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate import guard
from hilgate.arrays import read_npz
from hilgate.artifacts import artifact, needed
from hilgate.console import say
from hilgate.errors import ArtifactError, ModelError, ParamsError
from hilgate.onnxmodel import open_session, run_samples, save_model
from hilgate.params import Params
from hilgate.task import Task, TrainParams, load_task, make_network

if TYPE_CHECKING:
    import numpy as np
    import onnx
    import torch


@dataclass(frozen=True)
class ExportParams:
    """opset: of ONNX; golden: validation samples to compare; tolerance: largest difference, of the largest output."""

    opset: int
    golden: int
    tolerance: float = 1e-4


def execute(item: str, params: Params, root: Path) -> None:
    """Make artifacts/export/<task>/model.onnx. Raises ArtifactError, ModelError, ParamsError."""
    settings = params.section("export", item, ExportParams)
    if settings.golden < 1:
        raise ParamsError("`golden` must be at least 1", where=f"{params.path}: export.{item}")
    task = load_task(item, root)
    network = trained_network(
        task, params.section("train", item, task.train_params), needed(root, "train.weights", item)
    )
    samples = read_npz(needed(root, "data.validation", item), ("x",))["x"][: settings.golden]
    golden = task.preprocess(samples)
    model = to_onnx(network, golden[:1], settings.opset)
    difference = compare(network, model, golden)
    if difference > settings.tolerance:
        raise ModelError(
            f"the ONNX model differs from torch by {difference:.3g} of the largest output",
            where=f"export.{item}",
            hint=f"more than the tolerance {settings.tolerance:.3g}; look for an operation that the exporter changes",
        )
    save_model(artifact(root, "export.onnx", item), model)
    say(f"export {item}: {len(model.graph.node)} nodes, within {difference:.1e} of torch on {len(golden)} samples")


def trained_network(task: Task, settings: TrainParams, path: Path) -> torch.nn.Module:
    """The task's network with the weights of a safetensors file, ready to infer. Raises ArtifactError, ModelError."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    network = make_network(task, settings)
    try:
        state = load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise ArtifactError(f"not a readable safetensors file: {error}", where=str(path)) from error
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        hint = f"train again: `hilgate train {task.name}`"
        raise ModelError(f"the weights do not fit the network: {reason}", where=str(path), hint=hint) from error
    return network.eval()


def to_onnx(network: torch.nn.Module, example: np.ndarray, opset: int) -> onnx.ModelProto:
    """Through torch's exporter; shapes are static, with the batch of the example. Raises ModelError."""
    import torch

    try:
        with warnings.catch_warnings(), _quiet_torch():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                (torch.from_numpy(example),),
                dynamo=True,
                opset_version=opset,
                input_names=["input"],
                output_names=["output"],
                verbose=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError) as error:
        raise _refused(error) from error
    if program is None:
        raise ModelError("torch exported nothing", where="export")
    model: onnx.ModelProto = program.model_proto
    return model


def _refused(error: BaseException) -> ModelError:
    """What torch says first in a chain of errors is what it was doing; the reason is the innermost."""
    where = guard.place(error)
    while error.__cause__ is not None:
        error = error.__cause__
        where = where or guard.place(error)
    reason = " ".join(str(error).partition("\n\n")[0].split())[:200] or type(error).__name__
    return ModelError(f"torch cannot export it: {reason}", where=where or "export")


@contextmanager
def _quiet_torch() -> Iterator[None]:
    """Without torch's notes about packages that nobody needs here."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def compare(network: torch.nn.Module, model: Any, golden: np.ndarray) -> float:
    """The largest difference between torch and onnxruntime on the samples, as a share of the largest output."""
    import numpy as np
    import torch

    with torch.inference_mode():
        wanted = network(torch.from_numpy(golden)).numpy()
    found = run_samples(open_session(model), golden)
    if found.shape != wanted.shape:
        raise ModelError(f"the ONNX model gives {found.shape}, torch {wanted.shape}", where="export")
    difference = float(np.abs(found - wanted).max() / max(float(np.abs(wanted).max()), 1e-12))
    return difference if np.isfinite(difference) else float("inf")
