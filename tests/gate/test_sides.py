"""Where base and head come from: files, folders and git revisions of a small repository made for the test."""

from __future__ import annotations

import json
import subprocess

import pytest

from hilgate.errors import ArtifactError, ParamsError, UsageError
from hilgate.gate import git
from hilgate.gate.gate import execute
from hilgate.gate.sides import read_path, read_revision
from hilgate.gate.verdict import Outcome

PARAMS = """
cells:
  toy_board_a: { task: toy, board: board_a }
gate:
  toy_board_a:
    accuracy: { min: 0.95, worse_warn: 0.001, worse_fail: 0.01 }
    flash_bytes: { max: 150000, worse_warn: "0.5%", worse_fail: "2%" }
    ram_bytes: { max: 30000, worse_warn: "0.5%", worse_fail: "2%" }
    latency_us: { max: 2500, worse_warn: "1%", worse_fail: "3%" }
"""


def call(folder, *words):
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


def store(root, make, cell="toy_board_a", **changed):
    folder = root / "artifacts" / "run" / cell
    folder.mkdir(parents=True, exist_ok=True)
    document = {**make.document(cell=cell), **changed}
    (folder / "measurement.json").write_text(json.dumps(document))
    (folder / "samples.json").write_text(make.samples([0] * 20 + [1] * 980))
    return folder


@pytest.fixture
def project(tmp_path, make):
    """A project with one measured cell, committed on main."""
    (tmp_path / "params.yaml").write_text(PARAMS)
    store(tmp_path, make)
    call(tmp_path, "init", "-q", "-b", "main")
    call(tmp_path, "add", "params.yaml", "artifacts/run")
    call(tmp_path, "commit", "-q", "-m", "base")
    return tmp_path


def test_committed_results_compare_with_themselves(project):
    verdict = execute(project)
    assert verdict.outcome is Outcome.PASS
    assert verdict.base["label"] == "main"
    assert len(verdict.base["sha"]) == 40
    assert [axis.change for axis in verdict.cells[0].axes] == [0, 0, 0, 0]
    assert json.loads((project / "artifacts/gate/verdict.json").read_text())["outcome"] == "pass"


def test_the_base_is_the_merge_base_not_the_tip(project, make):
    call(project, "checkout", "-q", "-b", "feature")
    call(project, "checkout", "-q", "main")
    store(project, make, evidence="calibrated")
    call(project, "commit", "-q", "-a", "-m", "main moves on")
    call(project, "checkout", "-q", "feature")
    side = read_revision(project, "main", [])
    assert side.measurements["toy_board_a"].evidence == "validated"


def test_the_policy_of_the_base_judges(project):
    text = PARAMS.replace("max: 150000", "max: 90000")
    (project / "params.yaml").write_text(text)
    verdict = execute(project, "main")
    assert verdict.outcome is Outcome.WAITING
    assert [(r.what, r.effect) for r in verdict.requests] == [("flash_bytes.max", "tightens")]
    assert verdict.policy.startswith("main (")
    assert execute(project, "main", approved_by="reviewer").outcome is Outcome.FAIL


def test_a_cell_that_the_head_removed_is_still_expected(project):
    (project / "params.yaml").write_text("cells: {}\n")
    (project / "artifacts/run/toy_board_a/measurement.json").unlink()
    verdict = execute(project, "main")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert [cell.cell for cell in verdict.cells] == ["toy_board_a"]


def test_a_base_before_the_first_measurement(project):
    call(project, "rm", "-q", "-r", "--cached", "artifacts")
    call(project, "commit", "-q", "-m", "no results")
    verdict = execute(project, "HEAD")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any("git add dvc.lock artifacts" in axis.checks[1].reason for axis in verdict.cells[0].axes)


def test_a_base_before_params_is_judged_by_the_heads_policy(project):
    call(project, "rm", "-q", "--cached", "params.yaml")
    call(project, "commit", "-q", "-m", "no policy")
    verdict = execute(project, "HEAD")
    assert verdict.outcome is Outcome.PASS
    assert verdict.notes == ("HEAD has no params.yaml: judged by the policy of this tree",)


