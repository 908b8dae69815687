"""report: artifacts/gate/verdict.json -> what people read. It judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgate.artifacts import artifact, atomic_write, needed, read_json
from hilgate.params import build, load_params
from hilgate.report import markdown, page
from hilgate.report.words import has_prediction
from hilgate.virtual.evidence import fidelity_gaps


@dataclass(frozen=True)
class ReportParams:
    """Section `report` of params.yaml."""

    title: str = "hilgate"


def execute(root: Path) -> list[Path]:
    """Write every report format; the paths written. Raises ArtifactError when there is no verdict, ParamsError."""
    params = load_params(root)
    settings = build(ReportParams, params.sections["report"], f"{params.path}: report")
    verdict = read_json(needed(root, "gate.verdict"), "verdict")
    gaps = fidelity_gaps() if has_prediction(verdict) else ()
    written = []
    for name, render in (("report.markdown", markdown.render), ("report.page", page.render)):
        path = artifact(root, name)
        atomic_write(path, render(verdict, settings.title, gaps).encode())
        written.append(path)
    return written
