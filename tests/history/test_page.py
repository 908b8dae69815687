"""The trend page in a real browser: text without script, plots, keys, pointer, hostile content, no network."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from hilgate.errors import UsageError
from hilgate.history.branch import Content, Damage
from hilgate.history.page import render, repository_address, web_address, write_page

DRAWN = "document.documentElement.dataset.drawnMs"
INKED = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(value => value)"
EVIL = "</script><script>window.hit=1</script><img src=x onerror=window.hit=1> [x](https://x.example) @everyone &lt;"


@pytest.fixture(scope="module")
def browser(browser_module):
    with browser_module.Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def content(line):
    """Two cells of 400 commits, one of them measured as well; the toolchain changes, a budget too."""
    lines = []
    for at in range(400):
        changed = {"toolchain": "gcc 12" if at < 250 else "gcc 13", "subject": EVIL if at == 399 else f"Change {at}"}
        values = {"accuracy": 0.98, "flash_bytes": 100_000 + at, "ram_bytes": 20_000, "latency_us": 2000.0 + at % 7}
        budgets = {"flash_bytes": 150_000 if at < 300 else 100_300, "accuracy": 0.97}
        lines.append(line(at, values=dict(values), budgets=budgets, **changed))
        measured = {"source": "measured", "evidence": "measured", "testbed": "0123abcd"}
        if at % 10 == 0:
            lines.append(line(at, values=dict(values), **changed, **measured))
        del values["latency_us"]
        lines.append(line(at, cell="other", task="other", values=values, **changed))
    return Content({one.key: one for one in lines}, (Damage(f"x:{1}", "not valid <b>JSON</b>"),))


@pytest.fixture(scope="module")
def page(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(render(content, "toy <i>project</i>", "https://example.org/owner/name"))
    return path


@pytest.fixture
def opened(browser, page):
    browser.open(page)
    browser.wait_for(DRAWN)
    return browser


def text_of(browser, selector):
    return browser.evaluate(f"document.querySelector({selector!r}).textContent")


def test_without_script_the_latest_values_are_there(page):
    text = page.read_text()
    body = text[: text.index('<script id="data"')]
    for words in ("98.00 %", "100,399 B", "+1 B", "over the budget of 100,300 B", "measured by 0123abcd", "<noscript>"):
        assert words in body
    assert body.count('class="plot"') == 4 + 4 + 3
    assert "skipped x:1: not valid &lt;b&gt;JSON&lt;/b&gt;" in body


def test_the_browser_draws_without_complaint_or_network(opened, page):
    assert opened.complaints == []
    assert {url for url in opened.requests if not url.startswith("about:")} == {page.resolve().as_uri()}
    assert opened.evaluate(f"[...document.querySelectorAll('canvas')].filter({INKED}).length") >= 4


def test_only_what_is_near_the_screen_is_drawn(browser, line, tmp_path):
    lines = [line(at, cell=f"cell{cell}") for cell in range(30) for at in range(3)]
    path = tmp_path / "index.html"
    path.write_text(render(Content({one.key: one for one in lines}), "many"))
    browser.open(path)
    browser.wait_for(DRAWN)
    assert 4 <= browser.evaluate("document.querySelectorAll('canvas').length") < 60
    browser.evaluate("document.querySelectorAll('.plot')[119].scrollIntoView()")
    assert browser.wait_for("document.querySelectorAll('.plot')[119].querySelector('canvas') !== null")


def test_hostile_words_stay_words(opened):
    assert opened.evaluate("window.hit") is None
    assert opened.evaluate("document.querySelectorAll('img, #trends script, #trends i, #trends a').length") == 0
    opened.evaluate("document.querySelector('.plot').focus()")
    assert EVIL[:60] in text_of(opened, "#tip")
    assert opened.evaluate("window.hit") is None
    assert opened.evaluate("document.querySelectorAll('img').length") == 0
    assert opened.evaluate("document.title") == "History of toy <i>project</i>"


def test_keys_walk_through_the_commits(opened):
    opened.evaluate("document.querySelector('.plot[data-metric=flash_bytes]').focus()")
    value = "document.activeElement.getAttribute('aria-valuetext')"
    assert opened.evaluate(value).startswith("100,399 B, +1 B (+0.00 %), 2021-")
    opened.press("ArrowLeft")
    assert "100,398 B" in opened.evaluate(value)
    assert "Change 398" in opened.evaluate(value)
    opened.press("PageDown")
    assert "100,388 B" in opened.evaluate(value)
    opened.press("Home")
    assert "100,000 B, first" in opened.evaluate(value)
    assert opened.evaluate("document.activeElement.getAttribute('aria-valuenow')") == "1"
    opened.press("End")
    assert "100,399 B" in opened.evaluate(value)
    assert opened.evaluate("document.activeElement.getAttribute('role')") == "slider"
    opened.press("Escape")
    assert opened.evaluate("document.getElementById('tip').hidden") is True


def test_the_tip_says_commit_change_budget_and_toolchain(opened):
    opened.evaluate("document.querySelector('.plot[data-metric=flash_bytes]').focus()")
    opened.press("Home")
    for _ in range(25):
        opened.press("PageUp")
    tip = text_of(opened, "#tip")
    assert "100,250 B" in tip
    assert "gcc 12 → gcc 13" in tip
    assert "budget 150,000 B" in tip
    link = opened.evaluate("document.querySelector('#tip a').href")
    assert link == f"https://example.org/owner/name/commit/{250:040x}"[: len(link)]
    assert len(link) == len("https://example.org/owner/name/commit/") + 12


def test_the_pointer_finds_the_nearest_commit(opened):
    plot = "document.querySelector('.plot[data-metric=flash_bytes]')"
    box = opened.evaluate(
        f"(() => {{ const b = {plot}.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; }})()"
    )
    opened.move(box[0] + box[2] / 2, box[1] + box[3] / 2)
    now = int(opened.wait_for(f"{plot}.querySelector('.cursor') && {plot}.getAttribute('aria-valuenow')"))
    assert abs(now - 200) <= 2


def test_a_measured_series_with_gaps_has_its_own_commits(opened):
    plot = "document.querySelector('section:nth-of-type(3) .plot')"
    words = opened.evaluate(
        "[...document.querySelectorAll('.series h2')].map(one => one.textContent.replace(/\\s+/g, ' '))"
    )
    assert words == ["other predicted", "toy_board_a predicted", "toy_board_a measured"]
    opened.evaluate(f"{plot}.focus()")
    assert opened.evaluate(f"{plot}.getAttribute('aria-valuemax')") == "40"
    assert "Change 390" in opened.evaluate(f"{plot}.getAttribute('aria-valuetext')")


def test_range_filter_and_scale_are_kept_in_the_address(opened, page):
    opened.evaluate(
        """(() => {
          const set = (id, name, value, event) => {
            const one = document.getElementById(id);
            one[name] = value;
            one.dispatchEvent(new Event(event));
          };
          set("filter", "value", "TOY measured", "input");
          set("range", "value", "100", "change");
          set("budgets", "checked", false, "change");
        })()"""
    )
    assert opened.evaluate("[...document.querySelectorAll('.series')].map(one => one.hidden)") == [True, True, False]
    fragment = opened.evaluate("location.hash")
    assert fragment == "#cells=TOY+measured&last=100&budgets=0"
    opened.open(page, fragment)
    opened.wait_for(DRAWN)
    assert opened.evaluate("document.getElementById('range').value") == "100"
    assert opened.evaluate("document.querySelectorAll('.series:not([hidden])').length") == 1
    opened.evaluate("document.querySelector('.series:not([hidden]) .plot').focus()")
    opened.press("Home")
    words = opened.evaluate("document.activeElement.getAttribute('aria-valuetext')")
    assert "Change 300" in words


@pytest.mark.parametrize("fragment", ["#last=7", "#last=-1&cells=%00%ff", "#__proto__=1&budgets=x"])
def test_a_strange_address_does_no_harm(browser, page, fragment):
    before = len(browser.complaints)
    browser.open(page, fragment)
    browser.wait_for(DRAWN)
    assert browser.complaints[before:] == []


def test_a_phone_needs_no_sideways_scrolling_and_the_dark_is_dark(browser_module, page):
    with browser_module.Browser(360, 700, dark=True, phone=True) as phone:
        phone.open(page)
        phone.wait_for(DRAWN)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360
        assert phone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 22)"
        assert phone.complaints == []


def test_one_commit_and_none_are_pages_too(browser, line, tmp_path):
    for name, lines in (("one", [line(1)]), ("none", [])):
        path = tmp_path / f"{name}.html"
        path.write_text(render(Content({one.key: one for one in lines}), name))
        browser.complaints.clear()
        browser.open(path)
        browser.wait_for("document.getElementById('controls').hidden === false")
        assert browser.complaints == []
    assert "No commit has been measured yet" in text_of(browser, "#trends")


def test_the_policy_allows_this_script_and_no_other(page):
    text = page.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#)""", text[: text.index('<script id="data"')])


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/owner/name.git", "https://github.com/owner/name"),
        ("https://x-access-token:secret@github.com/owner/name", "https://github.com/owner/name"),
        ("git@github.com:owner/name.git", "https://github.com/owner/name"),
        ("ssh://git@ghe.example.org:2222/owner/name.git", "https://ghe.example.org/owner/name"),
        ("http://localhost:3000/owner/name", "http://localhost:3000/owner/name"),
        ("../remote.git", ""),
        ('https://x.example/a/b"><script>', ""),
        ("javascript:alert(1)//@x:y", ""),
    ],
)
def test_a_remote_becomes_a_web_address_without_its_token(remote, address):
    assert web_address(remote) == address


