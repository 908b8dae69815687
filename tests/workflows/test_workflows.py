"""The workflows as parsed YAML: what act ignores (permissions, environments, concurrency, time-outs, labels), what may
never appear. The jobs' order is run in test_act.py."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / ".github/workflows"
PATHS = sorted(FOLDER.glob("*.yml"))
CALLERS = {  # (caller, its job): body
    ("ci", "ci"): "run-ci",
    ("verdict", "verdict"): "run-verdict",
    ("verdict", "bench"): "run-bench",
    ("main", "main"): "run-main",
    ("release", "release"): "run-release",
    ("nightly", "nightly"): "run-nightly",
}
Document = dict[Any, Any]


def load(name: str) -> Document:
    return yaml.safe_load((FOLDER / f"{name}.yml").read_text())


def triggers(document: Document) -> dict[str, Any]:
    return document[True]  # YAML 1.1 reads the key `on` as true


def all_jobs() -> Iterator[tuple[str, str, Document]]:
    for path in PATHS:
        for name, job in load(path.stem)["jobs"].items():
            if "steps" in job:
                yield path.stem, name, job


STEPS = [(f"{file}: {name}: {step.get('name')}", step) for file, name, job in all_jobs() for step in job["steps"]]
each_workflow = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)


@each_workflow
def test_actions_are_pinned_with_their_version(path: Path) -> None:
    for action, comment in re.findall(r"\buses: (\S+)(.*)", path.read_text()):
        if action.startswith("./"):
            assert (FOLDER.parents[1] / action).is_file()
            continue
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action} does not say its version"


def test_one_action_has_one_version() -> None:
    found: dict[str, set[str]] = {}
    for path in PATHS:
        for action, version in re.findall(r"\buses: ([\w.-]+/[\w.-]+)\S*@([0-9a-f]{40})", path.read_text()):
            found.setdefault(action, set()).add(version)
    assert found and all(len(versions) == 1 for versions in found.values()), found


@each_workflow
def test_nothing_is_allowed_until_a_job_asks_for_it(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    assert document["permissions"] == {}
    assert not {"pull_request_target", "repository_dispatch"} & set(triggers(document))
    for name, job in document["jobs"].items():
        assert "permissions" in job, name
        assert "secrets" not in job or job["secrets"] != "inherit"
        if "steps" in job:
            assert 0 < job["timeout-minutes"] <= 60, name


@each_workflow
def test_callers_bound_how_many_run_at_once(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    assert ("workflow_call" in triggers(document)) != ("concurrency" in document)
    if "concurrency" in document:
        assert isinstance(document["concurrency"]["group"], str)


@pytest.mark.parametrize(("where", "step"), STEPS, ids=[where for where, _ in STEPS])
def test_steps_hold_no_logic_and_paste_no_value(where: str, step: Document) -> None:
    run = step.get("run", "")
    assert len(run.splitlines()) <= 1 and not re.search(r"[;|]|&&|\bif\b|\bfor\b", run), "logic belongs in scripts/"
    assert "${{" not in run, "pass values through env"
    if "actions/checkout" in step.get("uses", ""):
        assert step["with"]["persist-credentials"] is False


def test_every_step_calls_what_exists(root: Path) -> None:
    """Scripts, make targets and commands of hilgate: a misspelt one would only show on GitHub."""
    from typer.main import get_command

    from hilgate import cli

    targets = set(re.findall(r"^(\w+):", (root / "Makefile").read_text(), re.M))
    seen = set()
    for where, step in STEPS:
        run = step.get("run", "")
        for script in re.findall(r"scripts/\w+", run):
            assert os.access(root / script, os.X_OK), f"{where}: {script}"
            seen.add(script)
        assert set(re.findall(r"\bmake (\w+)", run)) <= targets, where
        for words in re.findall(r"bin/hilgate ((?:[a-z]+ )*[a-z]+)(?=\s|$)", run):
            command: Any = get_command(cli.application(words.split()))
            for word in words.split():
                if getattr(command, "commands", None):
                    assert word in command.commands, f"{where}: hilgate {words}"
                    command = command.commands[word]
            options = {name for parameter in command.params for name in parameter.opts}
            assert set(re.findall(r"(?<= )--[a-z-]+", run.partition("bin/hilgate")[2])) <= options, where
            seen.add(f"hilgate {words}")
    assert {"scripts/in_container", "hilgate ci post", "hilgate ci pending"} <= seen


@pytest.mark.parametrize(("caller", "body"), CALLERS.items())
def test_a_caller_gives_its_body_just_what_its_jobs_ask_for(caller: tuple[str, str], body: str) -> None:
    """More would be a right nobody needs; less, and GitHub refuses the whole run."""
    job = load(caller[0])["jobs"][caller[1]]
    assert job["uses"] == f"./.github/workflows/{body}.yml"
    called = load(body)
    asked: dict[str, str] = {}
    for one in called["jobs"].values():
        for right, level in one["permissions"].items():
            asked[right] = "write" if "write" in (level, asked.get(right)) else level
    assert job["permissions"] == asked
    wanted = (triggers(called)["workflow_call"] or {}).get("secrets", {})
    assert set(job.get("secrets", {})) == set(wanted)
    assert not any(secret["required"] for secret in wanted.values()), "a new repository has no secret"
    inputs = triggers(called)["workflow_call"]["inputs"]
    assert {name for name, one in inputs.items() if one.get("required")} == set(job.get("with", {}))


def test_ci_only_reads() -> None:
    document = load("run-ci")
    assert set(triggers(load("ci"))) == {"pull_request", "merge_group", "push"}
    for job in document["jobs"].values():
        assert set(job["permissions"].values()) == {"read"} and set(job["permissions"]) <= {"contents", "packages"}
        assert "environment" not in job and "ubuntu" in job["runs-on"]
    pull = [step for _, step in STEPS if "dvc_pull" in step.get("run", "")]
    holders = [step for step in document["jobs"]["cells"]["steps"] if "secrets." in str(step)]
    assert len(pull) >= 3 and [step["run"] for step in holders] == ["scripts/in_container scripts/dvc_pull"]


def test_ci_looks_at_the_head_itself() -> None:
    """The merge commit that GitHub makes is nobody's: results would be kept under the wrong name."""
    for name, job in load("run-ci")["jobs"].items():
        (checkout,) = [step for step in job["steps"] if "checkout" in step.get("uses", "")]
        assert checkout["with"]["ref"] == "${{ github.event.pull_request.head.sha || github.sha }}"
        assert checkout["with"].get("fetch-depth") == (None if name == "test" else 0)  # tests need no history


