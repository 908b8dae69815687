"""The two sides of a comparison, read from a folder, a measurement file or a git revision."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hilgate.artifacts import FILES
from hilgate.errors import ArtifactError, UsageError
from hilgate.gate import git
from hilgate.gate.measured import LARGEST_FILE_BYTES, Measurement, parse_build, parse_measurement
from hilgate.gate.policy import Policy, read_policy
from hilgate.params import CELL_NAME, Params, parse_params

MOST_CELLS = 1000
LARGEST_PARAMS_BYTES = 1024 * 1024
LARGEST_LOCK_BYTES = 4 * 1024 * 1024
LOCK_FILES = ("requirements.lock", "requirements-torch.txt")
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]{0,99})==([A-Za-z0-9][A-Za-z0-9.+!_-]{0,99})", re.MULTILINE)


@dataclass(frozen=True)
class Side:
    """Base or head. label: what people call it; kind: git, path, none; origin: where its files are; sha: a commit.

    params: the sections of its params.yaml; packages: pinned package -> version. Both explain and do not judge; empty
    when not known.
    """

    label: str
    kind: str
    origin: str = ""
    sha: str = ""
    measurements: dict[str, Measurement] = field(default_factory=dict)
    policy: Policy | None = None
    params: dict[str, Any] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)

    def about(self) -> dict[str, str]:
        return {"label": self.label, "kind": self.kind, "origin": self.origin, "sha": self.sha}


def read_path(path: Path, label: str, origin: str) -> Side:
    """A side from measurement.json, its folder, or a folder of cells' folders. Raises UsageError, ArtifactError."""
    files = _measurement_files(path)
    measurements: dict[str, Measurement] = {}
    for file in files:
        samples = _samples_of(file)
        measurement = parse_measurement(_read(file), str(file), _read(samples) if samples else None)
        build_file = _sizes_of(file)
        measurement = _with_build(measurement, _read(build_file) if build_file.is_file() else None, str(build_file))
        if measurement.cell in measurements or not CELL_NAME.fullmatch(measurement.cell):
            raise ArtifactError(f"a second or impossible cell {measurement.cell[:100]!r}", where=str(file))
        if len(files) > 1 and file.parent.name != measurement.cell:
            raise ArtifactError(f"cell {measurement.cell[:100]!r} in another cell's folder", where=str(file))
        measurements[measurement.cell] = measurement
    return Side(label=label, kind="path", origin=origin, measurements=measurements)


def read_revision(root: Path, revision: str, cells: Iterable[str]) -> Side:
    """A side from the merge-base of `revision` and HEAD: its policy, and the measurements committed there.

    cells: of the head, looked up as well, for the case that the base has no policy.
    """
    sha = git.merge_base(root, revision)
    label = git.label(root, revision)
    origin = sha[:10] if sha.startswith(label) else f"{label} ({sha[:10]})"
    params = _params_at(root, sha)
    policy = read_policy(params, origin) if params else None
    names = sorted({*(policy.cells if policy else ()), *cells})
    found = {name: _measurement_at(root, sha, name) for name in names}
    measurements = {name: measurement for name, measurement in found.items() if measurement is not None}
    sections = params.sections if params else {}
    return Side(label, "git", origin, sha, measurements, policy, sections, _packages_at(root, sha))


def read_packages(folder: Path) -> dict[str, str]:
    """Package -> version of the lock files in a folder. Raises ArtifactError."""
    files = [folder / name for name in LOCK_FILES]
    return pinned("\n".join(_read(file) for file in files if file.is_file()))


def _packages_at(root: Path, sha: str) -> dict[str, str]:
    texts = (git.read_blob(root, sha, name, LARGEST_LOCK_BYTES) for name in LOCK_FILES)
    return pinned("\n".join(text for text in texts if text))


def pinned(text: str) -> dict[str, str]:
    """Package -> version of lines such as `torch==2.13.0`."""
    return dict(PINNED.findall(text))


def _params_at(root: Path, sha: str) -> Params | None:
    text = git.read_blob(root, sha, "params.yaml", LARGEST_PARAMS_BYTES)
    return None if text is None else parse_params(text, Path(f"{sha[:10]}:params.yaml"))


def _measurement_at(root: Path, sha: str, cell: str) -> Measurement | None:
    path = f"artifacts/{FILES['run.measurement'].format(item=cell)}"
    text = git.read_blob(root, sha, path, LARGEST_FILE_BYTES)
    if text is None:
        return None
    samples_path = f"artifacts/{FILES['run.samples'].format(item=cell)}"
    samples = git.read_blob(root, sha, samples_path, LARGEST_FILE_BYTES)
    where = f"{sha[:10]}:{path}"
    measurement = parse_measurement(text, where, samples)
    if measurement.cell != cell:
        raise ArtifactError(f"cell {measurement.cell[:100]!r} in another cell's folder", where=where)
    build_path = f"artifacts/{FILES['build.sizes'].format(item=cell)}"
    return _with_build(
        measurement, git.read_blob(root, sha, build_path, LARGEST_FILE_BYTES), f"{sha[:10]}:{build_path}"
    )


def _with_build(measurement: Measurement, text: str | None, where: str) -> Measurement:
    """Add what explains the sizes, when there is a sizes.json of this very image."""
    build = None if text is None else parse_build(text, where)
    same = build is not None and build.image == measurement.hashes["image"]
    return replace(measurement, build=build) if same else measurement


def _measurement_files(path: Path) -> list[Path]:
    try:
        path.stat()
    except OSError as error:
        hint = "give a measurement.json, a folder of them or a git revision"
        missing = isinstance(error, FileNotFoundError)
        what = "there is no such file or folder" if missing else f"cannot be read: {error.strerror}"
        raise UsageError(what, where=str(path)[:300], hint=hint) from error
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UsageError("neither a file nor a folder", where=str(path), hint="give a measurement.json")
    if (path / "measurement.json").is_file():
        return [path / "measurement.json"]
    files = sorted(path.glob("*/measurement.json"))
    if len(files) > MOST_CELLS:
        raise ArtifactError(f"{len(files)} cells, more than {MOST_CELLS} are refused", where=str(path))
    return files


def _samples_of(file: Path) -> Path | None:
    """samples.json beside a measurement; of one below <cell>/measured/ or <cell>/predicted/ that of the cell."""
    folders = [file.parent, file.parent.parent] if file.parent.name in ("measured", "predicted") else [file.parent]
    return next((folder / "samples.json" for folder in folders if (folder / "samples.json").is_file()), None)


def _sizes_of(file: Path) -> Path:
    """sizes.json beside a measurement, else where the build room writes it."""
    beside = file.parent / "sizes.json"
    return beside if beside.is_file() else file.parent.parent.parent / "build" / file.parent.name / "sizes.json"


def _read(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise ArtifactError(f"{size} bytes, more than {LARGEST_FILE_BYTES} are refused", where=str(path))
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"cannot be read: {error}", where=str(path)) from error
