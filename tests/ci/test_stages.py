"""Which cells a change touches, what it asks, and what its author still has to push."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hilgate.ci.changes.asks import requests_of
from hilgate.ci.changes.commits import find_commits, granted
from hilgate.ci.changes.revisions import Tree, changed_paths, changed_workflows, merge_base, sha_of
from hilgate.ci.changes.stages import touched_cells
from hilgate.ci.claims.weights import missing_weights
from hilgate.errors import ClaimError, UsageError
from hilgate.gate.policy import Budget, Policy
from hilgate.params import Cell

CELLS = {"a_x": Cell("a", "x"), "a_y": Cell("a", "y"), "b_x": Cell("b", "x")}
PARAMS = {
    "cells": {name: vars(cell) for name, cell in CELLS.items()},
    "train": {"a": {"seed": 1}, "b": {"seed": 1}},
    "build": {"x": {"optimize": "O2"}, "y": {"optimize": "O2"}},
    "run": {"a": {"runs": 3}, "b": {"runs": 3}},
    "report": {"title": "t"},
}


@pytest.fixture
def tree(root, tmp_path, monkeypatch):
    """A small repository with hilgate's own dvc.yaml; write(path, text) -> touched cells."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

    def git(*words):
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    git("init", "--quiet", "--initial-branch=main")
    write("dvc.yaml", (root / "dvc.yaml").read_text())
    write("params.yaml", yaml.safe_dump(PARAMS))
    write("dvc.lock", yaml.safe_dump({"stages": {"train@a": {"outs": [{"path": "w", "md5": "1"}]}}}))
    write("artifacts/train/a/weights.safetensors", "weights")
    git("add", "--all")
    git("commit", "--quiet", "-m", "base")

    class Repository:
        folder = tmp_path

        def touched(self, *, committed=True):
            base = git("rev-parse", "main")
            if committed:
                git("checkout", "--quiet", "-B", "change")
                git("add", "--all")
                git("commit", "--quiet", "--allow-empty", "-m", "change")
            head = Tree(tmp_path, git("rev-parse", "HEAD") if committed else "")
            return touched_cells(Tree(tmp_path, base), head, CELLS)

    Repository.git, Repository.write = staticmethod(git), staticmethod(write)
    return Repository()


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize(
    ("path", "cells"),
    [
        ("docs/page.md", set()),
        ("src/tasks/a/network.py", {"a_x", "a_y"}),
        ("src/tasks/a/metric.py", {"a_x", "a_y"}),
        ("src/tasks/b/data.py", {"b_x"}),
        ("firmware/src/main.c", {"a_x", "a_y", "b_x"}),
        ("firmware/boards/y/board.toml", {"a_y"}),
        ("src/hilgate/compile/ops/conv/conv.c", {"a_x", "a_y", "b_x"}),
        ("artifacts/train/a/weights.safetensors", {"a_x", "a_y"}),
        ("artifacts/quantize/b/model.onnx", {"b_x"}),
        ("artifacts/run/a_x/measurement.json", set()),
        ("artifacts/build/a_x/sizes.json", set()),
        ("dvc.yaml", {"a_x", "a_y", "b_x"}),
    ],
)
def test_a_path_touches_the_cells_that_depend_on_it(tree, path, cells, committed):
    tree.write(path, "stages: {}" if path == "dvc.yaml" else "other")
    assert set(tree.touched(committed=committed)) == cells


@pytest.mark.parametrize(
    ("section", "item", "cells"),
    [
        ("train", "a", {"a_x", "a_y"}), ("build", "y", {"a_y"}), ("run", "b", {"b_x"}), ("cells", "b_x", {"b_x"}),
        ("report", "title", set()),
    ],
)  # fmt: skip
def test_a_parameter_touches_the_cells_that_depend_on_it(tree, section, item, cells):
    params = yaml.safe_load(yaml.safe_dump(PARAMS))
    params[section][item] = {"task": "a", "board": "x"} if section == "cells" else "other"
    tree.write("params.yaml", yaml.safe_dump(params))
    assert set(tree.touched()) == cells


def test_another_lock_file_entry_touches_its_task(tree):
    tree.write("dvc.lock", yaml.safe_dump({"stages": {"train@a": {"outs": [{"path": "w", "md5": "2"}]}}}))
    assert tree.touched() == {"a_x": "dvc.lock: train@a", "a_y": "dvc.lock: train@a"}


