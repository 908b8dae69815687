"""verdict.yml run by act, against the fake GitHub: real git, claims and `hilgate`, in the order of the jobs."""

from __future__ import annotations

import html
import json
import shutil
from datetime import UTC, datetime

import pytest

from hilgate.ci.claims.pack import PackOptions, pack

pytestmark = pytest.mark.arm
CELL, BOARD = "digits_nucleo_f446re", "nucleo_f446re"
MARKER = "<!-- hilgate:verdict -->"


@pytest.fixture
def world(actions, product, github, tmp_path):
    """A server with the product on main and a pull request 7; main's pack lies where main.yml keeps it."""
    shutil.copytree(
        product.root, actions.server, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git")
    )
    fill_again(actions)
    actions.api = github.url
    actions.git("add", "--force", "artifacts/data/digits/test.npz")  # else the job would download it
    base = actions.commit("main")
    actions.git("checkout", "-q", "-b", "change")
    path = actions.server / "firmware/src/main.c"
    path.write_text(path.read_text() + "/* a remark */\n")
    head = actions.commit("change")
    actions.git("update-ref", "refs/pull/7/head", head)
    pack(actions.server, actions.store / "hilgate-claim", PackOptions("acme/widget", "pull_request", base="main"))
    actions.git("checkout", "-q", "main")
    actions.git("branch", "-q", "-D", "change")
    pack(actions.server, actions.store / f"hilgate-base-{base}", PackOptions("acme/widget", "push"))
    world = github.world
    for actor in world.tokens.values():
        actor.may.add("actions: read")
    world.pulls[7] |= {"head_sha": head, "base_sha": base}
    world.git |= {f"main...{head}": base, f"release...{head}": base}
    mains = {"id": 50, "event": "push", "path": ".github/workflows/main.yml", "head_sha": base, "head_branch": "main"}
    name = f"hilgate-base-{base}"
    world.runs.append({**mains, "head_repository": "acme/widget", "artifacts": {name: False}})
    return world


def fill_again(actions) -> None:
    """Whatever of the product's own folder must not replace the test's edition."""
    text = (actions.server / ".gitignore").read_text()
    (actions.server / ".gitignore").write_text(f"{text}\n.venv\nbuild\n")


def completed(world, *, repository: str = "acme/widget", action: str = "completed") -> dict:
    head = world.pulls[7]["head_sha"]
    run = {"id": 77, "event": "pull_request", "head_sha": head, "head_branch": "change", "conclusion": "success"}
    return {"action": action, "workflow_run": {**run, "head_repository": {"full_name": repository, "id": 1}}}


def beating(world) -> None:
    """A bench that is there, by the clock of this computer, because `hilgate` runs in processes of its own."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    beat = {"schema": "heartbeat", "version": 1, "board": BOARD, "at": at}
    world.files[("hilgate-bench", f"heartbeat/{BOARD}.json")] = json.dumps(beat).encode()


def said(world) -> tuple[str, str]:
    """The check's conclusion and the comment."""
    (check,) = world.checks
    comments = [item["body"] for item in world.comments if item["body"].startswith(MARKER)]
    assert len(comments) <= 1, "one comment, edited in place"
    return check["conclusion"], html.unescape(comments[0]) if comments else ""


def test_a_pull_request_from_this_repository_gets_its_verdict(actions, world) -> None:
    run = actions.run("workflow_run", completed(world), "verdict")
    assert run.code == 0, run.log
    assert run.jobs == dict.fromkeys(("pending", "recompute", "plan", "post"), "succeeded")
    words = [" ".join(call.split()[:3]) for call in actions.calls()]
    assert words[:2] == ["ci pending", "ci base"] and words[-1].startswith("ci post")
    assert "ci cells" not in " ".join(words), "main's own build was there, so nothing was built again"
    conclusion, comment = said(world)
    assert conclusion == "success", comment
    assert CELL in comment or BOARD in comment
    assert comment.count(f"hilgate ci heartbeat {BOARD} --beat") == 1, "each missing thing is said once"


@pytest.mark.soak
def test_the_check_is_pending_while_ci_still_runs(actions, world) -> None:
    run = actions.run("workflow_run", completed(world, action="requested"), "verdict")
    assert run.code == 0 and run.jobs == {"pending": "succeeded"}
    assert [(check["status"], check["conclusion"]) for check in world.checks] == [("in_progress", None)]
    assert not world.comments


