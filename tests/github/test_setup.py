"""`hilgate setup github`: everything once, nothing twice, and the truth without rights."""

from __future__ import annotations

import copy

import pytest
from fake_github import Fault

from hilgate import cli
from hilgate.errors import UsageError
from hilgate.github.settings import ruleset
from hilgate.github.settings.setting import Wanted
from hilgate.github.settings.setup import execute, left

PERSON = "person-token"
ALL = Wanted(app_slug="hilgate-acme", app_client_id="Iv1.abc", pages=True)


def states(findings):
    return {finding.name: finding.state for finding in findings}


def run(github, wanted=ALL, token=PERSON, check=False):
    return execute(github.client(token, ""), wanted, check=check)


@pytest.fixture
def public(github):
    """As seen on github.com."""
    github.world.environments["hilgate-post"] = {"secrets": {"HILGATE_APP_PRIVATE_KEY"}}
    return github


def test_everything_is_made_and_a_second_run_changes_nothing(public):
    made = states(run(public))
    assert {name for name, state in made.items() if state == "made"} >= {
        "label hilgate-approve-budgets",
        "workflow permissions",
        "environment hilgate-hardware",
        "environment hilgate-post",
        "ruleset hilgate",
        "variable HILGATE_APP_CLIENT_ID",
        "variable HILGATE_PAGES",
        "Pages",
    }
    before = copy.deepcopy(public.world)
    public.calls.clear()
    again = run(public)
    assert not left(again)
    assert set(states(again).values()) <= {"ok", "optional"}
    assert not [call for call in public.calls if call.method != "GET"]
    assert public.world == before


def test_check_changes_nothing_and_says_each_missing_thing_once_with_its_command(public):
    findings = run(public, check=True)
    assert not [call for call in public.calls if call.method != "GET"]
    missing = [finding for finding in findings if finding.state == "missing"]
    assert len(missing) == 9
    assert all(finding.todo.startswith("hilgate setup github") and finding.words for finding in missing)
    assert len({finding.name for finding in findings}) == len(findings)
    assert left(findings)


def test_the_check_is_bound_to_the_app(public):
    run(public)
    (made,) = public.world.rulesets.values()
    (check,) = made["rules"][0]["parameters"]["required_status_checks"]
    assert check == {"context": "hilgate", "integration_id": 4711}
    assert made["enforcement"] == "active"
    assert made["conditions"]["ref_name"]["include"] == ["~DEFAULT_BRANCH"]
    assert "bypass_actors" not in made


def test_without_an_app_it_is_bound_to_the_workflows_own(public):
    run(public, Wanted())
    (made,) = public.world.rulesets.values()
    assert made["rules"][0]["parameters"]["required_status_checks"][0]["integration_id"] == 15368


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"enforcement": "disabled"}, "holds nothing back"),
        ({"conditions": {"ref_name": {"include": ["refs/heads/x"], "exclude": []}}}, "default branch"),
        ({"rules": []}, "does not require"),
        ({"rules": ruleset.wanted_ruleset(666)["rules"]}, "another app"),
    ],
)
def test_a_ruleset_that_was_changed_is_noticed_and_put_back(public, change, words):
    run(public)
    (number,) = public.world.rulesets
    public.world.rulesets[number] |= change
    found = {finding.name: finding for finding in run(public, check=True)}["ruleset hilgate"]
    assert found.state == "missing"
    assert words in found.words
    assert states(run(public))["ruleset hilgate"] == "made"
    assert states(run(public, check=True))["ruleset hilgate"] == "ok"


def test_what_people_added_to_the_ruleset_stays(public):
    run(public)
    (number,) = public.world.rulesets
    known = public.world.rulesets[number]
    other = {"context": "lint", "integration_id": 15368}
    known["rules"][0]["parameters"]["required_status_checks"] = [other]
    known["rules"].append({"type": "deletion"})
    run(public)
    assert {"type": "deletion"} in known["rules"]
    assert other in known["rules"][0]["parameters"]["required_status_checks"]
    assert len(known["rules"][0]["parameters"]["required_status_checks"]) == 2


def test_a_later_run_remembers_the_app(public):
    run(public)
    again = run(public, Wanted())
    assert not left(again)
    (made,) = public.world.rulesets.values()
    assert made["rules"][0]["parameters"]["required_status_checks"][0]["integration_id"] == 4711


@pytest.mark.parametrize("half", [Wanted(app_slug="hilgate-acme"), Wanted(app_client_id="Iv1.abc")])
def test_half_an_app_would_block_every_merge_and_is_refused(public, half):
    with pytest.raises(UsageError, match="there is an App's"):
        run(public, half)
    assert not public.world.rulesets


def test_an_app_that_nobody_knows_is_said(public):
    found = {one.name: one for one in run(public, Wanted(app_slug="no-such-app", app_client_id="x"))}["ruleset hilgate"]
    assert found.state == "missing"
    assert "no-such-app" in found.words


