"""No foreign text becomes syntax, a mention, a link, a control sequence or invisible."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.report.escape import Markdown, markdown_name, markdown_text, visible

NASTY = st.text(st.sampled_from("ab1 `|<>&@#*_[]()!~\\/:.$-\n\t\u202e\u200b\x1b\x00\u0301é漢'\""), max_size=60)


@given(text=st.one_of(st.text(max_size=200), NASTY))
def test_visible_text_is_one_line_without_invisible_characters(text):
    shown = visible(text)
    assert not any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Mn"} for letter in shown.rstrip("…"))


@given(text=NASTY)
def test_a_name_is_always_exactly_one_code_span(text):
    name = markdown_name(text)
    assert re.fullmatch(r"`[^`|<@\\]+`|<code>([^\W_]|[ ]|&#\d+;)*</code>", name), name


@given(text=NASTY)
def test_a_sentence_has_no_bare_syntax(text):
    outside = re.sub(r"`[^`|<@\\]+`|<code>[^<]*</code>", "", markdown_text(text))
    assert not re.search(r"[`|<>@*\[\]!~\\\n]|(?<!&)#", outside), outside
    assert not re.search(r"://|www\.|(^|\W)_|_(\W|$)", outside), outside


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flash: +1,204 B (+0.92 %)", "flash: +1,204 B (+0.92 %)"),
        ("layer `fc1` of `a_b`", "layer `fc1` of `a_b`"),
        ("hi @everyone", "hi &#64;&#8203;everyone"),
        ("see #12", "see &#35;&#8203;12"),
        ("a|b", "a&#124;b"),
        ("<b>", "&#60;b&#62;"),
        ("http://x.example", "http:&#8203;//x.example"),
        ("WWW.x.example", "WWW&#8203;.x.example"),
        ("snake_case _emphasis_", "snake_case &#95;emphasis&#95;"),
        ("one ` backtick", "one ' backtick"),
        ("\u202eevil", "&#91;U+202E&#93;evil"),
        ("two\nlines", "two lines"),
    ],
)
def test_examples(text, expected):
    assert markdown_text(text) == expected


def test_what_is_markdown_already_stays():
    assert markdown_text(Markdown("**b**")) == "**b**"


def test_long_names_are_cut():
    assert len(visible("x" * 1000, 80)) == 81
