"""Measurements are claims: what is damaged, implausible or contradicts itself is refused with one clear line."""

from __future__ import annotations

import json

import pytest

from hilgate.errors import ArtifactError
from hilgate.gate.measured import parse_measurement, parse_samples


def set_at(path, value):
    """A mutation of a document: the field at `path` becomes `value`; DELETE removes it."""

    def mutate(document):
        *parents, last = path.split("/")
        node = document
        for key in parents:
            node = node[key]
        if value is DELETE:
            del node[last]
        else:
            node[last] = value
        return document

    return mutate


DELETE = object()
BROKEN = {
    "another schema": (set_at("schema", "samples"), "not a `measurement` file"),
    "no schema": (set_at("schema", DELETE), "not a `measurement` file"),
    "forged version": (set_at("version", 2), "version 2, this hilgate reads 1"),
    "version as text": (set_at("version", "1"), "version '1'"),
    "missing field": (set_at("flash", DELETE), "'flash' is a required property"),
    "unknown field": (set_at("trust_me", True), "trust_me"),
    "negative size": (set_at("flash/total_bytes", -1), "field flash/total_bytes: -1 is less than the minimum of 0"),
    "fractional size": (set_at("flash/total_bytes", 1.5), "field flash/total_bytes"),
    "size as text": (set_at("flash/total_bytes", "1"), "field flash/total_bytes"),
    "size as boolean": (set_at("flash/total_bytes", True), "field flash/total_bytes"),
    "1e308": (set_at("accuracy/value", 1e308), "field 'accuracy/value': 1e+308 is not plausible"),
    "huge integer": (set_at("ram/total_bytes", 10**40), "is not plausible"),
    "integer beyond every float": (set_at("ram/total_bytes", 10**400), "is not plausible"),
    "the same where no schema looks": (set_at("environment/macs", -(10**400)), "'environment/macs': -1000"),
    "infinite environment": (set_at("environment/compiler", 1e300), "'environment/compiler': 1e+300 is not plausible"),
    "short hash": (set_at("hashes/image", "abc"), "field hashes/image"),
    "unknown evidence": (set_at("evidence", "certain"), "field evidence"),
    "no cycles": (set_at("latency/cycles", []), "field latency/cycles"),
    "stopped clock": (set_at("latency/clock_hz", 0), "field latency/clock_hz"),
    "measured by evidence only": (set_at("evidence", "measured"), "contradicts itself: `source` and `evidence`"),
    "measured by source only": (set_at("source", "measured"), "contradicts itself: `source` and `evidence`"),
    "median that cycles do not give": (set_at("latency/median_us", 1.0), "median_us 1 is not what cycles"),
    "part larger than the whole": (
        set_at("flash/weights_bytes", 200_000),
        "the parts of flash are 220000 bytes, flash.total_bytes is 100000",
    ),
    "larger than the board": (
        set_at("flash/capacity_bytes", 50_000),
        "flash.total_bytes 100000 is more than flash.capacity_bytes 50000",
    ),
    "accuracy that samples do not give": (set_at("accuracy/value", 0.99), "accuracy 0.99 is not the mean of samples"),
    "another n than samples": (set_at("accuracy/n", 5), "accuracy.n 5 is not the number of samples"),
    "another metric than samples": (set_at("accuracy/metric", "f1"), "samples.json is of another metric"),
    "another data set than samples": (set_at("hashes/dataset", "0" * 64), "samples.json is of another data set"),
    "more mismatches than vectors": (set_at("parity/mismatches", 51), "more mismatches than vectors"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_measurement_is_refused_in_one_line(make, name):
    mutate, message = BROKEN[name]
    with pytest.raises(ArtifactError) as caught:
        parse_measurement(
            json.dumps(mutate(make.document())), "run/x/measurement.json", make.samples([0] * 20 + [1] * 980)
        )
    text = str(caught.value)
    assert message in text
    assert "measurement.json" in text
    assert "\n" not in text
    assert len(text) < 600


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_what_is_no_number_is_refused(make, number):
    text = json.dumps(make.document()).replace('"value": 0.98', f'"value": {number}')
    assert number in text
    with pytest.raises(ArtifactError, match=r"not a number|not plausible"):
        parse_measurement(text, "measurement.json")


def test_a_key_that_appears_twice_is_refused(make):
    text = json.dumps(make.document()).replace('"flash": {', '"flash": {"total_bytes": 1, ')
    with pytest.raises(ArtifactError, match="a key appears twice"):
        parse_measurement(text, "measurement.json")


@pytest.mark.parametrize("text", ["", "[", "[]", "null", "{" * 100_000, "\0", '{"schema": "measurement"}', "9" * 5000])
def test_what_is_no_measurement_is_refused(text):
    with pytest.raises(ArtifactError):
        parse_measurement(text, "measurement.json")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bits": "!!!!"}, "not base64"),
        ({"bits": "AAAA"}, "3 bytes cannot hold 16 samples"),
        ({"bits": None}, "exactly one of"),
        ({"values": [1.0] * 16}, "exactly one of"),
        ({"bits": None, "values": [1.0] * 15}, "not 16 finite scores"),
        ({"bits": None, "values": [1e300] * 16}, "not 16 finite scores"),
        ({"n": 10}, "padding is not zero"),
        ({"n": 10**30}, "cannot hold"),
        ({"version": 9}, "version 9"),
    ],
)
def test_broken_samples_are_refused(make, changed, message):
    with pytest.raises(ArtifactError, match=message):
        parse_samples(make.samples([1] * 16, **changed), "samples.json")


def test_samples_are_packed_as_numpy_packs_them(make):
    np = pytest.importorskip("numpy")
    bits = [1, 0, 0, 1, 1, 1, 0, 1, 0, 1]
    import base64

    packed = base64.b64encode(np.packbits(np.array(bits, np.uint8)).tobytes()).decode()
    assert parse_samples(make.samples(bits, bits=packed), "x").scores == tuple(map(float, bits))
