"""The workflows beside the verdict, as parsed YAML: approvals, main, releases, and what watches over all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / ".github/workflows"
PATHS = sorted(FOLDER.glob("*.yml"))
BODIES = {"run-ci", "run-verdict", "run-bench", "run-main", "run-nightly", "run-release"}
CALLERS = {"ci", "verdict", "main", "nightly", "release"}
Document = dict[Any, Any]


def load(name: str) -> Document:
    return yaml.safe_load((FOLDER / f"{name}.yml").read_text())


def triggers(document: Document) -> dict[str, Any]:
    return document[True]  # YAML 1.1 reads the key `on` as true


def test_an_approval_starts_the_verdict_again_and_carries_nothing() -> None:
    relay, approve = load("approval"), load("approve")
    assert set(triggers(relay)) == {"pull_request", "pull_request_review"}
    assert triggers(relay)["pull_request"]["types"] == ["labeled", "unlabeled"]
    assert all(job["permissions"] == {} for job in relay["jobs"].values())
    assert triggers(approve) == {
        "issue_comment": {"types": ["created"]},
        "workflow_run": {"workflows": [relay["name"]], "types": ["completed"]},
    }
    (job,) = approve["jobs"].values()
    assert {right for right, level in job["permissions"].items() if level == "write"} == {"actions"}
    assert job["steps"][-1]["run"] == ".venv/bin/hilgate ci again"


def test_main_keeps_each_commits_build_under_its_name_and_pages_are_opt_in() -> None:
    jobs = load("run-main")["jobs"]
    (kept,) = [s for s in jobs["base"]["steps"] if "upload-artifact" in s.get("uses", "")]
    assert kept["with"]["name"] == "hilgate-base-${{ github.sha }}" and kept["with"]["retention-days"] == 90
    assert jobs["pages"]["if"] == "vars.HILGATE_PAGES == 'true'"
    assert {n for n, j in jobs.items() if "write" in j["permissions"].values()} == {"history", "pages"}
    assert load("main")["concurrency"]["group"] == "main-${{ github.sha }}"


def test_a_release_is_built_by_a_job_that_cannot_publish_and_without_a_cache() -> None:
    jobs = load("run-release")["jobs"]
    assert "write" not in jobs["build"]["permissions"].values() and "actions/cache" not in str(jobs)
    assert not any(
        "scripts/" in step.get("run", "") or "checkout" in step.get("uses", "") for step in jobs["publish"]["steps"]
    )
    assert "sbom-path" in str(jobs["publish"]) and "SHA256SUMS" in str(jobs["publish"])


def test_every_workflow_is_known_here() -> None:
    """A new file has to be thought about."""
    assert {path.stem for path in PATHS} == {*CALLERS, *BODIES, "container", "approval", "approve"}


def test_dependabot_waits_before_it_proposes(root: Path) -> None:
    document = yaml.safe_load((root / ".github/dependabot.yml").read_text())
    assert {update["package-ecosystem"] for update in document["updates"]} == {"github-actions", "pip", "docker"}
    assert all(update["cooldown"]["default-days"] >= 7 for update in document["updates"])


def test_exceptions_of_zizmor_have_a_reason(root: Path) -> None:
    """Each list of ignored files says why, right above."""
    lines = (root / ".github/zizmor.yml").read_text().splitlines()
    for number, line in enumerate(lines):
        if line.strip() == "ignore:":
            assert lines[number + 1].strip().startswith("# ") and len(lines[number + 1].strip()) > 20
    assert not [path for path in PATHS if "zizmor: ignore" in path.read_text()]