VERDICT = load("run-verdict")["jobs"]
BENCH = load("run-bench")["jobs"]
TRUSTED = {**{f"verdict {n}": job for n, job in VERDICT.items()}, **{f"bench {n}": job for n, job in BENCH.items()}}
WRITERS = {"verdict pending", "verdict post", "bench post"}


def test_verdict_is_started_by_ci_alone_from_the_default_branch() -> None:
    document = load("verdict")
    assert triggers(document) == {"workflow_run": {"workflows": ["ci"], "types": ["requested", "completed"]}}
    assert load("ci")["name"] == "ci"
    group = document["concurrency"]["group"]
    assert "head_repository.id" in group and "head_branch" in group and "event.action" in group
    assert document["concurrency"]["cancel-in-progress"] is True
    assert document["run-name"] == "verdict on ${{ github.event.workflow_run.head_sha }}"


def test_only_three_jobs_of_the_verdict_may_write() -> None:
    for name, job in TRUSTED.items():
        writes = {right for right, level in job["permissions"].items() if level == "write"}
        assert bool(writes) == (name in WRITERS), name
        assert not writes & {"contents", "actions", "packages", "id-token"}
        holds = "secrets." in str(job)
        assert holds == (name in WRITERS), f"{name}: only those who write hold the App's key"


