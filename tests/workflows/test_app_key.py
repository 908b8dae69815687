"""Who can see the GitHub App's key: whoever has it posts the check that branches are merged by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from hilgate.github.settings import environment
from hilgate.github.settings.app_key import KEY
from hilgate.github.settings.key_environment import NAME

FOLDER = Path(__file__).parents[2] / ".github/workflows"
DOCUMENTS: dict[str, Any] = {path.stem: yaml.safe_load(path.read_text()) for path in FOLDER.glob("*.yml")}


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Workflow, job, what it is."""
    for file, document in DOCUMENTS.items():
        for name, job in document["jobs"].items():
            yield file, name, job


def test_the_apps_key_is_seen_by_the_jobs_of_one_environment_and_by_no_other() -> None:
    """The environment lets the default branch in alone. Whoever names it can read the key, used or not."""
    holders, named = set(), set()
    for file, name, job in jobs():
        found = job.get("environment", "")
        if (found["name"] if isinstance(found, dict) else found) == NAME:
            assert found["deployment"] is False, f"{file} {name}: a verdict is no deployment"
            named.add((file, name))
        if KEY in str(job.get("steps")):
            holders.add((file, name))
    assert holders == named == {("run-verdict", "pending"), ("run-verdict", "post"), ("run-bench", "post")}


def test_no_step_has_the_key_but_the_one_that_becomes_the_app() -> None:
    for file, name, job in jobs():
        assert KEY not in str(job.get("env")), f"{file} {name}"
        for step in job.get("steps", []):
            if KEY in str(step):
                assert step["uses"].startswith("actions/create-github-app-token@"), f"{file} {name}"
    assert not [file for file, document in DOCUMENTS.items() if KEY in str(document.get("env"))]


def test_the_repositorys_key_is_passed_by_the_verdict_alone_under_the_name_that_the_environment_uses() -> None:
    """In a called workflow an environment's secret goes before the passed one of the same name, and of no other."""
    passing = {(file, name): job["secrets"] for file, name, job in jobs() if KEY in str(job.get("secrets"))}
    assert passing == {("verdict", name): {KEY: f"${{{{ secrets.{KEY} }}}}"} for name in ("verdict", "bench")}
    for body in ("run-verdict", "run-bench"):
        assert DOCUMENTS[body][True]["workflow_call"]["secrets"] == {KEY: {"required": False}}


def test_no_environment_of_another_name_is_used_unseen() -> None:
    """One that nobody made is made by GitHub, without any rule."""
    used = {str(job["environment"]) for _, _, job in jobs() if isinstance(job.get("environment"), str)}
    used |= {job["environment"]["name"] for _, _, job in jobs() if isinstance(job.get("environment"), dict)}
    assert used == {NAME, environment.NAME, "github-pages"}
