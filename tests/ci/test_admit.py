"""A claim's documents as hostile data: form, sense, identity. What is wrong with one cell refuses that cell."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from hilgate.artifacts import read_json
from hilgate.ci.claims.admit import Expected, admit
from hilgate.ci.claims.claim import read_claim
from hilgate.errors import ClaimError

pytestmark = pytest.mark.arm
CELL = "digits_nucleo_f446re"


def edit(folder, **changed):
    """Change claim.json."""
    path = folder / "claim.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def put(folder, name, content):
    """Replace a file of the cell, and say so in claim.json: the form is good."""
    data = content if isinstance(content, bytes) else content.encode()
    (folder / "cells" / CELL / name).write_bytes(data)
    document = json.loads((folder / "claim.json").read_text())
    document["cells"][CELL]["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "claim.json").write_text(json.dumps(document))


def text(folder, name):
    return (folder / "cells" / CELL / name).read_text()


def test_an_honest_claim_is_admitted(claim, product, tmp_path):
    sha = product.git("rev-parse", "main")
    admitted = admit(claim, tmp_path / "out", Expected("o/r", sha), product.root)
    assert admitted.cells[CELL].state == "built"
    assert read_claim(tmp_path / "out") == admitted
    again = admit(tmp_path / "out", tmp_path / "again", Expected("o/r", sha), product.root)
    assert again == admitted


@pytest.mark.parametrize(
    "expected", [Expected("other/r"), Expected("o/R"), Expected("", "0" * 40), Expected("o/r", "f" * 40)]
)
def test_a_claim_of_another_repository_or_commit_is_refused(claim, product, tmp_path, expected):
    with pytest.raises(ClaimError, match="the claim is for"):
        admit(claim, tmp_path / "out", expected, product.root)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"schema": "verdict"}, {"version": 2}, {"head_sha": "main"}, {"head_sha": "0" * 40 + "\n"}, {"more": 1},
        {"repository": "o/r/../x"}, {"repository": "o/r\n"}, {"cells": []}, {"event": "pull_request_target"},
        {"cells": {"../x": {"task": "t", "board": "b", "state": "failed", "error": "", "files": {}}}},
        {"cells": {"a": {"task": "t", "board": "b", "state": "passed", "error": "", "files": {}}}},
        {"cells": {"a": {"task": "$(id)", "board": "b", "state": "failed", "error": "", "files": {}}}},
        {"changed": ["x"] * 3000}, {"needs": [{"what": "x" * 301, "command": ""}]},
    ],
)  # fmt: skip
def test_a_claim_of_wrong_schema_is_refused(claim, product, tmp_path, changed):
    edit(claim, **changed)
    with pytest.raises(ClaimError):
        admit(claim, tmp_path / "out", Expected(), product.root)


@pytest.mark.parametrize(
    "content", ["", "[" * 100_000, "{" * 3, "null", '{"schema": "claim", "schema": "claim"}', "NaN"]
)
def test_a_claim_that_is_no_json_object_is_refused(claim, product, tmp_path, content):
    (claim / "claim.json").write_text(content)
    with pytest.raises(ClaimError):
        admit(claim, tmp_path / "out", Expected(), product.root)


def test_a_cell_that_is_there_twice_is_refused(claim, product, tmp_path):
    content = (claim / "claim.json").read_text()
    entry = json.dumps(json.loads(content)["cells"][CELL])
    (claim / "claim.json").write_text(content.replace('"cells": {', f'"cells": {{"{CELL}": {entry},'))
    with pytest.raises(ClaimError, match="a key appears twice"):
        admit(claim, tmp_path / "out", Expected(), product.root)


def test_files_must_be_the_ones_that_are_listed(claim, product, tmp_path):
    (claim / "cells/other").mkdir()
    (claim / "cells/other/model.json").write_text("{}")
    with pytest.raises(ClaimError, match="there and not listed"):
        admit(claim, tmp_path / "out", Expected(), product.root)
    shutil.rmtree(claim / "cells/other")
    (claim / "cells" / CELL / "samples.json").unlink()
    with pytest.raises(ClaimError, match="listed and not there"):
        admit(claim, tmp_path / "two", Expected(), product.root)


def refused(claim, product, out):
    """Why the one cell is refused; its files are gone."""
    cell = admit(claim, out, Expected(), product.root).cells[CELL]
    assert cell.state == "refused" and not cell.files and cell.error
    assert cell.error.isprintable() and len(cell.error) <= 600
    assert not list(out.rglob("firmware.elf"))
    read_json(out / "claim.json", "claim")
    return cell.error


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e308", "1e999", "-1e16", "9" * 5000])
@pytest.mark.parametrize(
    "place",
    [("measurement.json", '"median_us": '), ("sizes.json", '"total_bytes": '), ("model.json", '"scale": ')],
)
def test_numbers_that_are_none_or_not_plausible_are_refused(claim, product, tmp_path, number, place):
    file, field = place
    content = text(claim, file)
    start = content.index(field) + len(field)
    end = start + min(content[start:].index(mark) for mark in ",\n}" if mark in content[start:])
    put(claim, file, content[:start] + number + content[end:])
    assert file in refused(claim, product, tmp_path / "out")


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (("measurement.json", lambda d: d.update(cell="other")), "another cell"),
        (("measurement.json", lambda d: d.update(board="other")), "another cell"),
        (("measurement.json", lambda d: d.pop("parity")), "required"),
        (("measurement.json", lambda d: d["flash"].update(total_bytes=1)), "contradicts itself"),
        (("samples.json", lambda d: d.update(n=7)), "bits"),
        (("model.json", lambda d: d["input"][0].update(offset=1 << 30)), "outside the arena"),
        (("model.json", lambda d: d["input"].append(d["input"][0])), "one input"),
        (("model.json", lambda d: d["output"][0].update(scale=0)), "no quantization"),
        (("model.json", lambda d: d["output"][0].update(zero_point=400)), "no quantization"),
        (("model.json", lambda d: d["output"][0].update(shape=[1, 1 << 40], bytes=1 << 40)), "no int8 tensor"),
        (("model.json", lambda d: d["layers"][0].update(name="x" * 300)), "letters"),
        (("model.json", lambda d: d.update(layers=[])), "0 layers"),
        (("model.json", lambda d: d["layers"][0].update(kernel="x" * 301)), "301 letters"),
        (("sizes.json", lambda d: d["toolchain"].update(version="x" * 301)), "301 letters"),
        (("measurement.json", lambda d: d["environment"].update({"x" * 301: 1})), "301 letters"),
    ],
)
def test_documents_that_make_no_sense_refuse_their_cell(claim, product, tmp_path, case, why):
    file, change = case
    document = json.loads(text(claim, file))
    change(document)
    put(claim, file, json.dumps(document))
    assert why in refused(claim, product, tmp_path / "out")


def test_a_file_that_is_not_the_named_one_refuses_its_cell(claim, product, tmp_path):
    (claim / "cells" / CELL / "model.json").write_text(text(claim, "model.json") + " ")
    assert "is not the file that claim.json names" in refused(claim, product, tmp_path / "out")


def test_a_built_cell_without_its_files_is_refused(claim, product, tmp_path):
    document = json.loads((claim / "claim.json").read_text())
    document["cells"][CELL]["files"].pop("samples.json")
    (claim / "claim.json").write_text(json.dumps(document))
    (claim / "cells" / CELL / "samples.json").unlink()
    assert "samples.json" in refused(claim, product, tmp_path / "out")


def test_bytes_that_are_no_text_and_no_elf_refuse_their_cell(claim, product, tmp_path):
    put(claim, "samples.json", b"\xff\xfe")
    assert "UTF-8" in refused(claim, product, tmp_path / "one")
    put(claim, "samples.json", "{}")
    assert "samples" in refused(claim, product, tmp_path / "two")


def test_the_base_says_which_boards_there_are(claim, product, tmp_path):
    """A board that only the change has cannot be judged: its flash and RAM would be the change's own words."""
    document = json.loads((claim / "claim.json").read_text())
    document["cells"][CELL]["board"] = "my_own_board"
    (claim / "claim.json").write_text(json.dumps(document))
    measured = json.loads(text(claim, "measurement.json"))
    put(claim, "measurement.json", json.dumps({**measured, "board": "my_own_board"}))
    assert "there is no board `my_own_board`" in refused(claim, product, tmp_path / "out")


def test_one_bad_cell_leaves_the_others(claim, product, tmp_path):
    document = json.loads((claim / "claim.json").read_text())
    cell = {
        "task": "digits",
        "board": "nucleo_f446re",
        "state": "failed",
        "error": "gcc: \x1b[31mno\u202e",
        "files": {},
    }
    document["cells"]["other_cell"] = cell
    (claim / "claim.json").write_text(json.dumps(document))
    put(claim, "firmware.elf", b"\x7fELF")
    admitted = admit(claim, tmp_path / "out", Expected(), product.root)
    assert {name: cell.state for name, cell in admitted.cells.items()} == {CELL: "refused", "other_cell": "failed"}
    assert admitted.cells["other_cell"].error == "gcc: ?[31mno?"
