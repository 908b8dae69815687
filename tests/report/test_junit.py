"""JUnit XML: valid, read by a standard reader, and nothing that did not pass looks as if it had."""

from __future__ import annotations

from pathlib import Path

import pytest
import xmlschema
from junitparser import Error, Failure, JUnitXml, Skipped

from hilgate.report.assemble import assemble
from hilgate.report.junit import render

SCHEMA = Path(__file__).parent / "junit.xsd"


@pytest.fixture(scope="module")
def documents(verdicts, contexts):
    return {name: render(assemble(verdict, "toy", (), contexts[name])) for name, verdict in verdicts.items()}


def cases(text):
    return [case for suite in JUnitXml.fromstring(text.encode()) for case in suite]


def results(text, kind):
    return [result for case in cases(text) for result in case.result if isinstance(result, kind)]


def test_every_situation_is_valid(documents):
    schema = xmlschema.XMLSchema(SCHEMA)
    for name, text in documents.items():
        errors = [str(error) for error in schema.iter_errors(text)]
        assert not errors, (name, errors[:1])


def test_the_schema_refuses_what_is_wrong(documents):
    schema = xmlschema.XMLSchema(SCHEMA)
    text = documents["one_regress"]
    for old, new in (("<failure", "<broken"), ('tests="', 'test="'), ('errors="0"', 'errors="none"')):
        assert not schema.is_valid(
            text.replace(old, new).replace("</failure", "</broken" if "broken" in new else "</failure")
        )


def test_what_did_not_pass_is_a_failure_or_an_error(documents, verdicts):
    for name, verdict in verdicts.items():
        bad = len(results(documents[name], Failure)) + len(results(documents[name], Error))
        blocked = [cell for cell in verdict["cells"] if cell["outcome"] not in ("pass", "warn")]
        assert (bad > 0) == bool(blocked), name
        assert len(results(documents[name], Failure)) == sum(
            check["outcome"] == "fail"
            for cell in verdict["cells"]
            for check in [*cell["checks"], *(check for axis in cell["axes"] for check in axis["checks"])]
        ), name


def test_counts_are_those_of_the_cases(documents):
    for text in documents.values():
        read = JUnitXml.fromstring(text.encode())
        assert read.tests == len(cases(text))
        assert (read.failures, read.errors) == (len(results(text, Failure)), len(results(text, Error)))


def test_a_failure_tells_its_reason_and_its_cause(documents):
    (failure,) = results(documents["one_regress"], Failure)
    assert failure.message.startswith("latency: +142.0 µs (+7.10 %) against main")
    assert "conv2d_3 +18 %; its input channels went 24 → 25" in failure.text


def test_what_is_not_judged_is_skipped_with_its_reason(documents):
    (skipped,) = results(documents["metric_skipped"], Skipped)
    assert "this machine has no cycle counter" in skipped.message


def test_inconclusive_and_waiting_are_errors(documents):
    assert {error.type for error in results(documents["waiting_for_approval"], Error)} == {"waiting"}
    assert {error.type for error in results(documents["inconclusive"], Error)} == {"inconclusive"}


def test_hostile_names_are_text_without_what_xml_forbids(documents):
    text = documents["hostile_names"]
    assert not set(text) & set("\x1b\x07\x00\u202e\ufffe")
    assert any("<img src=x onerror=alert(1)>" in (result.message or "") for result in results(text, Failure))
