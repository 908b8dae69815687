"""What a terminal shows of a history: predicted and measured apart, toolchains marked, damage told."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hilgate.history.branch import Content, Damage
from hilgate.history.series import series_of
from hilgate.history.table import SWITCH, document, show, sparkline


def content_of(*lines, damaged=()):
    return Content({line.key: line for line in lines}, tuple(damaged))


def shown(content, width=100):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(content, console)
    return console.file.getvalue()


def with_flash(line, number, flash_bytes, **changed):
    values = {"accuracy": 0.98, "flash_bytes": flash_bytes, "ram_bytes": 5}
    return line(number, values=values, **changed)


def test_predicted_and_measured_are_apart(line):
    on_board = {"source": "measured", "evidence": "measured", "testbed": "0123"}
    found = series_of([line(1), line(2), line(1, **on_board)])
    assert [(one.source, len(one.lines)) for one in found] == [("predicted", 2), ("measured", 1)]


def test_lines_stand_in_the_order_of_the_commits(line):
    (series,) = series_of([line(3), line(1), line(2)])
    assert [one.commit[-1] for one in series.lines] == ["1", "2", "3"]


def test_a_row_has_latest_change_and_budget(line):
    text = shown(content_of(with_flash(line, 1, 100_000), with_flash(line, 2, 101_000)))
    assert "101,000 B" in text
    assert "+1,000 B (+1.00 %)" in text
    assert "150,000 B" in text
    assert "latency" not in text


def test_another_toolchain_is_marked_and_its_change_is_no_change_of_the_code(line):
    content = content_of(
        with_flash(line, 1, 100),
        with_flash(line, 2, 90, toolchain="gcc 13"),
        with_flash(line, 3, 80, toolchain="gcc 13"),
    )
    text = shown(content)
    assert f"{SWITCH} 2020-01-03" in text
    assert "gcc 12 → gcc 13" in text
    (series,) = series_of(content.lines.values())
    assert series.switches == (1,)
    assert not series.trend("flash_bytes").across
    last_two = content_of(with_flash(line, 1, 100), with_flash(line, 2, 90, toolchain="gcc 13"))
    assert "other toolchain" in shown(last_two)


def test_another_cost_model_concerns_only_latency(line):
    (series,) = series_of([line(1), line(2, model="beef")])
    assert series.trend("latency_us").across
    assert not series.trend("flash_bytes").across
    assert series.switches == ()


@pytest.mark.parametrize(
    ("values", "switches", "text"),
    [
        ([1], (), "▄"),
        ([1, 1, 1], (), "▄▄▄"),
        ([0, 7], (), "▁█"),
        ([0, 3.5, 7], {1}, "▁┊▅█"),
        (list(range(100)), {0}, None),
    ],
)
def test_sparkline(values, switches, text):
    found = sparkline(values, switches)
    assert found == text if text else len(found) == 24


def test_damage_is_told(line):
    text = shown(content_of(line(1), damaged=[Damage(f"x:{number}", "not valid JSON") for number in range(12)]))
    assert "skipped x:0: not valid JSON" in text
    assert "and 2 more damaged lines" in text


def test_hostile_subjects_are_text(line):
    text = shown(content_of(line(1, subject="[bold red]x[/] \x1b[31m\u202e")))
    assert "[bold red]x[/]" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_document_has_every_point(line):
    found = document(content_of(line(1), line(2)))
    points = found["series"][0]["metrics"]["latency_us"]["points"]
    assert [point["commit"][-1] for point in points] == ["1", "2"]