def test_no_repository_is_a_first_run(tmp_path, make):
    (tmp_path / "params.yaml").write_text(PARAMS)
    store(tmp_path, make)
    verdict = execute(tmp_path)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.base["kind"] == "none"


def test_a_detached_checkout_without_main_uses_head(project):
    call(project, "checkout", "-q", "--detach")
    call(project, "branch", "-q", "-D", "main")
    assert git.default_base(project) == "HEAD"


def test_a_commit_of_main_is_called_main(project):
    sha = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert read_revision(project, sha, []).label == "main"
    call(project, "checkout", "-q", "--detach")
    call(project, "branch", "-q", "-D", "main")
    side = read_revision(project, sha, [])
    assert side.label == side.origin == sha[:10]
    assert git.label(project, "origin/main") == "main"


def test_a_base_in_a_folder_of_the_repository_is_found(project, make):
    inner = project / "firmware" / "product"
    inner.mkdir(parents=True)
    (inner / "params.yaml").write_text(PARAMS)
    store(inner, make)
    call(project, "add", ".")
    call(project, "commit", "-q", "-m", "monorepo")
    assert execute(inner, "main").outcome is Outcome.PASS


@pytest.mark.parametrize("form", ["file", "cell folder", "folder of cells"])
def test_a_base_as_path(project, tmp_path_factory, make, form):
    other = tmp_path_factory.mktemp("other")
    folder = store(other, make)
    path = {"file": folder / "measurement.json", "cell folder": folder, "folder of cells": folder.parent}[form]
    verdict = execute(project, str(path))
    assert verdict.outcome is Outcome.PASS
    assert verdict.policy == "this tree's params.yaml"


def test_a_measurement_of_a_board_uses_the_cells_samples(project, make):
    folder = project / "artifacts/run/toy_board_a/measured"
    folder.mkdir()
    document = {**make.document(), "source": "measured", "evidence": "measured"}
    (folder / "board_a_0042.json").write_text(json.dumps(document))
    verdict = execute(project, "main", folder / "board_a_0042.json")
    outcomes = {axis.metric: axis.outcome for axis in verdict.cells[0].axes}
    assert outcomes["accuracy"] is outcomes["flash_bytes"] is Outcome.PASS
    assert outcomes["latency_us"] is Outcome.INCONCLUSIVE
    assert verdict.cells[0].axes[3].base is None


def sizes_text(image, **bytes_of):
    hashes = {"elf": "e" * 64, "image": image}
    symbols = [{"name": name, "section": ".text", "memory": "flash", "bytes": size} for name, size in bytes_of.items()]
    both = {
        "flash": dict.fromkeys(("total_bytes", "weights_bytes", "kernels_bytes", "runtime_bytes", "capacity_bytes"), 1),
        "ram": dict.fromkeys(("static_bytes", "arena_bytes", "stack_worst_bytes", "capacity_bytes", "total_bytes"), 1),
    }
    toolchain = {"compiler": "c", "version": "1", "pinned": True, "flags": ""}
    document = {"schema": "sizes", "version": 1, "cell": "toy_board_a", "task": "toy", "board": "board_a", **both}
    return json.dumps(
        {**document, "stack_path": ["main (8)"], "symbols": symbols, "toolchain": toolchain, "hashes": hashes}
    )


def test_symbols_of_both_images_explain_a_change_of_size(project):
    file = project / "artifacts/build/toy_board_a/sizes.json"
    file.parent.mkdir(parents=True)
    image = "b" * 64
    file.write_text(sizes_text(image, fc_s8=100, main=50, gone=7))
    assert execute(project).cells[0].changes["symbols"] == []
    call(project, "add", "artifacts")
    call(project, "commit", "-q", "-m", "sizes")
    assert execute(project).cells[0].changes["symbols"] == []
    file.write_text(sizes_text(image, fc_s8=140, main=50, added=9))
    changes = execute(project).cells[0].changes
    assert [(row["name"], row["base"], row["head"]) for row in changes["symbols"]] == [
        ("fc_s8", 100, 140),
        ("added", None, 9),
        ("gone", 7, None),
    ]
    assert changes["stack_path"] == {"base": ["main (8)"], "head": ["main (8)"]}


