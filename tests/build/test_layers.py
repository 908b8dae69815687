"""The account of layers in sizes.json: what the compiler says of each, and how far into the arena it reaches."""

from __future__ import annotations

import pytest

from hilgate.artifacts import write_json
from hilgate.build.layers import layer_rows
from hilgate.errors import ArtifactError


def tensor(name, offset, size, first, last):
    return {"tensor": name, "offset": offset, "bytes": size, "first_layer": first, "last_layer": last}


def layer(name, **changed):
    facts = {"op": "conv2d", "kernel": "conv2d_s8", "input_shapes": [[1, 8, 8, 3]], "output_shape": [1, 8, 8, 4]}
    return {"name": name, **facts, "macs": 100, "weights_bytes": 64, "output_offset": 0, "output_bytes": 4, **changed}


def model(**changed):
    arena = [tensor("in", 64, 32, -1, 0), tensor("mid", 0, 64, 0, 1), tensor("out", 96, 8, 1, 2)]
    plain = {"name": "toy", "source_hash": "a" * 64, "architecture_hash": "b" * 32, "weights_hash": "c" * 64}
    content = {**plain, "input": [], "output": [], "arena": arena, "arena_bytes": 112, "weights_bytes": 128}
    return {**content, "layers": [layer("c1"), layer("c2", kernel="other_s8")], "macs": 200, **changed}


def test_rows_say_what_each_layer_is_and_how_far_it_reaches(tmp_path):
    write_json(tmp_path / "model.json", "model", {**model(), "files": {}, "options": {}})
    rows = layer_rows(tmp_path)
    assert [(row["name"], row["kernel"], row["arena_bytes"]) for row in rows] == [
        ("c1", "conv2d_s8", 96),
        ("c2", "other_s8", 104),
    ]
    assert set(rows[0]) == {
        "name",
        "op",
        "kernel",
        "input_shapes",
        "output_shape",
        "macs",
        "weights_bytes",
        "arena_bytes",
    }


def test_c_that_hilgate_did_not_make_has_no_account(tmp_path):
    assert layer_rows(tmp_path) == []


def test_a_damaged_model_json_is_refused(tmp_path):
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(ArtifactError, match="not valid JSON"):
        layer_rows(tmp_path)
