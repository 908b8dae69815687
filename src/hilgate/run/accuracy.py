"""Accuracy on the whole test set: by the compiled C on this computer, whose outputs equal the board's to the bit."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

from hilgate.console import progress
from hilgate.errors import DataError, ParityError
from hilgate.run.hostmodel import HostModel
from hilgate.run.subject import Subject
from hilgate.task import Metric

if TYPE_CHECKING:
    import numpy as np

Z95 = 1.959963984540054  # the normal distribution's 97.5 % quantile


def check_host(subject: Subject, host: HostModel) -> None:
    """Compare C on this computer with the NumPy reference, to the bit, on every test sample. Raises ParityError."""
    with progress() as bar:
        for index, x in bar.track(list(enumerate(subject.x)), description="reference = host C"):
            got, due = host.run(x), subject.expected[index].tobytes()
            if got != due:
                raise ParityError(
                    f"the compiled C gives {preview(got)} for test sample {index}, the NumPy reference {preview(due)}",
                    where=str(subject.library),
                    hint=f"a kernel is wrong, or the files are of two compilations: `hilgate compile {subject.task}`",
                )


def scores(subject: Subject, metric: Metric) -> np.ndarray:
    """The task's score of every test sample, float64 (N,), of the dequantized outputs."""
    import numpy as np

    output = subject.model["output"][0]
    levels = subject.expected.reshape(len(subject.expected), *output["shape"][1:]).astype(np.float32)
    outputs = (levels - np.float32(output["zero_point"])) * np.float32(output["scale"])
    values = np.asarray(metric.per_sample(outputs, subject.labels), dtype=np.float64)
    if values.shape != (len(subject.x),) or not np.isfinite(values).all():
        raise DataError("per_sample must give one finite number for each sample", where=f"metric {metric.name}")
    return values


def accuracy_of(values: np.ndarray, metric: Metric) -> dict[str, Any]:
    """Mean and 95 % interval: Wilson's for scores of 0 and 1, else the normal one of the mean."""
    n, mean = len(values), float(values.mean())
    low, high = wilson(int(values.sum()), n) if metric.binary else normal(values)
    return {"metric": metric.name, "value": mean, "n": n, "low": low, "high": high}


def wilson(right: int, n: int) -> tuple[float, float]:
    """E. B. Wilson, JASA 22 (1927) 209-212: the score interval of a proportion, 95 %."""
    share, z2 = right / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def normal(values: np.ndarray) -> tuple[float, float]:
    """Mean plus and minus 1.96 standard errors."""
    mean = float(values.mean())
    half = Z95 * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return mean - half, mean + half


def samples_of(subject: Subject, metric: Metric, values: np.ndarray) -> dict[str, Any]:
    """The content of samples.json: what a paired test of two models needs."""
    import numpy as np

    bits = base64.b64encode(np.packbits(values > 0.5).tobytes()).decode() if metric.binary else None
    return {
        "task": subject.task,
        "metric": metric.name,
        "higher_is_better": metric.higher_is_better,
        "dataset": subject.dataset_hash,
        "n": len(values),
        "bits": bits,
        "values": None if metric.binary else [float(v) for v in values],
    }


def preview(output: bytes) -> str:
    """The first few int8 values of a tensor."""
    numbers = [value - 256 if value > 127 else value for value in output[:10]]
    return f"[{' '.join(map(str, numbers))}{' ...' if len(output) > 10 else ''}]"
