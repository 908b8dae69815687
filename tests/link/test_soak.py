"""The whole campaign, by `make soak` only; its script is tried on a few faults in every test run."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from hilgate.link.campaign import Tally, play
from hilgate.link.lossy import Fault


@pytest.mark.soak
def test_the_whole_campaign(root: Path) -> None:
    assert runpy.run_path(str(root / "scripts/link_soak.py"))["main"]() == 0


def test_the_report_counts_and_names_failures(root: Path, url: str) -> None:
    script = runpy.run_path(str(root / "scripts/link_soak.py"))
    fault = Fault("out", "byte", "drop", 3)
    assert list(script["grouped"]([fault])) == ["drop byte out"]
    text = script["report"](play(url), {"drop byte out": Tally(sessions=7, failed=[(fault, "no answer")])}, 1)
    assert "**1 sessions failed**" in text
    assert "| drop byte out | 7 |" in text


def test_the_committed_report_has_no_failure(root: Path) -> None:
    assert "**0 sessions failed**" in (root / "docs/link_soak.md").read_text("utf-8")
