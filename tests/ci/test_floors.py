"""The folders of `hilgate.ci` stand in one order, and none imports from what is above it."""

from __future__ import annotations

import re
from pathlib import Path

import hilgate.ci

ROOT = Path(hilgate.ci.__file__).parent
ORDER = ("changes", "claims", "images", "judging", "pulls", "benches")


def test_the_order_names_every_folder_and_is_what_the_package_says():
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(ORDER)
    assert " <- ".join(ORDER) in (hilgate.ci.__doc__ or "")


def test_imports_go_to_what_stands_below():
    wrong = []
    for path in sorted(ROOT.glob("*/*.py")):
        floor = ORDER.index(path.parent.name)
        for found in re.findall(r"^\s*(?:from|import) hilgate\.ci\.?([a-z_]*)", path.read_text(), re.MULTILINE):
            if found not in ORDER or ORDER.index(found) > floor:
                wrong.append(f"{path.relative_to(ROOT)} imports {found or 'the commands'}")
    assert not wrong