def test_reviewers_that_are_named_and_a_name_that_is_none(public):
    run(public, Wanted(reviewers=("wim", "maria")))
    assert public.world.environments["hilgate-hardware"]["reviewers"] == ["wim", "maria"]
    public.world.environments.clear()
    found = {one.name: one for one in run(public, Wanted(reviewers=("nobody",)))}["environment hilgate-hardware"]
    assert (found.state, "nobody" in found.words) == ("missing", True)


def test_an_environment_without_reviewers_is_missing_because_it_holds_nobody_back(public):
    public.world.environments["hilgate-hardware"] = {"reviewers": []}
    assert states(run(public, check=True))["environment hilgate-hardware"] == "missing"


@pytest.mark.parametrize("token", ["workflow-token", "reader"])
def test_without_the_rights_it_says_what_is_missing(public, token):
    public.world.tokens["reader"] = type(public.world.tokens["person-token"])("rita")
    findings = execute(public.client(token, ""), ALL, check=False)
    found = states(findings)
    assert found["workflow permissions"] == "cannot look"
    assert found["environment hilgate-hardware"] == "missing"
    assert found["ruleset hilgate"] == "missing"
    assert left(findings)
    assert not public.world.rulesets
    assert any("administration" in finding.todo for finding in findings)


def test_a_private_repository_on_the_free_plan_is_told_what_holds_instead(public):
    public.world.is_private, public.world.is_paid = True, False
    findings = run(public)
    found = {finding.name: finding for finding in findings}
    assert (found["ruleset hilgate"].state, found["environment hilgate-hardware"].state) == ("paid plan", "paid plan")
    assert "/hardware" in found["environment hilgate-hardware"].words
    assert not left(findings)


def test_what_only_a_person_can_click_comes_with_its_address(github):
    github.world.variables |= {"HILGATE_APP_CLIENT_ID": "Iv1.abc", "HILGATE_APP_SLUG": "hilgate-acme"}
    found = {finding.name: finding for finding in run(github, Wanted())}
    assert found["secret HILGATE_APP_PRIVATE_KEY"].state == "by hand"
    assert "https://github.com/acme/widget/settings/environments" in found["secret HILGATE_APP_PRIVATE_KEY"].todo
    assert "https://github.com/acme/widget/settings/actions/runners/new" in found["bench"].todo
    assert "/params.yaml @YOU" in found["code owner of the policy"].todo


@pytest.mark.parametrize(("kind", "place"), [("User", "settings"), ("Organization", "organizations/acme/settings")])
def test_without_an_app_its_form_comes_filled_in_and_its_key_is_not_asked_for(github, kind, place):
    github.world.owner_kind = kind
    found = {finding.name: finding for finding in run(github, Wanted())}
    assert f"https://github.com/{place}/apps/new?name=hilgate-acme" in found["GitHub App"].todo
    assert "checks=write" in found["GitHub App"].todo
    assert "secret HILGATE_APP_PRIVATE_KEY" not in found


def test_what_is_there_by_hand_is_seen(github):
    world = github.world
    world.files["main", ".github/CODEOWNERS"] = b"/params.yaml @maria\n"
    world.refs["heads/hilgate-bench"] = "d" * 40
    found = states(run(github, Wanted()))
    assert (found["bench"], found["code owner of the policy"]) == ("ok", "ok")


def test_pages_built_from_a_branch_are_put_right(public):
    public.world.pages = {"build_type": "legacy"}
    assert states(run(public))["Pages"] == "made"
    assert public.world.pages["build_type"] == "workflow"


def test_lost_answers_make_nothing_twice(public):
    for path in ("rulesets", "labels", "variables", "pages", "deployment-branch-policies"):
        public.faults.append(Fault("POST", path, 502, lost=True))
    assert not left(run(public))
    assert len(public.world.rulesets) == 1


def test_an_enterprise_server_is_told_what_it_lacks(make_github):
    github = make_github("/api/v3")
    github.world.enterprise = "3.10.4"
    row = run(github, Wanted())[0]
    assert row.name == "Enterprise Server 3.10.4"
    assert "attestations" in row.words
    assert "rulesets" in row.words
    github.world.enterprise = "3.19.0"
    assert "rulesets" not in run(github, Wanted())[0].words


@pytest.mark.parametrize("check", [True, False])
def test_the_command(public, monkeypatch, capsys, check):
    monkeypatch.setenv("GITHUB_TOKEN", "person-token")
    monkeypatch.setenv("GITHUB_API_URL", public.url)
    monkeypatch.setenv("COLUMNS", "120")
    words = ["setup", "github", "--repo", "acme/widget", "--pages", *(["--check"] if check else [])]
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    shown = capsys.readouterr()
    assert caught.value.code == (30 if check else 0), shown.err
    assert "GitHub settings of acme/widget" in shown.out
    assert "person-token" not in shown.out + shown.err
    assert ("settings are missing" in shown.err) == check
    new_app = next(line for line in shown.out.splitlines() if "apps/new" in line)
    assert new_app.endswith("contents=read")  # an address is one line, whatever the width
    assert shown.out.count("    hilgate setup github --repo acme/widget\n") == check


def test_a_wrong_token_ends_at_once(github):
    from hilgate.github.refusal import RefusedError

    with pytest.raises(RefusedError, match="401"):
        run(github, token="wrong")
    assert len(github.calls) == 1
