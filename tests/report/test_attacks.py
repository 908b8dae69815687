"""Names that attack each format, seen as its reader sees them: Markdown through a parser, terminal as a job's log."""

from __future__ import annotations

import copy
import io
import json
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from hilgate.report import terminal
from hilgate.report.assemble import assemble
from hilgate.report.document import document
from hilgate.report.markdown import LONGEST_BYTES, render
from hilgate.report.page import whole

ALLOWED = set("h2 h3 p ul li table thead tbody tr th td code pre details summary sub strong a".split())
NAMING = re.compile(r"@\w|#\d|\bGH-\d|https?://|www\.|(?<!\w):[a-z_]+:(?!\w)|\$(?!\u200b)")
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200e-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0041\ud800]"
)
ATTACKS = {
    "mention": "@everyone and @octocat/team",
    "issue": "#1 octo/repo#2 GH-3",
    "link": "[x](http://evil.example) <http://evil.example> www.evil.example https://evil.example",
    "image": "![x](http://evil.example/x.png) <img src=x onerror=alert(1)>",
    "html": "</details></sub><script>alert(1)</script><!-- hilgate:verdict --><a href=//x>y</a>",
    "table": "| a | b |\n|---|---|\n",
    "heading": "\n\n# heading\n\n- list\n\n> quote\n\n---\n",
    "fence": "```\n~~~\n    code\n`` ` ``",
    "bidi": "\u202egnp.exe\u2066\u2069\u200f\u061c",
    "control": "\x1b[31m\x1b]8;;http://evil.example\x07x\x1b]8;;\x07\x00\x08\x7f\x9b",
    "invisible": "a\u200bb\u2060c\ufeffd\u00ade\U000e0041",
    "stacked": "Z\u0351\u036b\u0343a\u0300\u0301",
    "math": "$x^2$ $$\\href{http://evil.example}{x}$$ \\(x\\)",
    "emoji": ":tada: :octocat:",
    "entity": "&lt;script&gt; &#60;b&#62; &nbsp;",
    "command": "::error::x ::set-output name=a::b ##[set-env name=PATH]x",
    "shell": "$(id) `id` ${{ github.token }} {{ 7*7 }} {% raw %}",
    "surrogate": "\ud800x",
}
FIELDS = {  # where foreign text comes in
    "cell": lambda doc, text: doc["cells"][0].update(cell=text),
    "task": lambda doc, text: doc["cells"][0].update(task=text, board=text),
    "layer": lambda doc, text: doc["cells"][0]["changes"]["layers"][2].update(name=text),
    "kernel": lambda doc, text: doc["cells"][0]["changes"]["layer_facts"][1]["head"].update(kernel=text, op=text),
    "symbol": lambda doc, text: doc["cells"][0]["changes"]["symbols"][0].update(name=text, memory=text),
    "section": lambda doc, text: doc["cells"][0]["changes"]["sections"][0].update(name=text),
    "piece": lambda doc, text: doc["cells"][0]["changes"]["image"][0].update(name=text, memory=text),
    "stack": lambda doc, text: doc["cells"][0]["changes"]["stack_path"].update(head=["main (8)", text]),
    "environment": lambda doc, text: doc["cells"][0]["changes"]["environment"].append(
        {"name": text, "base": text, "head": text}
    ),
    "provenance": lambda doc, text: doc["cells"][0]["facts"]["head"]["environment"].update({text: text}),
    "reason": lambda doc, text: doc["cells"][0]["checks"][0].update(reason=text, outcome="fail"),
    "param": lambda doc, text: doc["params"].append({"name": text, "base": text, "head": text}),
    "package": lambda doc, text: doc["dependencies"].append({"name": text, "base": text, "head": text}),
    "note": lambda doc, text: doc["notes"].append(text),
    "request": lambda doc, text: doc["requests"].append(
        dict.fromkeys(("kind", "cell", "what", "base", "head", "effect"), text)
    ),
    "new cell": lambda doc, text: doc["requests"].extend(
        {**dict.fromkeys(("cell", "what", "base", "head"), text), "kind": kind, "effect": "adds"}
        for kind in ("cell", "budget")
    ),
    "label": lambda doc, text: [doc[side].update(label=text, origin=text) for side in ("base", "head")],
    "policy": lambda doc, text: doc.update(policy=text, approved_by=text),
}


@pytest.fixture(scope="module")
def attacked(verdicts):
    """(field, attack) -> one_regress with each attack in every field, and with all attacks in each field."""
    found = {}
    for attack, text in ATTACKS.items():
        found["all", attack] = copy.deepcopy(verdicts["one_regress"])
        for put in FIELDS.values():
            put(found["all", attack], text)
    for field, put in FIELDS.items():
        for attack, text in (
            ("all", " ".join(ATTACKS.values())),
            ("all backwards", " ".join([*ATTACKS.values()][::-1])),
        ):
            found[field, attack] = copy.deepcopy(verdicts["one_regress"])
            put(found[field, attack], text)
    return found


