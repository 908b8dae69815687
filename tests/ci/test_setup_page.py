"""What docs/setup-github.md tells a newcomer to type does what it says, on this very project."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from hilgate.params import parse_params

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/setup-github.md").read_text("utf-8")


def test_the_first_change_is_one(tmp_path):
    (command,) = re.findall(r"^sed -i .*$", PAGE, re.MULTILINE)
    file = tmp_path / "params.yaml"
    before = (ROOT / "params.yaml").read_text("utf-8")
    file.write_text(before)
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    old, new = (parse_params(text, file).sections for text in (before, file.read_text("utf-8")))
    assert (old["compile"].pop("digits")["optimize"], new["compile"].pop("digits")["optimize"]) == ("speed", "size")
    assert new == old


def test_the_stages_that_it_repeats_are_those_of_the_digits():
    (words,) = re.findall(r"^dvc repro (run@.*)$", PAGE, re.MULTILINE)
    cells = parse_params((ROOT / "params.yaml").read_text("utf-8"), ROOT / "params.yaml").cells
    assert set(words.split()) == {f"run@{name}" for name, cell in cells.items() if cell.task == "digits"}


def test_files_that_it_names_are_there():
    named = set(re.findall(r"`((?:run-)?[a-z]+\.yml)`", PAGE))
    assert {"ci.yml", "run-ci.yml", "verdict.yml"} <= named
    assert sorted(name for name in named if not (ROOT / ".github/workflows" / name).is_file()) == []
    owned = re.search(r"```text\n(/params\.yaml.*?)```", PAGE, re.DOTALL)
    assert owned
    assert all(list(ROOT.glob(line.split()[0].strip("/"))) for line in owned[1].splitlines())
