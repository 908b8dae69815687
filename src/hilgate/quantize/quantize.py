"""quantize: float ONNX -> int8 QDQ ONNX, its score, and the error of each layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.arrays import read_npz
from hilgate.artifacts import artifact, needed, write_json
from hilgate.console import say
from hilgate.errors import ModelError, ParamsError
from hilgate.onnxmodel import load_model, open_session, run_samples, save_model
from hilgate.params import Params
from hilgate.quantize.layers import layer_errors
from hilgate.quantize.static import METHODS, PERCENTILE, quantize
from hilgate.task import Task, load_task

if TYPE_CHECKING:
    import onnx

REPORT_SAMPLES = 256  # training samples on which layers are compared


@dataclass(frozen=True)
class QuantizeParams:
    """calibration: training samples that set the ranges; max_drop: most that the score may get worse by.

    method: `minmax`, ranges hold every value seen, or `percentile`, they hold `percentile` % of them: a few large
    values then saturate, and all others get finer steps.
    """

    calibration: int
    method: str = "minmax"
    percentile: float = PERCENTILE
    max_drop: float = 0.003


def execute(item: str, params: Params, root: Path) -> None:
    """Make artifacts/quantize/<task>/. Raises ArtifactError, ModelError, ParamsError."""
    settings = params.section("quantize", item, QuantizeParams)
    check_params(settings, f"{params.path}: quantize.{item}")
    task = load_task(item, root)
    floating = load_model(needed(root, "export.onnx", item))
    raw = read_npz(needed(root, "data.train", item), ("x",))["x"]
    samples = task.preprocess(raw[spread(len(raw), settings.calibration)])
    integer = quantize(floating, samples, settings.method, settings.percentile)
    report = {
        "layers": layer_errors(floating, integer, samples[:REPORT_SAMPLES]),
        "samples": min(len(samples), REPORT_SAMPLES),
        **scores(task, floating, integer, root),
    }
    save_model(artifact(root, "quantize.onnx", item), integer)
    write_json(artifact(root, "quantize.report", item), "quantization", report)
    say(f"quantize {item}: int8 {task.metric.name} {report['int8_score']:.4f}, float {report['float_score']:.4f}")
    check_drop(task, settings, float(report["drop"]))


def check_params(settings: QuantizeParams, where: str) -> None:
    """Raise ParamsError for what cannot be."""
    if settings.calibration < 1:
        raise ParamsError(f"`calibration` must be at least 1, not {settings.calibration}", where=where)
    if settings.method not in METHODS:
        raise ParamsError(f"unknown method `{settings.method}`", where=where, hint=f"methods: {', '.join(METHODS)}")
    if not 90 <= settings.percentile <= 100:
        raise ParamsError(f"`percentile` must be from 90 to 100, not {settings.percentile}", where=where)


def spread(n: int, wanted: int) -> list[int]:
    """At most `wanted` of n indices, evenly spaced, so that data sorted by class is still seen whole."""
    count = min(n, wanted)
    return [i * n // count for i in range(count)]


def scores(task: Task, floating: onnx.ModelProto, integer: onnx.ModelProto, root: Path) -> dict[str, Any]:
    """Both models' score on the whole test set, through the same onnxruntime; drop > 0 means that int8 is worse."""
    test = read_npz(needed(root, "data.test", task.name), ("x", "y"))
    x = task.preprocess(test["x"])
    values = [
        float(task.metric.per_sample(run_samples(open_session(m), x), test["y"]).mean()) for m in (floating, integer)
    ]
    drop = values[0] - values[1] if task.metric.higher_is_better else values[1] - values[0]
    return {
        "task": task.name,
        "metric": task.metric.name,
        "float_score": values[0],
        "int8_score": values[1],
        "drop": round(drop, 9),
        "n": len(x),
    }


def check_drop(task: Task, settings: QuantizeParams, drop: float) -> None:
    """Raise ModelError when int8 loses more than allowed; the report is written already, to be looked at."""
    if drop > settings.max_drop:
        raise ModelError(
            f"int8 loses {drop:.4f} of {task.metric.name}, more than max_drop {settings.max_drop:.4f}",
            where=f"quantize.{task.name}",
            hint=f"see the layers in artifacts/quantize/{task.name}/report.json; another method may help",
        )
