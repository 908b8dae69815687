"""Verdicts to render: the situations of situations.py, as report reads them."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hilgate.artifacts import parse_json

_spec = importlib.util.spec_from_file_location("report_situations", Path(__file__).parent / "situations.py")
assert _spec is not None
assert _spec.loader is not None
situations = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = situations
_spec.loader.exec_module(situations)


def _verdict(make: Any) -> dict[str, Any]:
    """Through JSON and its schema."""
    text = json.dumps({"schema": "verdict", "version": 1, **make().document()})
    return parse_json(text, "verdict", where="test")


@pytest.fixture(scope="session", name="gate")
def gate_fixture() -> Any:
    """The makers of synthetic measurements."""
    return situations.gate


@pytest.fixture(scope="session")
def toys() -> Any:
    """The makers of situations: toy, changed, judged, context, HOSTILE, ..."""
    return situations


@pytest.fixture(scope="session")
def contexts() -> dict[str, dict[str, Any] | None]:
    """Every situation's context.json, None where it is a local run."""
    found: dict[str, dict[str, Any] | None] = {}
    for name, (_, make) in situations.SITUATIONS.items():
        found[name] = parse_json(json.dumps(make()), "context", where="test") if make else None
    return found


@pytest.fixture(scope="session")
def verdicts(contexts: dict[str, dict[str, Any] | None]) -> dict[str, dict[str, Any]]:
    """Every situation's verdict.json as a document, held back as `hilgate ci post` holds it back."""
    made = {name: _verdict(make) for name, (make, _) in situations.SITUATIONS.items()}
    return {name: situations.as_written(verdict, contexts[name]) for name, verdict in made.items()}
