"""Every folder of tests runs without being named."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


def test_no_folder_of_tests_is_passed_over(pytestconfig: pytest.Config) -> None:
    """pytest's own `norecursedirs` holds `build`: nobody noticed that a whole folder never ran."""
    folders = {part for path in TESTS.rglob("test_*.py") for part in path.relative_to(TESTS).parts[:-1]}
    passed_over = pytestconfig.getini("norecursedirs")
    assert "build" in folders
    assert not [name for name in folders if any(fnmatch(name, pattern) for pattern in passed_over)]
