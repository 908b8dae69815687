"""The HTML page: whole, without script or network, and foreign names are only text in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from hilgate.report.page import render

VOID = {"meta", "br", "img", "input", "link", "hr"}


class Outline(HTMLParser):
    """Tags, attributes and text of a page; `problems`: tags that do not close as they opened."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.problems, self.tags, self.attributes, self.words = [], [], [], [], []
        self.feed(text)
        self.problems += self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(tag)

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def pages(verdicts, contexts):
    return {name: Outline(render(verdict, "toy", context=contexts[name])) for name, verdict in verdicts.items()}


def test_every_situation_is_well_formed(pages):
    for name, page in pages.items():
        assert page.problems == [], name
        assert page.tags.count("h1") == page.tags.count("main") == 1


def test_no_script_and_nothing_from_the_network(pages):
    for page in pages.values():
        assert not {"script", "iframe", "object", "embed", "img", "link", "form", "base"} & set(page.tags)
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
        links = [value for _, name, value in page.attributes if name in ("href", "src")]
        assert all(value.startswith("#") or value.startswith("https://github.com/acme/") for value in links)
        policies = [value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value]
        assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_style_widths_are_numbers(pages):
    for page in pages.values():
        styles = [value for _, name, value in page.attributes if name == "style"]
        place = r"left:\d{1,3}\.\d\d%;top:\d{1,3}\.\d\d%;width:\d{1,3}\.\d\d%;height:\d{1,3}\.\d\d%"
        assert all(re.fullmatch(rf"(width|left):\d{{1,3}}\.\d{{1,2}}%|{place}", value) for value in styles)


def test_hostile_names_are_text_without_invisible_characters(pages):
    text = " ".join(pages["hostile_names"].words)
    assert "<img src=x onerror=alert(1)>" in text
    assert not re.search("[\u202e\u200b\x1b\x07]", text)


def test_plots_have_words_for_those_who_do_not_see_them(pages):
    page = pages["one_regress"]
    labelled = [value for _, name, value in page.attributes if name == "aria-label"]
    pictures = [value for _, name, value in page.attributes if (name, value) == ("role", "img")]
    assert len(pictures) == 4 + 4 + 2  # four meters, two stacks of two sides, two maps
    assert "this PR: weights 80,682 bytes, kernels 5,250 bytes, runtime 15,000 bytes" in labelled
    assert "flash, largest: dense 61,736 bytes, conv2d_3 12,050 bytes" in "\n".join(labelled)
    assert "85.7 percent of the budget used" in labelled


def test_the_outcome_stands_first_in_title_and_heading(verdicts, pages):
    for name, page in pages.items():
        assert "".join(page.words).lstrip().startswith(f"{verdicts[name]['outcome']}: toy"), name


def test_the_page_follows_the_readers_preferences(verdicts):
    text = render(verdicts["all_pass"], "toy")
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text
    assert ":focus-visible" in text
