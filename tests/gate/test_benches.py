"""Calibrations in benches/: the base's judge, damaged ones are refused, names from measurements are hostile."""

from __future__ import annotations

import dataclasses
import json
import subprocess

import pytest

from hilgate.errors import ArtifactError
from hilgate.gate.benches import benches_of, pairs_for, spreads_at, spreads_in
from hilgate.gate.gate import execute
from hilgate.gate.policy import Budget
from hilgate.gate.spread import calibrate


@pytest.fixture
def project(tmp_path):
    (tmp_path / "benches").mkdir()
    write(tmp_path, "0123abcd")
    return tmp_path


def write(project, testbed, name=None, **changed):
    document = {"schema": "spread", "version": 1, "testbed": testbed, "board": "board_a", "image": "a" * 64}
    document |= {"made": "2026-01-02", **calibrate([1000 + i % 3 for i in range(40)]), "spread": 0.0001, **changed}
    (project / "benches" / f"{name or testbed}.json").write_text(json.dumps(document))


def git(project, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *who, *arguments], cwd=project, check=True, capture_output=True, text=True).stdout


def test_the_folder_and_a_commit_give_the_same(project):
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "calibrate")
    sha = git(project, "rev-parse", "HEAD").strip()
    there = spreads_in(project, ["0123abcd", "other"])
    assert there == spreads_at(project, sha, ["0123abcd", "other"])
    assert there["0123abcd"].loads == 40


def test_a_pull_requests_calibration_does_not_judge_it(project):
    git(project, "init", "-q")
    git(project, "commit", "-qm", "empty", "--allow-empty")
    assert spreads_at(project, git(project, "rev-parse", "HEAD").strip(), ["0123abcd"]) == {}


def test_the_bases_calibration_judges_and_another_one_is_a_request(project, make):
    (project / "params.yaml").write_text("cells: { toy_board_a: { task: toy, board: board_a } }")
    document = {**make.document(), "source": "measured", "evidence": "measured"}
    document["environment"] |= {"target": "0123abcd"}
    file = project / "artifacts/run/toy_board_a/measurement.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document))
    git(project, "init", "-q", "-b", "main")
    git(project, "add", ".")
    git(project, "commit", "-qm", "calibrated")
    assert execute(project).requests == ()
    write(project, "0123abcd", upper=0.0002)
    (asked,) = execute(project).requests
    assert (asked.kind, asked.what) == ("bench", "calibration of 0123abcd")
    assert asked.base != "not there" and asked.head not in (asked.base, "not there")


def test_a_calibration_under_another_name_is_refused(project):
    write(project, "0123abcd", name="other")
    with pytest.raises(ArtifactError, match="of another bench"):
        spreads_in(project, ["other"])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}", b" " * 70_000])
def test_a_damaged_calibration_is_refused(project, content):
    (project / "benches/0123abcd.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"benches.0123abcd.json"):
        spreads_in(project, ["0123abcd"])


def test_only_measured_cells_name_a_bench_and_only_by_a_file_name(make):
    def on(target, source="measured"):
        return dataclasses.replace(make.measurement(), source=source, environment={"target": target})

    sides = {"a": on("0123abcd"), "b": on("virtual_x", "predicted"), "c": on("../../etc/passwd"), "d": on("")}
    assert benches_of(sides) == ["0123abcd"]


@pytest.mark.parametrize(
    ("uppers", "worse_fail", "pairs"),
    [
        ([], "2%", 20),
        ([0.001], "2%", 20),
        ([0.001, 0.008], "2%", 26),
        ([0.008], 40.0, 20),  # in microseconds: nobody knows of what
        ([0.05], "2%", 40),
        ([0.9], "0.1%", 40),
    ],
)
def test_a_bench_is_asked_for_as_many_pairs_as_it_needs(tmp_path, uppers, worse_fail, pairs):
    (tmp_path / "benches").mkdir()
    for number, upper in enumerate(uppers):
        write(tmp_path, f"bench{number}", upper=upper)
    write(tmp_path, "of_another_board", board="board_b", upper=0.9)
    (tmp_path / "benches/README.json.md").write_text("not one of them")
    assert pairs_for(tmp_path, "board_a", Budget(worse_fail=worse_fail)) == pairs