def test_a_renamed_file_has_both_its_names(tree):
    (tree.folder / "artifacts/train/a/weights.safetensors").rename(tree.folder / "artifacts/train/a/moved")
    assert set(tree.touched()) == {"a_x", "a_y"}


def test_names_that_git_would_quote_are_read_whole(tree):
    tree.write('src/tasks/a/network.py/"odd"\n\u202e', "x")
    assert set(tree.touched()) == {"a_x", "a_y"}


def test_ci_takes_the_fetched_branch_and_a_clone_its_own(tree):
    """A local `main` may be behind or ahead of what was fetched."""
    first = sha_of(tree.folder, "main")
    tree.write("docs/a.md", "x")
    tree.git("add", "--all")
    tree.git("commit", "--quiet", "-m", "ahead")
    tree.git("update-ref", "refs/remotes/origin/main", first)
    head = sha_of(tree.folder, "main")
    assert find_commits(tree.folder, "main", head).tip.sha == first
    assert find_commits(tree.folder, "main", head, working_tree=True).tip.sha == head
    assert find_commits(tree.folder, "origin/main", head, working_tree=True).tip.sha == first
    with pytest.raises(UsageError, match="no branch 'nothing'"):
        find_commits(tree.folder, "nothing", head)


def test_an_approval_grants_what_was_asked_and_nothing_else():
    """Main tightened RAM and limited latency after the branch left; the branch asks for more flash."""
    cells, left = {"a_x": Cell("a", "x")}, {"flash_bytes": Budget(max=100), "ram_bytes": Budget(max=100)}
    today = {"flash_bytes": Budget(max=90), "ram_bytes": Budget(max=50), "latency_us": Budget(max=7)}
    asked = {"flash_bytes": Budget(max=200), "ram_bytes": Budget(max=100)}
    policies = [Policy("p", cells, {"a_x": one}) for one in (asked, left, today)]
    found = granted(*policies).budgets["a_x"]
    assert found == {"flash_bytes": Budget(max=200), "ram_bytes": Budget(max=50), "latency_us": Budget(max=7)}


@pytest.mark.parametrize("revision", ["--upload-pack=x", "-h", "nothing", "", "main\nmain", "main main"])
def test_what_is_no_revision_is_refused(tree, revision):
    with pytest.raises(UsageError):
        sha_of(tree.folder, revision)


def test_a_large_file_in_a_commit_is_refused(tree):
    tree.write("params.yaml", "#" * (5 << 20))
    assert set(tree.touched().values()) == {"params.yaml, which cannot be read"}
    with pytest.raises(ClaimError, match="bytes are refused"):
        Tree(tree.folder, sha_of(tree.folder, "HEAD")).text("params.yaml")


def test_the_merge_base_is_where_the_branch_left(tree):
    base = sha_of(tree.folder, "main")
    tree.write("docs/a.md", "x")
    tree.touched()
    assert merge_base(tree.folder, "main", "change") == base
    assert changed_paths(Tree(tree.folder, base), Tree(tree.folder, sha_of(tree.folder, "change"))) == ("docs/a.md",)


def test_workflows_of_a_larger_repository_are_seen_from_a_project_in_a_subfolder(tree):
    tree.write("product/params.yaml", "{}")
    base = sha_of(tree.folder, "main")
    tree.write(".github/workflows/verdict.yml", "other")
    tree.touched()
    before, after = (Tree(tree.folder / "product", sha) for sha in (base, sha_of(tree.folder, "change")))
    assert changed_paths(before, after) == ("params.yaml",)
    assert changed_workflows(before, after) == (".github/workflows/verdict.yml",)


