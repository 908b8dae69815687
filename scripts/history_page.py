"""How long the trend page takes for a long synthetic history: `make bench` runs it and writes docs/history_page.json.

The numbers of the history are made up; only the times are measured: a fresh headless Chromium with an empty profile
for each load of the file. `drawn_ms` is the page's own clock, from the start of the navigation until the frame with the
plots has been shown; `other_range_ms` is how long the page takes to draw another range of commits.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from browser import Browser

from hilgate.history.branch import Content
from hilgate.history.line import Line
from hilgate.history.page import render

START = datetime(2016, 1, 1, tzinfo=UTC)
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
REDRAW = """(() => {
  const range = document.getElementById("range"), began = performance.now();
  range.value = "3000";
  range.dispatchEvent(new Event("change"));
  return performance.now() - began;
})()"""


def synthetic(commits: int, cells: int, seed: int = 1) -> Content:
    """A history in which every value moves at every commit: more than any real one has to draw."""
    generator = np.random.default_rng(seed)
    lines: list[Line] = []
    for cell in range(cells):
        walks = {
            "accuracy": np.round(
                0.95 + 0.02 * np.sin(np.arange(commits) / 900) + 0.001 * generator.standard_normal(commits), 4
            ),
            "flash_bytes": 100_000 + np.cumsum(generator.integers(-90, 100, commits)),
            "ram_bytes": 40_000 + np.cumsum(generator.integers(-45, 50, commits)),
            "latency_us": 5000 + np.cumsum(generator.normal(0.05, 4, commits)),
        }
        measured = cell % 4 == 3
        for at in range(commits):
            lines.append(_line(cell - measured, measured, at, {name: walk[at].item() for name, walk in walks.items()}))
    return Content({line.key: line for line in lines})


def _line(cell: int, measured: bool, at: int, values: dict[str, float]) -> Line:
    version = 12 + (at > 4000) + (at > 7500)
    return Line(
        commit=f"{at * 2654435761 % 2**64:016x}{at:024x}",
        date=(START + timedelta(hours=9 * at)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        subject=f"Change number {at}: <b>made up</b>, to fill a page",
        cell=f"task{cell}_board",
        task=f"task{cell}",
        board="board",
        testbed="0123456789abcdef" if measured else "virtual_board",
        toolchain=f"arm-none-eabi-gcc {version}.2.1",
        model="" if measured else "0123456789ab",
        source="measured" if measured else "predicted",
        evidence="measured" if measured else "validated",
        unit="fraction",
        better="higher",
        image="a" * 64,
        loads=32 if measured else 0,
        values=values,
        budgets={
            "accuracy": 0.9,
            "flash_bytes": 180_000 if at < 6000 else 160_000,
            "ram_bytes": 65_536,
            "latency_us": 8000,
        },
    )


def drawn_ms(page: Path, width: int, height: int, fragment: str) -> tuple[int, float]:
    """Milliseconds until the page says that its plots are on the screen, and those of drawing another range."""
    with Browser(width, height, phone=width < 500) as browser:
        browser.open(page, fragment)
        drawn = int(browser.wait_for("document.documentElement.dataset.drawnMs"))
        return drawn, float(browser.evaluate(REDRAW))


def measure(commits: int, cells: int, loads: int) -> dict[str, Any]:
    """Sizes and times of one synthetic history."""
    content = synthetic(commits, cells)
    began = time.monotonic()
    text = render(content, "synthetic", "https://example.org/owner/name")
    render_s = time.monotonic() - began
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "index.html"
        page.write_text(text)
        found = {
            f"{name}{fragment}": [drawn_ms(page, *size, fragment) for _ in range(loads)]
            for name, size in SIZES.items()
            for fragment in ("", "#last=300")
        }
    with Browser() as browser:
        version = browser.call("Browser.getVersion")["product"]
    return {
        "commits": commits,
        "series": cells,
        "values": sum(len(line.values) for line in content.lines.values()),
        "page_bytes": len(text.encode()),
        "written_s": round(render_s, 1),
        "browser": version,
        "drawn_ms": {name: _summary([first for first, _ in times]) for name, times in found.items()},
        "other_range_ms": {name: _summary([second for _, second in times]) for name, times in found.items()},
    }


def _summary(times: list[Any]) -> dict[str, Any]:
    return {"median": statistics.median(times), "all": [round(one, 1) for one in times]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=10_000)
    parser.add_argument("--cells", type=int, default=20)
    parser.add_argument("--loads", type=int, default=5)
    parser.add_argument("--out", type=Path, help="a JSON file for the result")
    parser.add_argument("--page", type=Path, help="keep the page here, to look at")
    options = parser.parse_args()
    if options.page:
        content = synthetic(options.commits, options.cells)
        options.page.write_text(render(content, "synthetic", "https://example.org/owner/name"))
        return
    result = json.dumps(measure(options.commits, options.cells, options.loads), indent=1)
    print(result)
    if options.out:
        options.out.write_text(result + "\n")


if __name__ == "__main__":
    main()
