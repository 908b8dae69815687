"""Which cells a change can touch: by what dvc.yaml, params.yaml and dvc.lock of both commits say, read from git.

`hilgate ci pack` leaves untouched cells out, and `hilgate ci recompute` finds out again whether they were untouched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hilgate.ci.changes.revisions import Tree, changed_paths
from hilgate.errors import ClaimError, ParamsError
from hilgate.params import Cell
from hilgate.yamltext import read_yaml

OF_TASK = ("data", "train", "export", "quantize", "compile")  # stages by the task of a cell, the others by the cell
OWN_RESULTS = ("build", "run")  # their outputs follow from the rest, so a changed one alone changes no image
PLACE = re.compile(r"\$\{(key|item\.task|item\.board)\}")


@dataclass(frozen=True)
class Pipeline:
    """dvc.yaml, params.yaml and dvc.lock of one commit, as plain values."""

    stages: dict[str, Any]
    params: dict[str, Any]
    lock: dict[str, Any]


def read_pipeline(tree: Tree) -> Pipeline:
    """What a commit says; a missing file is empty. Raises ClaimError for what is no YAML mapping."""
    return Pipeline(
        stages=_mapping(tree, "dvc.yaml").get("stages") or {},
        params=_mapping(tree, "params.yaml"),
        lock=_mapping(tree, "dvc.lock").get("stages") or {},
    )


def touched_cells(base: Tree, head: Tree, cells: dict[str, Cell]) -> dict[str, str]:
    """Cell -> the first thing that differs and that it depends on; a cell which is not in it has the same image.

    The base's dvc.yaml says what depends on what; another dvc.yaml touches every cell.
    """
    if base.sha and base.sha == head.sha:
        return {}
    paths = changed_paths(base, head)
    old = read_pipeline(base)
    try:
        new = read_pipeline(head)
    except ClaimError as error:
        return dict.fromkeys(cells, f"{error.where.rpartition(':')[2]}, which cannot be read")
    if old.stages != new.stages:
        return dict.fromkeys(cells, "dvc.yaml")
    found = {name: _reason(name, cell, paths, old, new) for name, cell in cells.items()}
    return {name: reason for name, reason in found.items() if reason}


def _results(stages: dict[str, Any], name: str, cell: Cell) -> set[str]:
    """Paths that the stages of the cell itself write."""
    bodies = [_body(stages[room]) for room in OWN_RESULTS if room in stages]
    return {
        _fill(path, name, cell) for body in bodies for kind in ("outs", "metrics") for path in _paths(body.get(kind))
    }


def _body(stage: Any) -> dict[str, Any]:
    body = stage.get("do", stage) if isinstance(stage, dict) else {}
    return body if isinstance(body, dict) else {}


def _reason(name: str, cell: Cell, paths: tuple[str, ...], old: Pipeline, new: Pipeline) -> str:
    if _entry(old, "cells", name) != _entry(new, "cells", name):
        return f"params.yaml: cells.{name}"
    results = _results(old.stages, name, cell)
    for room, stage in old.stages.items():
        item = cell.task if room in OF_TASK else name
        body = _body(stage)
        kept = [] if room in OWN_RESULTS else _paths(body.get("outs")) + _paths(body.get("metrics"))
        for path in (_fill(path, item, cell) for path in _paths(body.get("deps")) + kept):
            changed = next((one for one in paths if one == path or one.startswith(f"{path}/")), None)
            if changed and path not in results:
                return changed
        for key in (_fill(str(key), item, cell) for key in body.get("params") or ()):
            if _entry(old, *key.split(".", 1)) != _entry(new, *key.split(".", 1)):
                return f"params.yaml: {key}"
        if room not in OWN_RESULTS and old.lock.get(f"{room}@{item}") != new.lock.get(f"{room}@{item}"):
            return f"dvc.lock: {room}@{item}"
    return ""


def _entry(pipeline: Pipeline, section: str, name: str = "") -> Any:
    content = pipeline.params.get(section)
    return content.get(name) if name and isinstance(content, dict) else content


def _paths(listed: Any) -> list[str]:
    """Paths of a list of deps or outs: plain, or a mapping from the path to its options."""
    return [str(next(iter(one)) if isinstance(one, dict) and one else one) for one in listed or ()]


def _fill(text: str, item: str, cell: Cell) -> str:
    values = {"key": item, "item.task": cell.task, "item.board": cell.board}
    return PLACE.sub(lambda found: values[found[1]], text)


def _mapping(tree: Tree, path: str) -> dict[str, Any]:
    where = f"{tree.sha[:10]}:{path}"
    try:
        content = read_yaml(tree.text(path) or "{}", where)
    except ParamsError as error:
        raise ClaimError(error.what, where=error.where) from error
    if not isinstance(content, dict):
        raise ClaimError("not a YAML mapping", where=where)
    return content