@pytest.mark.soak
def test_a_fork_is_judged_and_waits_before_the_bench(actions, world) -> None:
    world.pulls[7] |= {"author": "stranger", "head_repository": "stranger/widget"}
    beating(world)
    run = actions.run("workflow_run", completed(world, repository="stranger/widget"), "verdict")
    assert run.jobs["post"] == "succeeded" and "hardware" not in run.jobs, run.log
    conclusion, comment = said(world)
    assert conclusion == "action_required" and f"/hardware {world.pulls[7]['head_sha']}" in comment
    assert not [call for call in actions.calls() if call.startswith("ci hardware measure")]


@pytest.mark.soak
def test_a_bench_without_a_probe_is_no_verdict_and_says_why(actions, world) -> None:
    beating(world)
    run = actions.run("workflow_run", completed(world), "verdict")
    assert run.jobs["hardware"] == "failed" and run.jobs["post"] == "succeeded", run.log
    calls = [" ".join(call.split()[:3]) for call in actions.calls()]
    assert calls.count("ci post build/judged") == calls.count("ci post build/final") == 1
    conclusion, comment = said(world)
    assert conclusion == "action_required" and "no debug probe is attached" in comment


@pytest.mark.soak
def test_a_push_while_it_runs_leaves_the_word_to_the_newer_commit(actions, world) -> None:
    before = {"ci-post": lambda: world.pulls[7].update(head_sha="e" * 40)}
    run = actions.run("workflow_run", completed(world), "verdict", before)
    assert run.code == 0, run.log
    assert said(world) == (None, "") and "that commit's own run writes" in run.log


@pytest.mark.soak
def test_a_pull_request_that_goes_elsewhere_now_is_not_passed(actions, world) -> None:
    before = {"ci-post": lambda: world.pulls[7].update(base_ref="release")}
    run = actions.run("workflow_run", completed(world), "verdict", before)
    assert run.code == 0, run.log
    conclusion, comment = said(world)
    assert conclusion == "action_required" and "another branch" in comment


@pytest.mark.soak
def test_a_cell_that_failed_in_ci_fails_with_its_words(actions, world) -> None:
    claim = actions.store / "hilgate-claim"
    shutil.rmtree(claim / "cells")
    document = json.loads((claim / "claim.json").read_text())
    document["cells"][CELL] |= {"state": "failed", "error": "no such layer", "files": {}}
    (claim / "claim.json").write_text(json.dumps(document))
    run = actions.run("workflow_run", completed(world), "verdict")
    assert run.code == 0, run.log
    conclusion, comment = said(world)
    assert conclusion == "failure" and "no such layer" in comment


@pytest.mark.soak
def test_no_claim_at_all_is_said_and_no_pass(actions, world) -> None:
    shutil.rmtree(actions.store / "hilgate-claim")
    run = actions.run("workflow_run", completed(world), "verdict")
    assert run.jobs["post"] == "succeeded", run.log
    conclusion, comment = said(world)
    assert conclusion == "action_required" and "left no claim" in comment


@pytest.mark.soak
def test_a_claim_without_the_cell_is_no_pass(actions, world) -> None:
    claim = actions.store / "hilgate-claim"
    shutil.rmtree(claim / "cells")
    document = json.loads((claim / "claim.json").read_text())
    (claim / "claim.json").write_text(json.dumps({**document, "cells": {}}))
    run = actions.run("workflow_run", completed(world), "verdict")
    assert run.jobs["post"] == "succeeded", run.log
    conclusion, comment = said(world)
    assert conclusion == "action_required" and "does not have this cell" in comment


@pytest.mark.soak
def test_the_first_pull_request_builds_its_base_itself(actions, world) -> None:
    """A repository just made from the template: main.yml has not run yet."""
    world.runs.clear()
    run = actions.run("workflow_run", completed(world), "verdict")
    assert run.jobs["post"] == "succeeded", run.log
    assert "building the base" in run.log
    conclusion, comment = said(world)
    assert conclusion == "action_required"  # the product of these tests has no trained weights, so its base has no cell
    assert f"in the build of {world.pulls[7]['base_sha'][:10]} this cell is failed" in comment


@pytest.mark.soak
def test_a_push_to_main_has_no_verdict(actions, world) -> None:
    payload = completed(world)
    payload["workflow_run"]["event"] = "push"
    run = actions.run("workflow_run", payload, "verdict")
    assert run.jobs == {} and actions.calls() == []
