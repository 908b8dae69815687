"""The page in a real browser: fits a phone, works by keyboard, readable in the dark, asks the network for nothing."""

from __future__ import annotations

import pytest

from hilgate.report.page import render
from hilgate.report.trend import History, Point

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OUTSIDE = """[...document.querySelectorAll('body *')].filter(e => !e.closest('.wide, .map, .skip, .hidden, pre, svg')
  && e.getClientRects().length && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))"""
CONTRAST = """(() => {
  const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const numbers = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = numbers(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c;
  } return [255, 255, 255] };
  const poor = [];
  for (const e of document.querySelectorAll('p, li, td, th, h1, h2, h3, b, dd, dt, summary, small, a, code, .map i')) {
    if (!e.textContent.trim() || !e.getClientRects().length) continue;
    const [a, b] = [light(numbers(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)} ${e.textContent.trim().slice(0, 30)}`);
  }
  return poor;
})()"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory, verdicts, contexts):
    """Situation -> its page as a file, with a trend where a cell has a past."""
    points = tuple(Point(f"{at:040x}", 1900.0 + at % 7, "predicted", f"gcc {12 + at // 40}") for at in range(60))
    past = [History("toy_board_a", "latency_us", "latency", "us", 2500.0, points)]
    folder = tmp_path_factory.mktemp("pages")
    for name, verdict in verdicts.items():
        (folder / f"{name}.html").write_text(render(verdict, "toy", (), contexts[name], past), "utf-8")
    return folder


@pytest.fixture(scope="module")
def phone(browser_module):
    with browser_module.Browser(width=360, height=740, dark=True, phone=True) as browser:
        yield browser


@pytest.fixture(scope="module")
def desktop(browser_module):
    with browser_module.Browser() as browser:
        yield browser


NAMES = ["one_regress", "forty_cells", "budget_change_requested", "hostile_names", "first_run_ever"]


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_a_phone_and_is_readable_in_the_dark(phone, pages, name):
    phone.open(pages / f"{name}.html")
    phone.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert phone.evaluate(OVERFLOW) <= 0, phone.evaluate(OUTSIDE)
    assert phone.evaluate(OUTSIDE) == []
    assert phone.evaluate(CONTRAST) == []


def test_these_measures_find_what_is_wrong(phone, pages):
    phone.open(pages / "one_regress.html")
    wrong = "document.querySelector('h1').style = 'color: #777; width: 900px'"
    phone.evaluate(wrong)
    assert phone.evaluate(OVERFLOW) > 0
    assert [found for found in phone.evaluate(OUTSIDE) if found.startswith("H1")]
    assert [found for found in phone.evaluate(CONTRAST) if found.startswith("H1")]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_readable_by_day_and_asks_for_nothing(desktop, pages, name):
    desktop.requests.clear()
    desktop.open(pages / f"{name}.html")
    desktop.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert desktop.evaluate(OVERFLOW) <= 0
    assert desktop.evaluate(CONTRAST) == []
    assert [url for url in desktop.requests if not url.startswith(("file:", "about:"))] == []
    assert desktop.complaints == []


def test_a_keyboard_reaches_the_cells_and_opens_what_is_folded(desktop, pages):
    desktop.open(pages / "one_regress.html")
    seen = []
    for _ in range(40):
        desktop.press("Tab")
        seen.append(
            desktop.evaluate("document.activeElement.className + ' ' + document.activeElement.textContent.trim()")
        )
        if "Evidence, statistics, provenance" in seen[-1]:
            break
    assert seen[0] == "skip Skip to the cells"
    assert desktop.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert not desktop.evaluate("document.activeElement.parentElement.open")
    desktop.press("Enter")
    assert desktop.evaluate("document.activeElement.parentElement.open")


def test_bars_boxes_and_lines_are_drawn(desktop, pages):
    desktop.open(pages / "one_regress.html")
    width = "document.querySelectorAll('.bars i.{0}')[{1}].getBoundingClientRect().width"
    assert desktop.evaluate(width.format("head", 2)) > desktop.evaluate(width.format("base", 2)) > 50
    boxes = desktop.evaluate(
        "[...document.querySelector('.map').children].map(e => e.getBoundingClientRect()).map(r => r.width * r.height)"
    )
    whole = desktop.evaluate("(r => r.width * r.height)(document.querySelector('.map').getBoundingClientRect())")
    assert sum(boxes) == pytest.approx(whole, rel=0.01)
    assert boxes[0] / whole == pytest.approx(61_736 / 86_232, rel=0.02)
    line = desktop.evaluate("(r => [r.width, r.height])(document.querySelector('polyline').getBoundingClientRect())")
    assert line[0] > 500 and line[1] > 0


def test_names_do_not_become_part_of_the_page(desktop, pages):
    desktop.open(pages / "hostile_names.html")
    assert desktop.evaluate("document.images.length + document.scripts.length + document.forms.length") == 0
    assert desktop.evaluate("[...document.links].every(a => a.hash || a.host === 'github.com')")
