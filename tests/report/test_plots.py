"""Treemaps and trends: areas are bytes, lines are values, and nothing lies outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.history.line import line_from
from hilgate.report.assemble import assemble
from hilgate.report.page import whole
from hilgate.report.past import histories
from hilgate.report.treemap import HEIGHT, squarify, treemaps
from hilgate.report.trend import MOST_POINTS, History, Point, trend


@given(sizes=st.lists(st.integers(1, 10**7), min_size=1, max_size=60))
def test_boxes_fill_the_map_and_have_the_area_of_their_bytes(sizes):
    total = sum(sizes)
    areas = [size / total * HEIGHT for size in sorted(sizes, reverse=True)]
    boxes = squarify(areas, 0.0, 0.0, 1.0, HEIGHT)
    for area, (left, top, width, height) in zip(areas, boxes, strict=True):
        assert width * height == pytest.approx(area, rel=1e-6, abs=1e-9)
        assert left > -1e-6 and top > -1e-6 and left + width < 1 + 1e-6 and top + height < HEIGHT + 1e-6


@given(sizes=st.lists(st.integers(1, 1000), min_size=2, max_size=20))
def test_boxes_do_not_overlap(sizes):
    areas = [size / sum(sizes) * HEIGHT for size in sorted(sizes, reverse=True)]
    boxes = squarify(areas, 0.0, 0.0, 1.0, HEIGHT)
    for at, (left, top, width, height) in enumerate(boxes):
        for other_left, other_top, other_width, other_height in boxes[at + 1 :]:
            beside = left + width <= other_left + 1e-9 or other_left + other_width <= left + 1e-9
            below = top + height <= other_top + 1e-9 or other_top + other_height <= top + 1e-9
            assert beside or below


def test_a_map_holds_all_of_the_image(verdicts):
    (cell,) = assemble(verdicts["one_regress"], "toy").cells
    flash, ram = treemaps(cell)
    assert (flash.name, ram.name) == ("flash", "RAM")
    assert flash.total == sum(box.piece.bytes for box in flash.boxes) == 80_682 + 300 + 4_000 + 250 + 1_000
    assert flash.boxes[0].piece.name == "dense"
    assert flash.boxes[0].labelled


def history(values, limit=None, sources=(), toolchains=()):
    points = [
        Point(
            f"{at:040x}",
            value,
            (sources or ["predicted"] * len(values))[at],
            (toolchains or ["gcc 12"] * len(values))[at],
        )
        for at, value in enumerate(values)
    ]
    return History("toy_board_a", "latency_us", "latency", "us", limit, tuple(points))


def test_fewer_than_two_points_are_no_trend():
    assert trend(history([])) is trend(history([1.0])) is None


def test_the_newest_point_is_at_the_right_and_the_budget_in_the_plot():
    plot = trend(history([100.0, 110.0, 120.0], limit=200.0))
    ((source, line),) = plot.lines
    places = [tuple(map(float, point.split(","))) for point in line.split()]
    assert source == "predicted"
    assert [x for x, _ in places] == [0, 50, 100]
    assert places[0][1] > places[1][1] > places[2][1] > float(plot.budget) > 0
    assert plot.newest[0] == (f"{2:040x}"[:10], "120.0 µs")
    assert plot.words == "latency of toy_board_a over 3 commits: from 100.0 µs to 120.0 µs, budget 200.0 µs"


def test_predicted_and_measured_are_two_lines_and_another_toolchain_is_marked():
    plot = trend(history([1.0, 2.0, 3.0], sources=["predicted", "measured", "predicted"], toolchains=["a", "a", "b"]))
    assert [source for source, _ in plot.lines] == ["predicted", "measured"]
    assert [len(line.split()) for _, line in plot.lines] == [2, 1]
    assert plot.marks == (("100.00", f"{2:040x}"[:10] + ": b"),)


@given(values=st.lists(st.floats(-1e15, 1e15), min_size=2, max_size=30), limit=st.none() | st.floats(-1e15, 1e15))
def test_nothing_is_drawn_outside(values, limit):
    plot = trend(history(values, limit))
    points = [tuple(map(float, point.split(","))) for _, line in plot.lines for point in line.split()]
    assert all(0 <= x <= 100 and -0.01 <= y <= 30.01 for x, y in points)


def test_a_long_history_is_cut_to_its_newest():
    plot = trend(history([float(at) for at in range(10_000)]))
    assert len(plot.lines[0][1].split()) == MOST_POINTS
    assert plot.newest[0][1] == "9,999.0 µs"


def test_the_page_draws_the_trend_of_its_cells_only(verdicts):
    report = assemble(verdicts["one_regress"], "toy")
    page = whole(report, [history([100.0, 110.0], 200.0, toolchains=["a", "<b>&"])])
    assert page.count("<svg") == page.count("<polyline") == 1
    assert "another toolchain" in page
    assert "<b>&" not in page.partition("<main")[2]
    other = History("another", "latency_us", "latency", "us", None, history([1.0, 2.0]).points)
    assert "<svg" not in whole(report, [other])


def test_the_history_of_main_becomes_trends_by_testbed(toys):
    base = {
        "schema": "history",
        "version": 1,
        "subject": "x",
        "cell": "toy_board_a",
        "task": "toy",
        "board": "board_a",
        "testbed": "virtual_board_a",
        "toolchain": "gcc 12",
        "model": "0123",
        "source": "predicted",
        "evidence": "validated",
        "unit": "fraction",
        "better": "higher",
        "image": "b" * 64,
        "loads": 0,
        "budgets": {"latency_us": 2500},
    }

    def line(at, **changed):
        when = {"commit": f"{at:040x}", "date": f"2026-01-{at + 1:02}T00:00:00Z"}
        values = {"accuracy": 0.98, "flash_bytes": 100_000 + at, "ram_bytes": 20_000, "latency_us": 2000.0 + at}
        return line_from({**base, **when, "values": values, **changed})

    past = histories([line(1), line(0), line(2, cell="another")], ["toy_board_a"])
    assert [(one.name, one.unit, one.limit, len(one.points)) for one in past] == [
        ("accuracy", "fraction", None, 2),
        ("flash", "bytes", None, 2),
        ("RAM", "bytes", None, 2),
        ("latency", "us", 2500, 2),
    ]
    assert [(point.value, point.source) for point in past[3].points] == [(2000.0, "predicted"), (2001.0, "predicted")]
    assert {point.source for point in past[1].points} == {"counted"}
    bench = line(3, source="measured", evidence="measured", testbed="0042", loads=3)
    names = {one.name for one in histories([line(0), bench], ["toy_board_a"])}
    assert {"latency on 0042", "latency on virtual_board_a"} <= names
