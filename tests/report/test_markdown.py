"""The Markdown report: always short enough for a comment, the most important first."""

from __future__ import annotations

import copy

import pytest

from hilgate.report import markdown
from hilgate.report.markdown import LONGEST_BYTES, render
from hilgate.report.words import has_prediction
from hilgate.virtual.evidence import Gap


def many_cells(verdict, count, **changed):
    verdict = copy.deepcopy(verdict)
    cell = verdict["cells"][0]
    verdict["cells"] = [{**copy.deepcopy(cell), **changed, "cell": f"toy_{number:04}"} for number in range(count)]
    return verdict


def test_github_takes_it(verdicts):
    assert LONGEST_BYTES < 65_536


@pytest.mark.parametrize("count", [1, 4, 5, 30, 300, 1000])
@pytest.mark.parametrize("situation", ["one_regress", "hostile_names", "all_pass", "only_docs_changed"])
def test_it_never_grows_too_long_for_a_comment(verdicts, situation, count):
    text = render(many_cells(verdicts[situation], count), "toy")
    assert len(text.encode()) <= LONGEST_BYTES
    assert text.startswith("<!-- hilgate:verdict -->\n<!-- hilgate:state {")
    quiet = situation == "only_docs_changed"
    assert text.rstrip().endswith("</details>" if quiet else "`artifacts/run/*/measurement.json`.</sub>")
    assert text.count("<details>") == text.count("</details>")


def test_where_nothing_fits_the_verdict_stays_and_says_where_the_rest_is(verdicts, monkeypatch):
    monkeypatch.setattr(markdown, "LONGEST_BYTES", 1_000)
    text = render(verdicts["one_regress"], "toy")
    assert "fail: `toy_board_a` latency" in text
    assert text.endswith(f"{markdown.TOO_LONG}\n") and len(text.encode()) <= 1_000


def test_thousands_of_layers_notes_and_requests_are_cut(verdicts):
    verdict = copy.deepcopy(verdicts["budget_change_requested"])
    layer = {"name": "x" * 5000, "base": 1, "head": 2}
    verdict["cells"][0]["changes"]["layers"] = [dict(layer) for _ in range(10_000)]
    verdict["notes"] = ["`n` " * 200] * 1000
    verdict["requests"] *= 3000
    text = render(verdict, "toy")
    assert len(text.encode()) <= LONGEST_BYTES
    shown = text.count("| loosens |") + text.count("| tightens |")
    assert shown >= 30
    assert f"and {len(verdict['requests']) - shown} more: see" in text
    assert " more notes" in text


def test_the_worst_cell_comes_first_and_what_is_left_out_is_counted(verdicts):
    verdict = many_cells(verdicts["one_regress"], 300)
    verdict["cells"][250]["outcome"] = "inconclusive"
    text = render(verdict, "toy")
    assert text.index("### ❌ `toy_0000`") < text.index("\n- ❌ `toy_")
    assert "more cells: see `artifacts/gate/verdict.json`" in text


def test_tables_have_as_many_cells_as_their_head(verdicts):
    for name, verdict in verdicts.items():
        columns = 0
        for line in render(verdict, "toy").splitlines():
            cells = line.count("|") if line.startswith("|") else 0
            assert columns in (0, cells) or not cells, (name, line)
            columns = cells


def test_predicted_and_measured_never_share_a_column(verdicts):
    predicted, measured = verdicts["all_pass"], verdicts["measured_and_predicted"]
    mixed = {**predicted, "cells": (predicted["cells"] + measured["cells"]) * 3}
    lines = render(mixed, "toy").partition("\n###")[0].splitlines()
    rows = [line.split("|") for line in lines if line.startswith("| `toy_board_a` |")]
    assert len(rows) == 6
    for row, cell in zip(rows, sorted(mixed["cells"], key=id), strict=False):
        assert (row[6].strip() == "") != (row[7].strip() == ""), cell["cell"]
    text = render(measured, "toy")
    assert "| latency, measured | none |" in text


def test_a_long_list_of_changed_parameters_does_not_push_the_table_away(verdicts):
    params = [{"name": f"train.toy.p{number}", "base": "1", "head": "2"} for number in range(200)]
    text = render({**verdicts["one_regress"], "params": params}, "toy")
    assert "`train.toy.p7`: `1` → `2` and 192 more" in text
    assert text.index("| main | this PR |") < 1500


def test_words_are_main_and_this_pr(verdicts):
    text = render(verdicts["one_regress"], "toy")
    assert "| main | this PR |" in text
    assert "workspace" not in text


def test_what_predictions_cannot_see_is_listed_once_and_escaped(verdicts):
    gaps = [Gap("bus <b>", "late @stores", False, "always precise"), Gap("lockup", "stops", True, "no referee")]
    for verdict in (verdicts["one_regress"], many_cells(verdicts["one_regress"], 300)):
        text = render(verdict, "toy", gaps * 40)
        assert len(text.encode()) <= LONGEST_BYTES
        assert text.count("What a prediction cannot see: 80 behaviours of silicon") == 1
        assert text.count("- and 20 more") == 1
        assert "- <code>bus &#60;b&#62;</code>: late &#64;&#8203;stores (not modelled: always precise)" in text
        assert "- `lockup`: stops (modelled, but nobody else has checked it)" in text
    assert "What a prediction cannot see" not in render(verdicts["one_regress"], "toy")
    assert has_prediction(verdicts["one_regress"])
    assert not has_prediction(verdicts["metric_skipped"])