class Seen(HTMLParser):
    """What a browser would make of rendered Markdown: tags, attributes, and text outside of code."""

    def __init__(self, markdown):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.comments, self.code = [], [], [], [], 0
        self.feed(MarkdownIt("commonmark").enable("table").enable("strikethrough").render(markdown))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value) for name, value in attrs if name != "style"]
        self.code += tag in ("code", "pre")

    def handle_endtag(self, tag):
        self.code -= tag in ("code", "pre")

    def handle_comment(self, data):
        self.comments.append(data.strip())

    def handle_data(self, data):
        if not self.code:
            self.text.append(data)


def test_markdown_has_only_our_tags_and_no_link_of_theirs(attacked):
    for key, verdict in attacked.items():
        seen = Seen(render(verdict, "toy"))
        assert set(seen.tags) <= ALLOWED, (key, set(seen.tags) - ALLOWED)
        assert not seen.attributes, (key, seen.attributes)
        assert len(seen.comments) == 2 and seen.comments[0] == "hilgate:verdict", key
        assert seen.tags.count("h2") == 1, key


def test_markdown_names_nobody_and_nothing(attacked):
    """Outside of code GitHub resolves mentions, references, addresses, emoji and mathematics."""
    for key, verdict in attacked.items():
        text = "\n".join(Seen(render(verdict, "toy")).text)
        found = NAMING.search(text)
        assert not found, (key, text[max(0, found.start() - 40) : found.end() + 40] if found else "")


def test_no_format_shows_what_cannot_be_seen(attacked):
    for key, verdict in attacked.items():
        report = assemble(verdict, "toy")
        for text in (render(verdict, "toy"), whole(report), printed(verdict, 100)):
            text.encode()
            assert not UNSEEN.search(text), key
        json.dumps(document(report))


def test_a_jobs_log_obeys_no_name(attacked):
    """GitHub's runner: `::name` at the start of a line, spaces before it or not; `##[name]` anywhere."""
    for key, verdict in attacked.items():
        for width in (80, 83, 101, 120) if key[1] == "command" else (80,):
            lines = printed(verdict, width).splitlines()
            assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line], key


def test_a_page_has_no_tag_of_theirs(attacked):
    for (field, attack), verdict in attacked.items():
        page = whole(assemble(verdict, "toy"))
        assert "<script" not in page and "<img" not in page and "javascript:" not in page, (field, attack)
        assert not re.search(r"<a (?!class=\"skip\" )(?!href=\"#cell-)", page), (field, attack)
        assert page.count("</details>") == page.count("<details"), (field, attack)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_stands_around_a_verdict_attacks_no_format(verdicts, toys, attack):
    text = ATTACKS[attack]
    context = toys.context(
        missing=[{"what": text, "command": text}],
        hardware=[{"board": "board_a", "state": state, "reason": text} for state in ("waiting", "absent")],
        approval={"state": "given", "by": text, "sha": toys.HEAD_SHA},
        cells=[{"cell": text, "state": "refused", "error": f"{text}\n{text}"}],
        claims=[{"cell": text, "what": text, "claimed": text, "recomputed": text}],
    )
    verdict = verdicts["all_pass"]
    seen = Seen(render(verdict, "toy", context=context))
    assert set(seen.tags) <= ALLOWED
    assert [value for name, value in seen.attributes if name == "href"] == [context["run_url"]]
    assert len(seen.comments) == 2 and seen.tags.count("h2") == 1
    assert not NAMING.search("\n".join(seen.text))
    report = assemble(verdict, "toy", (), context)
    page, log = whole(report), printed(verdict, 83, context)
    assert not UNSEEN.search(page + log)
    assert "<script" not in page and "<img" not in page and page.count("</details>") == page.count("<details")
    assert not [line for line in log.splitlines() if line.lstrip().startswith("::") or "##[" in line]


def test_a_thousand_attacks_fit_a_comment(attacked):
    verdict = copy.deepcopy(attacked["reason", "all"])
    for put in FIELDS.values():
        for text in ATTACKS.values():
            put(verdict, text * 50)
    verdict["cells"] = verdict["cells"] * 300
    assert len(render(verdict, "toy").encode()) <= LONGEST_BYTES


def printed(verdict, width, context=None):
    console = Console(file=io.StringIO(), width=width, no_color=True, force_terminal=False, highlight=False)
    terminal.show(verdict, console, context)
    return console.file.getvalue()
