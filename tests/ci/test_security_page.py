"""docs/security.md names tests; each of them exists, and none of the attacks of this area is left out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_page_names_tests():
    assert len(NAMED) > 40


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda value: value)
def test_each_named_test_exists(path, name):
    assert name in names_in(path)


@pytest.mark.parametrize("row", [line for line in PAGE.splitlines() if re.match(r"\| (?!---|threat|who|number)", line)])
def test_each_threat_has_something_that_holds_it(row):
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert all(cells), row


@pytest.mark.parametrize("file", ["test_archive.py", "test_elf_rules.py"])
def test_every_attack_of_a_file_can_be_found_from_the_page(file):
    """A refusal that is tested and not told is a rule nobody knows; the page names at least half of them by name."""
    refusals = {name for name in names_in(f"tests/ci/{file}") if name.endswith(("refused", "closed", "error"))}
    told = {name for path, name in NAMED if path.endswith(file)}
    assert len(told & refusals) >= len(refusals) / 2
