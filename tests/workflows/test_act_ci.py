"""ci.yml run by act: which jobs run on which event, and that a failing or missing cell still ends in a claim."""

from __future__ import annotations

import json

import pytest

STUB = """
case "$1 $2" in
    "ci cells") mkdir -p build/cells/artifacts build/cells/errors; {cells} ;;
    "ci pack") mkdir -p build/claim && ls build/cells/errors >build/claim/errors.txt && touch build/claim/claim.json ;;
    "gate "*) exit 10 ;;
    "report "*) mkdir -p artifacts/report && echo "# report" >artifacts/report/report.md ;;
esac
"""
GOOD = "mkdir -p build/cells/artifacts/run/a && echo 1 >build/cells/artifacts/run/a/measurement.json"
FAILING = "echo 'error: no such layer' >build/cells/errors/a.txt; exit 1"
MISSING = "rm -r build/cells; exit 0"


def pull_request(head: str, *, fork: bool = False) -> dict:
    name = "stranger/widget" if fork else "acme/widget"
    ends = {"head": {"sha": head, "repo": {"full_name": name}}, "base": {"sha": head}}
    return {"action": "opened", "pull_request": {"number": 7, **ends}}


@pytest.fixture
def head(actions) -> str:
    (actions.server / "params.yaml").write_text("cells: {}\n")
    return actions.commit("main")


def test_a_pull_request_runs_tests_and_cells_and_leaves_a_claim(actions, head) -> None:
    actions.instead(STUB.format(cells=GOOD))
    run = actions.run("pull_request", pull_request(head), "ci")
    assert run.code == 0, run.log
    assert set(run.jobs) == {"test", "cells", "claim"}
    assert list(run.jobs).index("cells") < list(run.jobs).index("claim")
    assert [call.split(" --")[0] for call in actions.calls()] == ["ci cells", "ci pack", "gate", "report"]
    assert (actions.store / "hilgate-claim/claim.json").is_file()
    assert "no DVC remote is set" in run.log and "gh workflow run container.yml" in run.log


def test_a_cell_that_fails_reaches_the_claim_and_the_run_is_red(actions, head) -> None:
    actions.instead(STUB.format(cells=FAILING))
    run = actions.run("pull_request", pull_request(head, fork=True), "ci")
    assert run.code == 1 and run.jobs["claim"] == "failed"
    assert (actions.store / "hilgate-claim/errors.txt").read_text() == "a.txt\n"
    assert "these cells failed: ./a.txt" in run.log


@pytest.mark.soak
def test_a_change_that_touches_no_cell_still_has_a_claim(actions, head) -> None:
    actions.instead(STUB.format(cells=MISSING))
    run = actions.run("pull_request", pull_request(head), "ci")
    assert run.code == 0, run.log
    assert (actions.store / "hilgate-claim/errors.txt").read_text() == ""


@pytest.mark.soak
def test_batches_are_jobs_of_their_own(actions, head) -> None:
    actions.instead(STUB.format(cells=GOOD))
    run = actions.run("pull_request", pull_request(head), "ci", HILGATE_BATCHES=json.dumps(["1/2", "2/2"]))
    assert run.code == 0, run.log
    batches = [call for call in actions.calls() if call.startswith("ci cells")]
    assert {call.split("--batch ")[1][:3] for call in batches} == {"1/2", "2/2"}


@pytest.mark.soak
def test_a_push_to_main_runs_the_tests_only(actions, head) -> None:
    actions.instead(STUB.format(cells=GOOD))
    run = actions.run("push", {"before": "0" * 40, "after": head, "ref": "refs/heads/main"}, "ci")
    assert run.code == 0 and set(run.jobs) == {"test"} and actions.calls() == []
