"""Comments of every situation, compared with the committed ones.

`HILGATE_UPDATE_GOLDEN=1 pytest tests/report` writes them anew; look at `git diff` before you commit them.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from hilgate.report.markdown import render

GOLDEN = Path(__file__).parent / "golden"
NAMES = (
    "all_pass",
    "one_regress",
    "budget_change_requested",
    "base_missing",
    "inconclusive",
    "waiting_for_approval",
    "first_run_ever",
    "new_cell",
    "forty_cells",
    "only_docs_changed",
    "outputs_differ",
    "other_toolchain",
    "predicted_only",
    "accuracy_drops",
    "cell_missing",
    "measured_and_predicted",
    "metric_skipped",
    "hostile_names",
)


@pytest.mark.parametrize("name", NAMES)
def test_report_is_the_golden_one(name, verdicts, contexts):
    text, path = render(verdicts[name], "toy", context=contexts[name]), GOLDEN / f"{name}.md"
    if os.environ.get("HILGATE_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    golden = path.read_text("utf-8")
    diff = difflib.unified_diff(golden.splitlines(), text.splitlines(), f"golden/{name}.md", "now", lineterm="", n=2)
    shown = "\n".join(diff)
    assert not shown, f"the report changed; if that is right: HILGATE_UPDATE_GOLDEN=1 pytest tests/report\n{shown}"


def test_every_situation_has_a_golden_report(verdicts):
    assert set(NAMES) == set(verdicts) == {path.stem for path in GOLDEN.glob("*.md")}
