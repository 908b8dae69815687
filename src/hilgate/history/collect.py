"""From the measurements of one commit to lines of the history."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.artifacts import read_json
from hilgate.errors import ArtifactError, UsageError
from hilgate.history import git
from hilgate.history.line import METRICS, Line, line_from, plain
from hilgate.params import Params
from hilgate.tools import run_git

MOST_CELLS = 1000
RESULTS = (":!artifacts", ":!dvc.lock", ":!dvc.yaml")  # what `dvc repro` writes about the code that is committed
REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./^~-]{0,200}")


@dataclass(frozen=True)
class Commit:
    """The commit that was measured. date: of the committer, UTC, `2026-01-02T03:04:05Z`."""

    sha: str
    date: str
    subject: str


def commit_of(root: Path, revision: str = "HEAD") -> Commit:
    """The facts of a commit. Raises UsageError: git does not know it."""
    if not REVISION.fullmatch(revision) or git.tip(root, revision) is None:
        raise UsageError(f"git knows no commit {revision[:100]!r} here", where=str(root), hint="a branch, tag or SHA")
    wanted = ["log", "-1", "--no-show-signature", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H%n%cd%n%s"]
    answer = git.run(root, *wanted, "--end-of-options", revision, env={"TZ": "UTC0"})
    sha, date, subject = answer.decode("utf-8", "replace").split("\n")[:3]
    return Commit(sha, date, plain(subject))


def check_clean(root: Path, commit: Commit) -> None:
    """Measurements of edited code belong to no commit. Raises UsageError."""
    answer = run_git(root, "diff", "--quiet", commit.sha, "--", ".", *RESULTS)
    if answer.returncode:
        hint = "commit it and measure again, or name the folder of the measurements with --from"
        raise UsageError(f"the files here are not those of {commit.sha[:10]}", where=str(root), hint=hint)


def collect(folder: Path, commit: Commit, params: Params) -> list[Line]:
    """Lines of every measurement below <folder>/<cell>/: the cell's own, and those of boards in measured/.

    Raises ArtifactError: a damaged measurement, or none at all.
    """
    found = [*sorted(folder.glob("*/measurement.json")), *sorted(folder.glob("*/measured/*.json"))]
    files = [path for path in found if not path.name.endswith(".provenance.json")]
    if not files:
        hint = "measure first: `dvc repro`, or `hilgate run <cell>`"
        raise ArtifactError("no measurement below this folder", where=str(folder), hint=hint)
    if len(files) > MOST_CELLS:
        raise ArtifactError(f"{len(files)} measurements, more than {MOST_CELLS} are refused", where=str(folder))
    return [line_of(path, commit, params) for path in files]


def line_of(path: Path, commit: Commit, params: Params) -> Line:
    """The line of one measurement.json. Raises ArtifactError."""
    document = read_json(path, "measurement")
    environment, latency = document["environment"], document["latency"]
    values = {
        "accuracy": document["accuracy"]["value"],
        "flash_bytes": document["flash"]["total_bytes"],
        "ram_bytes": document["ram"]["total_bytes"],
    }
    if latency:
        values["latency_us"] = latency["median_us"]
    content = {
        "schema": "history",
        "version": 1,
        "commit": commit.sha,
        "date": commit.date,
        "subject": commit.subject,
        **{name: document[name] for name in ("cell", "task", "board", "source", "evidence")},
        "testbed": re.sub(r"[^A-Za-z0-9_-]", "_", str(environment.get("target") or "unknown"))[:80],
        "toolchain": _word(f"{environment.get('compiler', 'unknown')} {environment.get('compiler_version', '')}"),
        "model": re.sub("[^0-9a-f]", "", str(environment.get("cost_model") or ""))[:64],
        "unit": _unit(document),
        "better": _better(params, document["cell"]),
        "image": document["hashes"]["image"],
        "loads": len(latency.get("loads", ["one"])) if latency and document["source"] == "measured" else 0,
        "values": values,
        "budgets": _budgets(params, document["cell"]),
    }
    try:
        return line_from(content)
    except ArtifactError as error:
        raise ArtifactError(error.what, where=str(path), hint="make it again with `hilgate run`") from error


def _unit(document: dict[str, Any]) -> str:
    """A share of right samples is a whole number of them; any other score is no fraction."""
    value, n = document["accuracy"]["value"], document["accuracy"]["n"]
    whole = n > 0 and 0 <= value <= 1 and abs(value * n - round(value * n)) < 1e-6 * n
    return "fraction" if whole else "score"


def _limits(params: Params, cell: str, metric: str) -> dict[str, Any]:
    entry = params.sections["gate"].get(cell)
    limits = entry.get(metric) if isinstance(entry, dict) else None
    return limits if isinstance(limits, dict) else {}


def _better(params: Params, cell: str) -> str:
    """An accuracy with a `max` is an error: lower is better."""
    return "lower" if _limits(params, cell, "accuracy").get("max") is not None else "higher"


def _budgets(params: Params, cell: str) -> dict[str, float]:
    """The absolute limits that this commit's params.yaml states."""
    found = {}
    for metric in METRICS:
        limits = _limits(params, cell, metric)
        limit = next((limits[key] for key in ("max", "min") if limits.get(key) is not None), None)
        if isinstance(limit, int | float) and not isinstance(limit, bool):
            found[metric] = limit
    return found


def _word(text: str) -> str:
    return "".join(letter if " " <= letter <= "~" else "?" for letter in " ".join(text.split()))[:200]