def test_the_command_writes_the_page(repository, line, run_git, monkeypatch):
    from hilgate.history import branch, history

    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    branch.append(repository, [line(1)])
    command = [sys.executable, "-m", "hilgate.cli", "history", "page", "--out", "site"]
    answer = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.strip().endswith("index.html")
    assert "History of project" in (repository / "site/index.html").read_text()
    assert history.load(repository).lines
    assert repository_address(repository) == ""
    run_git(repository, "remote", "add", "origin", "git@github.com:owner/name.git")
    assert repository_address(repository) == "https://github.com/owner/name"


def test_what_cannot_be_written_or_linked_is_an_error(repository, line, tmp_path):
    content = Content({line(1).key: line(1)})
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_page(repository, content, tmp_path / "file")
    with pytest.raises(UsageError, match="is no address"):
        write_page(repository, content, tmp_path / "out", "javascript:alert(1)")


def test_the_document_tells_the_times_that_were_measured(root):
    """docs/history.md repeats docs/history_page.json, whose goal was 3 s."""
    found = json.loads((root / "docs/history_page.json").read_text())
    page = (root / "docs/history.md").read_text("utf-8")
    assert (found["commits"], found["series"], found["values"]) == (10_000, 20, 800_000)
    rows = re.findall(r"^\| (desktop|phone), [\dx ]+ \| (\d+) ms \| (\d+) ms \| (\d+) ms \|$", page, re.M)
    assert len(rows) == 2
    for name, every, last, other in rows:
        assert int(every) == found["drawn_ms"][name]["median"] < 3000
        assert int(last) == found["drawn_ms"][f"{name}#last=300"]["median"]
        assert int(other) == round(found["other_range_ms"][name]["median"])
