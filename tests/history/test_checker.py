"""The quick check of a line says what jsonschema says, and refuses a schema that it would not fully apply."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.errors import ArtifactError
from hilgate.history.checker import checker, line_checker
from hilgate.history.line import LONGEST_SUBJECT, line_from, parse_line, plain

SCHEMA = json.loads(resources.files("hilgate").joinpath("schemas/history.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FIELDS = sorted(SCHEMA["properties"])
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.integers(10**15, 10**16),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["a" * 40, "a" * 40 + "\n", "predicted", "é", "x" * 300, "2026-13-01T00:00:00Z"]),
)
ANYTHING = st.one_of(
    PLAIN, st.lists(PLAIN, max_size=2), st.dictionaries(st.sampled_from(["accuracy", "ram_bytes", "x"]), PLAIN)
)


@given(st.sampled_from(FIELDS), ANYTHING)
def test_a_changed_field_is_judged_as_jsonschema_does(content, field, value):
    document = content(**{field: value})
    assert (line_checker()(document) == "") == VALIDATOR.is_valid(document)


@given(st.sampled_from(["values", "budgets"]), st.sampled_from(["accuracy", "ram_bytes", "latency_us", "x"]), ANYTHING)
def test_a_changed_value_is_judged_as_jsonschema_does(content, field, metric, value):
    document = content(**{field: {**content()[field], metric: value}})
    assert (line_checker()(document) == "") == VALIDATOR.is_valid(document)


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_field_is_refused(content, field):
    document = content()
    del document[field]
    assert f"has no `{field}`" in line_checker()(document)


@pytest.mark.parametrize("document", [None, 3, [], "text", {}])
def test_what_is_no_line_is_refused(document):
    assert line_checker()(document)


@pytest.mark.parametrize(
    "schema", [{"oneOf": []}, {"type": "array", "items": {}}, {"properties": {}, "additionalProperties": {}}]
)
def test_a_keyword_that_would_be_skipped_is_refused(schema):
    with pytest.raises((KeyError, ValueError)):
        checker(schema)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("NaN", "not valid JSON"),
        ("[" * 3000, "not valid JSON"),
        ("null", "against the schema"),
        ("x" * 5000, "more than 4000 are refused"),
    ],
)
def test_damaged_text_is_refused(text, message):
    with pytest.raises(ArtifactError, match=message):
        parse_line(text)


def test_infinity_is_refused(content):
    text = json.dumps(content()).replace("2000.5", "1e999")
    with pytest.raises(ArtifactError):
        parse_line(text)


def test_text_and_line_are_each_others_inverse(content):
    line = line_from(content(subject="Größer é ü"))
    assert parse_line(line.text()) == line
    assert "\n" not in line.text()
    assert line.text().isascii()


@given(st.text(max_size=300))
def test_a_subject_is_one_harmless_line(text):
    shown = plain(text)
    assert len(shown) <= LONGEST_SUBJECT
    assert shown.isprintable() or "\u00a0" in shown or " " in shown
    assert plain(shown) == shown
    assert not set(shown) & set("\n\r\t\x1b\u202e\u2066\u200b\u2028")