def test_no_program_that_a_clone_configures_runs(tree, tmp_path):
    ran, monitor = tmp_path / "ran", tmp_path / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {ran}\n")
    monitor.chmod(0o755)
    tree.git("config", "core.fsmonitor", str(monitor))
    changed_paths(Tree(tree.folder, sha_of(tree.folder, "main")), Tree(tree.folder))
    assert not ran.exists()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/tasks/a/metric.py", "metric code"), ("src/tasks/a/data.py", "test set"),
        ("artifacts/data/a/facts.json", "test set"), ("firmware/boards/x/board.toml", "board facts"),
        ("dvc.yaml", "pipeline"), (".github/workflows/verdict.yml", "workflows"),
        ("src/tasks/a/helper.py", "metric code"), ("src/tasks/shared.py", "metric code"),
        ("src/hilgate/gate/judge.py", "judging code"), ("src/hilgate/ci/images/recount.py", "judging code"),
        ("src/hilgate/build/sizes.py", "judging code"), ("scripts/install_engine", "workflows"),
        ("src/hilgate/compile/arithmetic.py", "judging code"), ("scripts/demo", None),
        ("src/hilgate/schemas/verdict.json", "judging code"), ("firmware/protocol.toml", "protocol"),
        ("src/tasks/a/network.py", None), ("src/tasks/a/network/block.py", None),
        ("docs/gate.md", None), ("src/hilgate/compile/emit.py", None),
    ],
)  # fmt: skip
def test_what_judges_is_a_request(path, kind):
    asked = requests_of((path, path))
    assert [(one.kind, one.what) for one in asked] == ([(kind, f"{path} and 1 more")] if kind else [])


@pytest.fixture
def trained(tree):
    """A repository whose train stage is real to DVC: one file of code, one parameter, weights in git."""
    command, weights = "cp code.py artifacts/train/a/weights", "artifacts/train/a/weights"
    outs = [{weights: {"cache": False}}]
    stage = {"cmd": command, "deps": ["code.py"], "params": ["train.a"], "outs": outs}
    tree.write("dvc.yaml", yaml.safe_dump({"stages": {"train": {"foreach": ["a"], "do": stage}}}))
    known = {"hash": "md5", "md5": hashlib.md5(b"print()").hexdigest(), "size": 7}  # noqa: S324  # DVC's, not ours
    files = {"deps": [{"path": "code.py", **known}], "outs": [{"path": weights, **known}]}
    lock = {"cmd": command, "params": {"params.yaml": {"train.a": {"seed": 1}}}, **files}
    tree.write("dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": {"train@a": lock}}))
    tree.write("code.py", "print()")
    tree.write(weights, "print()")
    tree.write(".dvc/config", "[core]\n    analytics = false\n")
    tree.git("add", "--all")
    tree.git("commit", "--quiet", "-m", "trained")
    return tree


def test_weights_that_are_there_need_nothing(trained):
    assert missing_weights(trained.folder, ["a"]) == ()


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        ("code.py", "other", "the weights of a are not of this code: its code, data or parameters changed"),
        ("artifacts/train/a/weights", "other", "is not the file that dvc.lock names"),
        ("artifacts/train/a/weights", None, "is neither in git nor on the DVC remote"),
        ("dvc.lock", "stages: {}", "dvc.lock has no trained weights of a"),
    ],
)
def test_the_author_is_told_what_to_push(trained, path, text, what):
    """Training is never repeated in CI: whatever is missing is said with the commands that bring it."""
    if text is None:
        (trained.folder / path).unlink()
    else:
        trained.write(path, text)
    (need,) = missing_weights(trained.folder, ["a"])
    assert what in need["what"]
    assert "git add dvc.lock" in need["command"] and need["command"].endswith("git push")
    assert ("dvc repro train@a" in need["command"]) == (text is not None)


def test_dvc_compares_parameters_with_the_merge_base(trained):
    """In a checkout of a pull request `main` may be unknown: DVC takes the SHA as well."""
    base = sha_of(trained.folder, "main")
    params = {**PARAMS, "train": {"a": {"seed": 2}, "b": {"seed": 1}}}
    trained.write("params.yaml", yaml.safe_dump(params))
    dvc = [str(Path(sys.executable).with_name("dvc")), "params", "diff", base, "--json"]
    said = subprocess.run(dvc, cwd=trained.folder, capture_output=True, text=True, check=True).stdout
    assert json.loads(said)["params.yaml"] == {"train.a.seed": {"old": 1, "new": 2, "diff": 1}}


def test_weights_on_a_remote_are_pushed_by_dvc(trained):
    trained.write(".gitignore", "/artifacts/train/a/weights\n")
    trained.git("rm", "--quiet", "--cached", "artifacts/train/a/weights")
    (trained.folder / "artifacts/train/a/weights").unlink()
    (need,) = missing_weights(trained.folder, ["a"])
    assert need["command"].startswith("dvc push && git add dvc.lock")
