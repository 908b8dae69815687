"""Whatever stands in a measurement, it is refused in one line or judged and shown: nothing crashes on the way."""

from __future__ import annotations

import copy
import io
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml
from rich.console import Console

from hilgate.artifacts import parse_json
from hilgate.errors import ArtifactError
from hilgate.gate.judge import judge
from hilgate.gate.measured import parse_measurement
from hilgate.report import junit, markdown, page, terminal
from hilgate.report.annotations import annotate
from hilgate.report.assemble import assemble
from hilgate.report.document import document

NASTY = st.text(st.sampled_from("ab `|<>&@#*_[](){}%!~\\/:.\n\t\u202e\x1b\x00é漢\ud800"), max_size=400)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**70),
    st.floats(),
    NASTY,
    st.lists(st.integers(0, 2**33), max_size=3),
    st.dictionaries(NASTY, st.integers(0, 5), max_size=2),
    st.sampled_from(["measured", "predicted", "validated", "elsewhere", 0, 1, "0" * 64]),
)


def places(node, path=()):
    """Every path into a document."""
    if path:
        yield path
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield from places(node[key], (*path, key))


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_mutated_measurement_is_refused_or_shown(gate, data):
    document = gate.measurement_document()
    for path in data.draw(st.lists(st.sampled_from(list(places(document))), min_size=1, max_size=3)):
        node = document
        try:
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = data.draw(VALUES)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier mutation took the place away
    samples = gate.samples_text([0] * 20 + [1] * 980)
    try:
        head = parse_measurement(json.dumps(document), "measurement.json", samples)
    except ArtifactError as error:
        assert "\n" not in str(error)
        return
    verdict = judge(
        gate.make_policy(), gate.make_side("main", gate.make_measurement()), gate.make_side("this PR", head)
    )
    show(json.dumps({"schema": "verdict", "version": 1, **verdict.document()}))


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_mutated_verdict_is_refused_or_shown(verdicts, data):
    document = copy.deepcopy(
        verdicts[data.draw(st.sampled_from(["one_regress", "budget_change_requested", "cell_missing"]))]
    )
    path = data.draw(st.sampled_from(list(places(document))))
    node = document
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = data.draw(VALUES)
    show(json.dumps(document))


def show(text):
    """Check a verdict as report does, and render every format of it."""
    try:
        verdict = parse_json(text, "verdict", where="verdict.json")
    except ArtifactError as error:
        assert "\n" not in str(error)
        return
    assert len(markdown.render(verdict, "toy").encode("utf-8", "strict")) <= markdown.LONGEST_BYTES
    report = assemble(verdict, "toy")
    page.whole(report).encode("utf-8", "strict")
    JUnitXml.fromstring(junit.render(report).encode("utf-8", "strict"))
    json.dumps(document(report), allow_nan=False).encode("utf-8", "strict")
    assert not [note for note in annotate(report, "gate: {}") if "\n" in note.as_command()]
    console = Console(file=io.StringIO(), width=80, highlight=False)
    terminal.show(verdict, console)
    assert not set(console.file.getvalue()) & set("\x1b\x00\u202e")


LONG = st.text(st.sampled_from("a `|<@#[:\u202e漢"), max_size=300)
PAIR = st.fixed_dictionaries({"name": LONG, "base": LONG, "head": LONG})


@settings(max_examples=30, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cells=st.integers(0, 60),
    texts=st.lists(LONG, max_size=60),
    pairs=st.lists(PAIR, max_size=60),
)
def test_a_comment_is_never_too_long(verdicts, toys, cells, texts, pairs):
    verdict = copy.deepcopy(verdicts["one_regress"])
    verdict["cells"] = [{**verdict["cells"][0], "cell": text} for text in [*texts, "x"] * 60][:cells]
    requests = [{"kind": "budget", "cell": p["name"], "what": p["base"], "effect": "loosens", **p} for p in pairs]
    verdict |= {"notes": texts, "params": pairs, "dependencies": pairs, "requests": requests}
    verdict["base"] = {**verdict["base"], "label": "".join(texts), "origin": "".join(texts)}
    claims = [{"cell": text, "what": text, "claimed": text, "recomputed": text} for text in texts]
    missing = [{"what": text, "command": text} for text in texts]
    failed = [{"cell": text, "state": "failed", "error": text * 13} for text in texts]
    context = toys.context(claims=claims, missing=missing, cells=failed) if cells % 2 else None
    text = markdown.render(verdict, "".join(texts) or "toy", context=context)
    assert len(text.encode()) <= markdown.LONGEST_BYTES
    assert text.count("<details") == text.count("</details>")