def test_sizes_of_another_image_explain_nothing(project):
    file = project / "artifacts/build/toy_board_a/sizes.json"
    file.parent.mkdir(parents=True)
    file.write_text(sizes_text("0" * 64, fc_s8=100))
    assert execute(project).cells[0].changes["stack_path"]["head"] == []


def test_a_branch_wins_over_a_folder_of_its_name(project, monkeypatch):
    (project / "main").mkdir()
    monkeypatch.chdir(project)
    assert execute(project, "main").base["kind"] == "git"
    assert execute(project, "./main").base["kind"] == "path"


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("nobranch", "git knows no revision 'nobranch' here"),
        ("--output=x", "is no git revision"),
        ("main\nx", "is no git revision"),
        ("", "--base is empty"),
        ("./nothing", "there is no such file or folder"),
        ("x.json", "there is no such file or folder"),
        ("~nobody_of_this_name/x", "is no usable path"),
        ("a/" * 3000, "is no usable path: File name too long"),
    ],
)
def test_a_base_that_is_none(project, base, message):
    with pytest.raises(UsageError, match=message):
        execute(project, base)
    assert not (project / "artifacts/gate").exists()


def test_a_damaged_base_is_refused_with_its_commit(project):
    path = project / "artifacts/run/toy_board_a/measurement.json"
    good = path.read_text()
    path.write_text(good.replace('"version": 1', '"version": 3'))
    call(project, "commit", "-q", "-a", "-m", "damage")
    path.write_text(good)
    with pytest.raises(ArtifactError, match=r"^[0-9a-f]{10}:artifacts/run/toy_board_a/measurement.json: version 3"):
        execute(project, "HEAD")


def test_a_damaged_policy_of_the_base_is_refused_with_its_commit(project):
    (project / "params.yaml").write_text("cells: [")
    call(project, "commit", "-q", "-a", "-m", "damage")
    (project / "params.yaml").write_text(PARAMS)
    with pytest.raises(ParamsError, match=r"^[0-9a-f]{10}:params.yaml, line 1: not valid YAML"):
        execute(project, "HEAD")


def test_a_symbolic_link_in_the_base_is_not_followed(project, tmp_path_factory):
    secret = tmp_path_factory.mktemp("x") / "secret.json"
    secret.write_text((project / "artifacts/run/toy_board_a/measurement.json").read_text())
    path = project / "artifacts/run/toy_board_a/measurement.json"
    path.unlink()
    path.symlink_to(secret)
    call(project, "commit", "-q", "-a", "-m", "link")
    with pytest.raises(ArtifactError, match="not valid JSON"):
        read_revision(project, "HEAD", [])


def test_a_huge_file_is_refused_unread(project, monkeypatch):
    monkeypatch.setattr("hilgate.gate.sides.LARGEST_FILE_BYTES", 100)
    with pytest.raises(ArtifactError, match="bytes, more than 100 are refused"):
        read_path(project / "artifacts/run", "x", "x")
    with pytest.raises(ArtifactError, match="bytes, more than 100 are refused"):
        read_revision(project, "main", [])


@pytest.mark.parametrize("cell", ["other_cell", "../../x"])
def test_a_measurement_in_another_cells_folder_is_refused(project, make, cell):
    store(project, make, cell="second")
    path = project / "artifacts/run/second/measurement.json"
    path.write_text(path.read_text().replace('"second"', json.dumps(cell)))
    with pytest.raises(ArtifactError, match="cell"):
        read_path(project / "artifacts/run", "x", "x")


def test_binary_rubbish_is_refused(project):
    (project / "artifacts/run/toy_board_a/measurement.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArtifactError, match="cannot be read"):
        execute(project)
