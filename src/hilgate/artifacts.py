"""The files that cross between rooms: their names, schemas and versions. No room writes for another room elsewhere.

Every room writes under artifacts/<room>/<item>/, where the item is a task (data, train, export, quantize, compile) or a
cell (build, run). JSON files carry `schema` (their name) and `version`, and are checked on every read and write against
src/hilgate/schemas/<schema>.json.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.errors import ArtifactError

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

FILES = {
    # room.name: path below artifacts/, {item} is the task or the cell
    "data.train": "data/{item}/train.npz",  # x: the task's raw arrays (N, ...), y: labels or targets (N, ...)
    "data.validation": "data/{item}/validation.npz",
    "data.test": "data/{item}/test.npz",
    "data.facts": "data/{item}/facts.json",  # counts, shapes, SHA-256 of each split's arrays
    "train.weights": "train/{item}/weights.safetensors",
    "train.history": "train/{item}/history.csv",  # epoch, train_loss, validation_loss, validation_score
    "train.metrics": "train/{item}/metrics.json",  # float score on the test set
    "export.onnx": "export/{item}/model.onnx",  # float ONNX
    "quantize.onnx": "quantize/{item}/model.onnx",  # int8 QDQ ONNX
    "quantize.report": "quantize/{item}/report.json",  # int8 score, per-layer error
    "compile.folder": "compile/{item}/c",  # the C folder: model.h, model.c, weights.bin, weights.c, kernels, model.json
    "compile.model": "compile/{item}/c/model.json",
    # the whole test set: input int8 (N, input_bytes), expected int8 (N, output_bytes) by the NumPy reference, label
    "compile.vectors": "compile/{item}/vectors.npz",
    "build.elf": "build/{item}/firmware.elf",
    "build.sizes": "build/{item}/sizes.json",
    "run.measurement": "run/{item}/measurement.json",
    "run.samples": "run/{item}/samples.json",  # per-sample scores on the whole test set, for paired tests
    "run.provenance": "run/{item}/provenance.json",  # commit, time, host: no DVC output
    "gate.verdict": "gate/verdict.json",
    "report.markdown": "report/report.md",
    "report.page": "report/report.html",  # one file, works without network
    "report.junit": "report/junit.xml",
    "report.annotations": "report/annotations.json",  # objects of GitHub's API for check runs
    "report.json": "report/report.json",
}


def artifact(root: Path, name: str, item: str = "") -> Path:
    """Absolute path of an artifact, for example artifact(root, "build.elf", "digits_nucleo_f446re")."""
    return root / "artifacts" / FILES[name].format(item=item)


def needed(root: Path, name: str, item: str = "") -> Path:
    """The same, of a file that must be there. Raises ArtifactError that names the command which makes it."""
    path = artifact(root, name, item)
    if not path.exists():
        hint = f"make it with `hilgate {name.partition('.')[0]} {item}`, or `dvc repro`"
        raise ArtifactError("this file is missing", where=str(path), hint=hint)
    return path


def atomic_write(path: Path, content: bytes) -> None:
    """Write so that a reader sees the old file or the whole new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = str(path)  # a full disk names no file
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, schema: str, content: dict[str, Any], version: int = 1) -> None:
    """Write `content` as a checked, versioned JSON file with sorted keys, so that equal data is an equal file."""
    document = {"schema": schema, "version": version, **content}
    _check(document, schema, path)
    atomic_write(path, (json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())


def read_json(path: Path, schema: str, version: int = 1) -> dict[str, Any]:
    """Read and check. Raises ArtifactError: missing, not JSON, wrong schema or version, or against the schema."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"cannot be read: {error}", where=str(path)) from error
    return parse_json(text, schema, where=str(path), version=version)


def parse_json(text: str, schema: str, *, where: str, version: int = 1) -> dict[str, Any]:
    """The same for text that came from elsewhere (a git revision, an archive)."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"not valid JSON: {error}", where=where) from error
    if not isinstance(document, dict) or document.get("schema") != schema:
        raise ArtifactError(f"not a `{schema}` file", where=where)
    if document.get("version") != version:
        what = f"version {document.get('version')!r}, this hilgate reads {version}"
        raise ArtifactError(what, where=where, hint="make it again")
    _check(document, schema, where)
    return document


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers disagree about which of two equal keys counts, so such a file could tell each of them another story."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key appears twice")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _check(document: dict[str, Any], schema: str, where: Path | str) -> None:
    from jsonschema.exceptions import best_match

    error = best_match(_validator(schema).iter_errors(document))
    if error is not None:
        field = "/".join(str(part) for part in error.absolute_path) or "(top)"
        raise ArtifactError(f"field {field}: {error.message[:300]}", where=str(where))


@cache
def _validator(schema: str) -> Validator:
    """The schema read and itself checked once: a job reads many files of few schemas."""
    from jsonschema.validators import validator_for

    document = json.loads(resources.files("hilgate").joinpath(f"schemas/{schema}.json").read_text("utf-8"))
    kind = validator_for(document)
    kind.check_schema(document)
    return kind(document)
