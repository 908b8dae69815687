"""Annotations: on the line of the budget that judged, in both of GitHub's forms, and no text becomes a command."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.report.annotations import MOST, Annotation, annotate
from hilgate.report.assemble import assemble
from hilgate.report.lines import line_of

PARAMS = """\
cells:
  toy_board_a: { task: toy, board: board_a }

gate:
  toy_board_a:
    accuracy: { min: 0.95, worse_fail: 0.01 }
    flash_bytes:
      max: 150000
      worse_fail: 2%
    latency_us: { max: 2500 }
"""
NASTY = st.text(st.sampled_from("ab%:,#[]\r\n\u2028\x00::é`"), max_size=80)
COMMAND = re.compile(r"::(error|warning|notice) file=([^,:]*),line=(\d+),title=([^,:\r\n]*)::([^\r\n]*)")


def made(verdict, context=None, params=PARAMS):
    return annotate(assemble(verdict, "toy", (), context), params)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["gate", "toy_board_a", "accuracy"], 6),
        (["gate", "toy_board_a", "accuracy", "min"], 6),
        (["gate", "toy_board_a", "flash_bytes", "max"], 8),
        (["gate", "toy_board_a", "ram_bytes"], 5),
        (["gate", "another"], 4),
        (["cells", "toy_board_a"], 2),
        (["nothing"], 1),
    ],
)
def test_a_line_is_that_of_the_deepest_key(path, line):
    assert line_of(PARAMS, path) == line


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "a: &x {b: *x}", "{" * 3000, "\t", "a" * 2_000_000, "? [a]: 1\n"])
def test_whatever_params_yaml_holds_there_is_a_line(text):
    assert line_of(text, ["gate", "toy_board_a"]) == 1


def test_aliases_are_not_expanded():
    bomb = "a: &a [x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert line_of(f"{bomb}gate: *i\n", ["gate", "x"]) == 10


def test_each_reason_stands_on_its_budget(verdicts):
    first, second = made(verdicts["one_regress"])
    assert (first.level, first.line, first.title) == ("failure", 10, "toy_board_a: latency, fail")
    assert (second.level, second.line, second.title) == ("warning", 9, "toy_board_a: flash, warn")
    assert first.message.startswith("latency: +142.0 µs (+7.10 %) against main")


def test_a_request_stands_on_what_it_changes(verdicts):
    found = made(verdicts["budget_change_requested"])
    assert [(one.level, one.line) for one in found] == [("warning", 6), ("warning", 8)]
    assert "flash_bytes.max: 150000 → 200000 (loosens)" in found[1].message


def test_nothing_to_say_is_no_annotation(verdicts):
    assert made(verdicts["only_docs_changed"]) == made(verdicts["all_pass"]) == ()


def test_there_are_never_more_than_one_call_takes_and_the_worst_come_first(verdicts):
    many = {**verdicts["one_regress"], "cells": verdicts["one_regress"]["cells"] * 200}
    found = made(many)
    assert len(found) == MOST
    assert {one.level for one in found} == {"failure"}


def test_the_form_for_check_runs_is_what_the_api_takes(verdicts):
    for name, verdict in verdicts.items():
        for one in made(verdict):
            shape = one.as_check_run()
            assert set(shape) == {"path", "start_line", "end_line", "annotation_level", "title", "message"}
            assert shape["annotation_level"] in ("failure", "warning", "notice"), name
            assert 1 <= shape["start_line"] == shape["end_line"]
            assert 0 < len(shape["title"]) <= 255
            assert 0 < len(shape["message"].encode()) < 64 * 1024


def test_every_command_is_one_line_of_the_known_form(verdicts, contexts):
    for name, verdict in verdicts.items():
        for one in made(verdict, contexts[name]):
            assert COMMAND.fullmatch(one.as_command()), (name, one.as_command())


@given(title=NASTY, message=NASTY, path=NASTY)
def test_no_text_starts_another_command(title, message, path):
    command = Annotation("failure", 3, title, message).as_command(path)
    assert len(command.splitlines()) == 1 or "\u2028" in command or "\x00" in command
    assert not re.search(r"[\r\n]", command)
    found = COMMAND.fullmatch(command)
    assert found
    assert (unescaped(found[2]), unescaped(found[4]), unescaped(found[5])) == (path, title, message)


def unescaped(text):
    """As GitHub's runner reads it back."""
    for code, letter in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, letter)
    return text


def test_hostile_names_become_text(verdicts, contexts):
    for one in made(verdicts["hostile_names"], contexts["hostile_names"]):
        assert not set(one.title + one.message) & set("\n\r\x1b\u202e\x07`")
