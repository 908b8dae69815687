"""The App's key belongs into an environment that only the default branch reaches; `hilgate setup github` sees to it."""

from __future__ import annotations

import pytest
from fake_github import Fault

from hilgate.github.settings.app_key import KEY
from hilgate.github.settings.setting import Wanted
from hilgate.github.settings.setup import execute, left

ENVIRONMENT, SECRET, OUTSIDE = "environment hilgate-post", f"secret {KEY}", f"secret {KEY} outside the environment"
CLOSED = {"protected_branches": False, "custom_branch_policies": True}


def rows(github, check=False, wanted=None):
    found = execute(github.client("person-token", ""), wanted or Wanted(), check=check)
    return {finding.name: finding for finding in found}


def branches(github):
    return sorted(github.world.environments["hilgate-post"]["branches"].values())


@pytest.fixture
def with_app(github):
    github.world.variables |= {"HILGATE_APP_CLIENT_ID": "Iv1.abc", "HILGATE_APP_SLUG": "hilgate-acme"}
    return github


@pytest.mark.parametrize("name", ["main", "trunk/steady"])
def test_the_environment_lets_the_default_branch_in_and_no_other(github, name):
    github.world.default_branch = name
    assert rows(github, check=True)[ENVIRONMENT].state == "missing"
    assert rows(github)[ENVIRONMENT].state == "made"
    assert branches(github) == [("branch", name)]
    assert github.world.environments["hilgate-post"]["policy"] == CLOSED
    github.calls.clear()
    assert rows(github)[ENVIRONMENT].state == "ok"
    assert not [call for call in github.calls if call.method != "GET"]


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, "lets other branches in"),  # as GitHub makes it when a job names it
        ({"policy": {"protected_branches": True, "custom_branch_policies": False}}, "lets other branches in"),
        ({"policy": CLOSED}, "not even main"),
        ({"policy": CLOSED, "branches": {1: ("branch", "main"), 2: ("branch", "*")}}, "branch *"),
        ({"policy": CLOSED, "branches": {1: ("branch", "main"), 2: ("tag", "main")}}, "tag main"),
        ({"policy": CLOSED, "branches": {1: ("branch", "old-default")}}, "branch old-default"),
    ],
)
def test_an_environment_that_lets_others_in_is_noticed_and_closed(github, known, words):
    github.world.environments["hilgate-post"] = known
    found = rows(github, check=True)[ENVIRONMENT]
    assert (found.state, words in found.words) == ("missing", True), found
    assert rows(github)[ENVIRONMENT].state == "made"
    assert branches(github) == [("branch", "main")]


def test_what_people_set_on_the_environment_stays(github):
    github.world.environments["hilgate-post"] = {"reviewers": ["wim"], "wait_timer": 5, "secrets": {KEY}}
    assert rows(github)[ENVIRONMENT].state == "made"
    known = github.world.environments["hilgate-post"]
    assert (known["reviewers"], known["wait_timer"], known["secrets"]) == (["wim"], 5, {KEY})


def test_the_environment_is_closed_before_it_lets_anybody_in(github):
    """Were the branch named first, others could use the environment meanwhile."""
    rows(github)
    writes = [call.method for call in github.calls if "hilgate-post" in call.path and call.method != "GET"]
    assert writes == ["PUT", "POST"]


def test_an_answer_that_is_lost_names_the_branch_once(github):
    github.faults.append(Fault("POST", "deployment-branch-policies", 502, lost=True))
    assert rows(github)[ENVIRONMENT].state == "made"
    assert branches(github) == [("branch", "main")]


def test_a_key_in_the_environment_alone_is_as_it_should_be(with_app):
    with_app.world.environments["hilgate-post"] = {"secrets": {KEY}}
    found = rows(with_app)
    assert found[SECRET].state == "ok"
    assert OUTSIDE not in found


def test_without_a_key_it_says_where_to_store_one(with_app):
    found = rows(with_app, check=True)[SECRET]
    assert found.state == "by hand"
    assert "no check can be posted" in found.words
    assert f"gh secret set {KEY} --env hilgate-post --repo acme/widget < KEY.pem" in found.todo
    assert OUTSIDE not in rows(with_app, check=True)


@pytest.mark.parametrize("is_in_environment", [True, False])
def test_a_key_of_the_repository_is_said_because_every_branch_can_read_it(with_app, is_in_environment):
    with_app.world.secrets = {KEY}
    with_app.world.environments["hilgate-post"] = {"secrets": {KEY} if is_in_environment else set()}
    found = rows(with_app)
    assert found[SECRET].state == ("ok" if is_in_environment else "by hand")
    assert found[OUTSIDE].state == "by hand"
    assert "secret of the repository: a workflow of any branch" in found[OUTSIDE].words
    assert f"gh secret delete {KEY} --repo acme/widget" in found[OUTSIDE].todo
    assert OUTSIDE in left(list(found.values()))


def test_so_is_a_key_of_the_organization(with_app):
    with_app.world.owner_kind, with_app.world.organization_secrets = "Organization", {KEY}
    with_app.world.environments["hilgate-post"] = {"secrets": {KEY}}
    found = rows(with_app)[OUTSIDE]
    assert "secret of the organization:" in found.words
    assert f"gh secret delete {KEY} --org acme" in found.todo


def test_without_an_app_no_key_is_looked_for(github):
    github.world.secrets = {KEY}
    assert not {SECRET, OUTSIDE} & set(rows(github))


@pytest.mark.parametrize("check", [True, False])
def test_a_plan_without_environments_is_said_once_and_takes_the_repositorys_key(with_app, check):
    with_app.world.is_private, with_app.world.is_paid, with_app.world.secrets = True, False, {KEY}
    with_app.world.environments["hilgate-post"] = {}  # as a job made it by naming it
    found = rows(with_app, check=check)
    assert (found[ENVIRONMENT].state, found[SECRET].state) == ("paid plan", "paid plan")
    assert "any branch here can read" in found[SECRET].words
    assert OUTSIDE not in found
    assert not {ENVIRONMENT, SECRET} & set(left(list(found.values())))


@pytest.mark.parametrize("path", ["environments/hilgate-post", "environments/hilgate-post/secrets"])
def test_a_plan_that_does_not_even_show_environments_is_no_error(with_app, path):
    with_app.world.is_private, with_app.world.is_paid = True, False
    with_app.world.environments["hilgate-post"] = {}
    body = b'{"message": "Upgrade to GitHub Pro or make this repository public to enable this feature."}'
    with_app.faults.append(Fault("GET", path, 403, times=9, body=body))
    found = rows(with_app, check=True)
    assert found[ENVIRONMENT].state == "paid plan"
    assert (found[SECRET].state, "no key here" in found[SECRET].words) == ("by hand", True)


def test_a_server_without_branch_policies_is_said_and_ends_nothing(make_github):
    github = make_github("/api/v3")
    github.world.enterprise = "3.6.0"
    github.faults.append(Fault("POST", "deployment-branch-policies", 404))
    found = rows(github)
    assert found[ENVIRONMENT].state == "missing"
    assert "404" in found[ENVIRONMENT].words
    assert found["ruleset hilgate"].state == "made"
