"""Nothing that a judging job runs can change without being asked for: read from imports and workflows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import hilgate
from hilgate.ci.changes.asks import requests_of

ENGINE = Path(hilgate.__file__).parent
PROJECT = ENGINE.parent.parent
JOBS = ("judging.recompute", "images.emulate", "benches.hardware", "benches.turns", "pulls.pending", "pulls.post")
WORKFLOWS = ("run-verdict.yml", "run-bench.yml", "verdict.yml", "approve.yml")


def modules():
    """Dotted name -> file of every module of the engine."""
    files = {}
    for path in ENGINE.rglob("*.py"):
        parts = ("hilgate", *path.relative_to(ENGINE).with_suffix("").parts)
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def imported(path, known):
    """Modules of the engine that a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
        elif isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
    return names & set(known)


def test_every_module_that_a_judging_job_imports_is_a_request():
    known = modules()
    seen, waiting = set(), [f"hilgate.ci.{job}" for job in JOBS]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imported(known[name], known)
    assert len(seen) > 100
    paths = [f"src/hilgate/{known[name].relative_to(ENGINE).as_posix()}" for name in seen]
    empty = {f"src/hilgate/{room}/__init__.py" for room in ("compile", "history")}
    assert sorted(path for path in paths if path not in empty and not requests_of((path,))) == []


def test_every_script_that_a_judging_workflow_runs_is_a_request():
    texts = [(PROJECT / ".github/workflows" / name).read_text("utf-8") for name in WORKFLOWS]
    scripts = {found for text in texts for found in re.findall(r"scripts/[a-z_]+", text)}
    assert "scripts/install_engine" in scripts
    assert sorted(path for path in scripts if not requests_of((path,))) == []
