"""What a change asks of its own judging, told so that the reader knows first what happened. Numbers are synthetic."""

from __future__ import annotations

import io
import json

from rich.console import Console

from hilgate.report.annotations import annotate
from hilgate.report.assemble import assemble
from hilgate.report.markdown import render
from hilgate.report.page import render as page
from hilgate.report.terminal import show


def printed(verdict, width=80):
    console = Console(file=io.StringIO(), width=width, no_color=True, force_terminal=False, highlight=False)
    show(verdict, console)
    return console.file.getvalue()


def words(text):
    return " ".join(text.split())


def test_another_compiler_is_said_before_anything_is_asked(verdicts):
    text = words(printed(verdicts["other_toolchain"]))
    assert "asks to change what judges it" not in text
    assert "this PR was built with another compiler than main." in text
    assert (
        "Sizes and cycles are not compared with main; accuracy, outputs and absolute budgets are judged all the same"
        in text
    )
    assert "(the container has the pinned one: scripts/in_container dvc repro)" in text
    assert "or measure main with this one (dvc repro there)" in text
    assert "compiler: arm-none-eabi-gcc 12.2.1 20221205 → arm-none-eabi-gcc 13.3.1 20240614" in text


def test_another_compiler_beside_other_wishes_is_said_first(verdicts):
    verdict = json.loads(json.dumps(verdicts["other_toolchain"]))
    verdict["requests"] += verdicts["budget_change_requested"]["requests"]
    report = assemble(verdict, "toy")
    assert report.asks == "this PR asks to change what judges it"
    assert report.approval.startswith("main was built with another compiler: sizes and cycles are not compared")
    assert report.approval.endswith("Somebody else must approve this, because merging it changes later verdicts.")


def test_another_compiler_that_was_approved_needs_no_advice(verdicts):
    verdict = {**verdicts["other_toolchain"], "approved_by": "reviewer"}
    assert assemble(verdict, "toy").approval == "Approved by `reviewer`; the new policy judged."


def test_a_new_cell_is_one_line_with_its_budgets_and_parameters(verdicts):
    line = "new cell buzz_board_a: buzz on board_a, 3 budgets, latency not judged, 3 parameters"
    text = words(printed(verdicts["new_cell"]))
    assert line in text
    assert "asks for 1 new cell, which somebody else must approve" in text
    assert "tightens" not in text and "buzz.epochs" not in text
    comment = render(verdicts["new_cell"], "toy")
    assert f"\n- {line.replace('buzz_board_a:', '`buzz_board_a`:')}\n" in comment
    assert comment.count("tightens") == 0
    assert "<details><summary>Budgets and parameters of 1 new cell</summary>" in comment
    assert f"<summary>{line}</summary>" in page(verdicts["new_cell"], "toy")


def test_parameters_of_what_an_older_cell_has_too_are_no_new_cells(verdicts):
    report = assemble(verdicts["new_cell"], "toy")
    assert [one.name for one in report.params] == ["build.board_a.fast", "train.toy.epochs", "train.toy.seed"]
    own = [entry.what for entry in report.new_cells[0].entries if "buzz" in entry.what]
    assert own == ["run.buzz.vectors", "train.buzz.epochs", "train.buzz.seed"]


def test_nothing_of_what_is_asked_is_lost(verdicts):
    for name, verdict in verdicts.items():
        report = assemble(verdict, "toy")
        entries = [entry for one in report.new_cells for entry in one.entries]
        asked = len(report.requests) + len(report.new_cells) + len(entries) + len(report.params)
        assert asked == len(verdict["requests"]) + len(verdict["params"]), name


def test_two_new_cells_of_a_task_share_its_parameters(verdicts):
    verdict = json.loads(json.dumps(verdicts["new_cell"]))
    verdict["requests"].append(
        {"kind": "cell", "cell": "buzz_b", "what": "cell", "base": "not there", "head": "buzz on b", "effect": "adds"}
    )
    first, second = assemble(verdict, "toy").new_cells
    assert "3 parameters" in first.text
    assert second.text == "buzz on b, no budgets"
    assert "asks for 2 new cells, which" in words(printed(verdict))


def test_an_annotation_says_a_new_cell_once_on_its_line(verdicts):
    policy = "cells:\n  toy_board_a: {}\n  buzz_board_a: {}\n"
    found = [one for one in annotate(assemble(verdicts["new_cell"], "toy"), policy) if "new cell" in one.title]
    assert [(one.line, one.title) for one in found] == [(3, "buzz_board_a: a new cell")]


def test_the_column_of_the_head_is_called_as_the_verdict_calls_it(verdicts):
    verdict = json.loads(json.dumps(verdicts["all_pass"]))
    verdict["head"]["label"] = "this tree"
    for width in (60, 80, 120):
        text = printed(verdict, width)
        assert "this tree" in next(line for line in text.splitlines() if "headroom" in line)
        assert "this PR" not in text