def test_no_job_of_the_verdict_checks_the_change_out() -> None:
    for name, job in TRUSTED.items():
        for step in job["steps"]:
            if "actions/checkout" in step.get("uses", ""):
                assert not {"ref", "repository"} & set(step["with"]), name
            if "actions/cache" in step.get("uses", ""):
                assert "actions/cache/restore" in step["uses"], f"{name} must leave nothing behind"
    assert {job["cache-mode"] for job in load("verdict")["jobs"].values()} == {"read"}


def test_a_strangers_image_runs_without_secrets_and_the_claim_comes_packed() -> None:
    job = VERDICT["recompute"]
    assert set(job["permissions"].values()) == {"read"} and "environment" not in job
    (claim,) = [step for step in job["steps"] if "hilgate-claim" in str(step.get("with"))]
    assert claim["with"]["skip-decompress"] is True and claim["continue-on-error"] is True
    handling = [step for step in job["steps"] if "bin/hilgate" in step.get("run", "")]
    assert [re.findall(r"hilgate ci [a-z ]+[a-z]", step["run"])[0] for step in handling] == [
        "hilgate ci recompute build",
        "hilgate ci hardware prepare build",
    ]
    assert "token" not in str(handling).lower() and "secrets" not in str(handling)


def test_the_write_token_is_in_one_step_of_each_writer() -> None:
    for name in WRITERS:
        holders = [step for step in TRUSTED[name]["steps"] if "steps.app.outputs.token" in str(step)]
        assert len(holders) == 1 and "hilgate ci p" in holders[0]["run"], name


def test_the_comment_is_written_before_and_after_the_bench_and_never_when_cancelled() -> None:
    assert VERDICT["post"]["needs"] == ["recompute", "plan"]
    assert VERDICT["post"]["if"] == "${{ !cancelled() && needs.recompute.result != 'skipped' }}"
    assert BENCH["post"]["needs"] == "hardware"
    assert BENCH["post"]["if"] == "${{ !cancelled() && needs.hardware.result != 'skipped' }}"
    assert "always()" not in str(TRUSTED)


def test_a_fork_reaches_hardware_only_after_an_approval_that_github_confirms() -> None:
    condition = "${{ !cancelled() && (inputs.approval != 'needed' || needs.cleared.outputs.state == 'given') }}"
    assert BENCH["hardware"]["if"] == condition and BENCH["hardware"]["needs"] == "cleared"
    approval = BENCH["approval"]
    assert approval["environment"] == "hilgate-hardware" and approval["permissions"] == {}
    assert approval["if"] == "inputs.approval == 'needed' && inputs.guarded == 'true'"
    assert BENCH["cleared"]["needs"] == "approval" and "if" not in BENCH["cleared"]
    assert BENCH["cleared"]["steps"][-1]["run"] == ".venv/bin/hilgate ci approve hardware"
    guarded = {(file, name) for file, name, job in all_jobs() if job.get("environment") == "hilgate-hardware"}
    assert guarded == {("run-bench", "approval")}
    passed = load("verdict")["jobs"]["bench"]["with"]
    assert all(value == f"${{{{ needs.verdict.outputs.{name} }}}}" for name, value in passed.items())


def test_boards_are_reached_from_two_workflows_by_class_and_with_a_token_that_reads() -> None:
    found = {(file, name): job for file, name, job in all_jobs() if "self-hosted" in str(job["runs-on"])}
    assert set(found) == {("run-bench", "hardware"), ("run-nightly", "hardware")}
    for job in found.values():
        assert job["runs-on"] == ["self-hosted", "hilgate", "${{ matrix.board }}"]
        assert job["permissions"] == {"contents": "read"} and job["timeout-minutes"] <= 30
        assert job["strategy"]["fail-fast"] is False
        assert re.search(r"fromJSON\((needs.plan.outputs|inputs).boards\)", job["strategy"]["matrix"]["board"])
        assert "github.token" not in str(job) and "secrets." not in str(job)
