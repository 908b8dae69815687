"""Where a change left its base branch, and whose artifact may stand for that commit: main's own and nobody else's."""

from __future__ import annotations

import pytest

from hilgate.ci.pulls.base import find_base
from hilgate.errors import UsageError

HEAD, MERGE_BASE = "a" * 40, "d" * 40
NAME = f"hilgate-base-{MERGE_BASE}"
MAINS = {
    "id": 50,
    "event": "push",
    "path": ".github/workflows/main.yml",
    "head_sha": MERGE_BASE,
    "head_branch": "main",
    "head_repository": "acme/widget",
    "artifacts": {NAME: False},
}


@pytest.fixture
def world(github):
    github.world.git[f"main...{HEAD}"] = MERGE_BASE
    for actor in github.world.tokens.values():
        actor.may.add("actions: read")
    return github.world


def test_the_run_of_main_that_keeps_the_build_is_found(github, world, make_event):
    world.runs.append(MAINS)
    found = find_base(github.client(), make_event())
    assert (found.sha, found.ref, found.run_id) == (MERGE_BASE, "main", 50)
    assert found.as_outputs() == {"base_sha": MERGE_BASE, "base_ref": "main", "base_run": "50"}


@pytest.mark.parametrize(
    "forged",
    [
        {"event": "pull_request"},
        {"event": "pull_request_target"},
        {"event": "workflow_run"},
        {"path": ".github/workflows/ci.yml"},
        {"path": ".github/workflows/mine.yml@refs/heads/main"},
        {"head_sha": HEAD},
        {"head_repository": "mallory/widget"},
        {"artifacts": {NAME: True}},
        {"artifacts": {"hilgate-base-": False}},
    ],
    ids=str,
)
def test_an_artifact_of_that_name_by_anybody_else_counts_for_nothing(github, world, make_event, forged):
    """A workflow of a branch may upload `hilgate-base-<sha>`; expired ones are of no use either."""
    world.runs.append({**MAINS, **forged})
    assert find_base(github.client(), make_event()).run_id is None
    world.runs.append({**MAINS, "id": 51, "event": "workflow_dispatch", "path": f"{MAINS['path']}@refs/heads/main"})
    assert find_base(github.client(), make_event()).run_id == 51


def test_the_first_pull_request_ever_has_a_base_to_build(github, world, make_event):
    found = find_base(github.client(), make_event())
    assert found.sha == MERGE_BASE and found.as_outputs()["base_run"] == ""


def test_a_base_branch_with_a_slash(github, world, make_event):
    world.pulls[7]["base_ref"] = "release/1.x"
    world.git[f"release/1.x...{HEAD}"] = MERGE_BASE
    assert find_base(github.client(), make_event()).ref == "release/1.x"


def test_a_merge_queue_names_its_base_in_its_branch(github, world, make_event):
    branch = f"gh-readonly-queue/main/pr-7-{MERGE_BASE}"
    found = find_base(github.client(), make_event(kind="merge_group", head_branch=branch))
    assert (found.ref, found.sha) == ("main", MERGE_BASE)
    with pytest.raises(UsageError, match="no branch of a merge queue"):
        find_base(github.client(), make_event(kind="merge_group", head_branch="main"))


def test_nobody_wants_to_merge_it(github, world, make_event):
    assert find_base(github.client(), make_event(kind="push")) is None
    world.pulls[7]["state"] = "closed"
    assert find_base(github.client(), make_event()) is None
