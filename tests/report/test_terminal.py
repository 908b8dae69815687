"""The verdict on a terminal: fits, says everything in words, obeys no foreign control sequence."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from hilgate.report.terminal import bar, show


def printed(verdict, width):
    console = Console(file=io.StringIO(), width=width, no_color=True, force_terminal=False, highlight=False)
    show(verdict, console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_situation_fits_and_nothing_of_the_table_is_cut(verdicts, width):
    for name, verdict in verdicts.items():
        text = printed(verdict, width)
        assert max(len(line) for line in text.splitlines()) <= width, name
        tables = [line for line in text.splitlines() if line.startswith(("accuracy ", "flash ", "RAM ", "latency "))]
        assert tables, name
        assert not any("…" in line for line in tables), name


def test_where_letters_are_ascii_bars_and_signs_are_too(verdicts):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    show(verdicts["one_regress"], Console(file=file, width=80, highlight=False))
    file.flush()
    lines = file.buffer.getvalue().decode().splitlines()
    row = next(line for line in lines if line.startswith("latency"))
    assert "2,142.0 us" in row and "< 2,500.0 us" in row and "#######." in row


def test_the_first_words_are_the_outcome(verdicts):
    for verdict in verdicts.values():
        words = printed(verdict, 120).splitlines()[1].strip("│ ").split()
        assert words[0] == verdict["outcome"].upper()


def test_every_outcome_is_a_word_not_only_a_colour(verdicts):
    text = printed(verdicts["one_regress"], 80)
    assert "fail" in text
    assert "warn" in text


def test_of_many_cells_those_in_which_nothing_changed_are_one_line(verdicts):
    text = printed(verdicts["forty_cells"], 120)
    assert text.count("headroom") == 6
    assert "pass, nothing changed: toy_board_00, toy_board_01" in text


def test_foreign_control_sequences_do_not_reach_the_terminal(verdicts):
    text = printed(verdicts["hostile_names"], 120)
    assert not any(letter in text for letter in "\x1b\x07\u202e\u200b")
    assert "[U+202E]" in text


def test_rich_markup_in_names_is_only_text(verdicts):
    verdict = json.loads(json.dumps(verdicts["all_pass"]))
    verdict["cells"][0]["cell"] = "[bold]x[/bold][/]"
    verdict["notes"] = ["[link=http://evil.example]here[/link]"]
    text = printed(verdict, 120)
    assert "[bold]x[/bold][/]" in text
    assert "[link=http://evil.example]here[/link]" in text


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (None, "········"),
        (0.0, "░░░░░░░░"),
        (0.5, "████░░░░"),
        (1.0, "████████"),
        (1.01, "███████!"),
        (-1.0, "░░░░░░░░"),
    ],
)
def test_bars(used, expected):
    assert bar(used) == expected
