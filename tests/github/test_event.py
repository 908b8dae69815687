"""Events as GitHub's own schemas have them, with what strangers can put into them."""

from __future__ import annotations

import json
import subprocess

import pytest
from fake_github.contract import BrokenContractError, check_event, event_sample

from hilgate.ci.pulls.event import read_event, write_outputs
from hilgate.errors import UsageError

HEAD, BASE = "a" * 40, "b" * 40
HOSTILE_BRANCHES = ["a\"b'c", "$(id)", "`id`", "a;b|c&d", "ünï/中文", "-rf", "a}}{{b", "%0Aname=x", "<img>"]
REFUSED_BRANCHES = ["a\nb", "a\r", "a b", "a\x00b", "x" * 256, "a\x7f", "a^b", "a:b"]
HOSTILE_TITLE = '$(curl evil) `id` "; rm -rf / #\n::set-output name=x::y'


@pytest.fixture
def job(tmp_path):
    """The environment of a job: job(name, payload)."""

    def make(name, payload, **changed):
        path = tmp_path / "event.json"
        path.write_text(payload if isinstance(payload, str) else json.dumps(payload))
        about = {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path), "GITHUB_REPOSITORY": "acme/widget"}
        return {**about, "GITHUB_RUN_ID": "100", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_SHA": BASE, **changed}

    return make


def pull_request(branch="feature", repository="acme/widget", number=7, **pull):
    payload = event_sample("pull_request$synchronize")
    payload |= {"number": number}
    payload["pull_request"] |= {"number": number, "title": HOSTILE_TITLE, **pull}
    payload["pull_request"]["head"] |= {"sha": HEAD, "ref": branch}
    payload["pull_request"]["head"]["repo"] = {**payload["repository"], "full_name": repository}
    check_event("pull_request$synchronize", payload)
    return payload


def workflow_run(branch="feature", repository="acme/widget", event="pull_request", action="completed"):
    payload = event_sample(f"workflow_run${action}")
    payload["workflow_run"] |= {"event": event, "head_sha": HEAD, "head_branch": branch, "pull_requests": []}
    payload["workflow_run"]["head_repository"] |= {"full_name": repository}
    payload["workflow_run"]["head_commit"] |= {"message": HOSTILE_TITLE}
    check_event(f"workflow_run${action}", payload)
    return payload


def test_pull_request(job):
    event = read_event(job("pull_request", pull_request()))
    assert (event.kind, event.head_sha, event.pull_request, event.is_fork) == ("pull_request", HEAD, 7, False)
    assert (event.run_id, event.attempt) == (100, 2)
    assert event.run_url == "https://github.com/acme/widget/actions/runs/100"


@pytest.mark.parametrize("action", ["completed", "requested"])
def test_workflow_run_of_a_fork(job, action):
    event = read_event(job("workflow_run", workflow_run(repository="stranger/widget", action=action)))
    assert (event.kind, event.head_sha, event.pull_request, event.is_fork) == ("pull_request", HEAD, None, True)


def test_workflow_run_of_a_fork_that_is_gone(job):
    payload = workflow_run()
    payload["workflow_run"]["head_repository"] = None
    assert read_event(job("workflow_run", payload)).is_fork


def test_merge_group(job):
    payload = event_sample("merge_group$checks_requested")
    payload["merge_group"] |= {"head_sha": HEAD, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-bbbb"}
    payload["repository"]["full_name"] = "acme/widget"
    check_event("merge_group$checks_requested", payload)
    event = read_event(job("merge_group", payload))
    assert (event.kind, event.head_branch) == ("merge_group", "gh-readonly-queue/main/pr-7-bbbb")


def test_push(job):
    payload = event_sample("push$event")
    payload |= {"after": HEAD, "ref": "refs/heads/main"}
    payload["repository"]["full_name"] = "acme/widget"
    check_event("push$event", payload)
    assert read_event(job("push", payload, GITHUB_REF_NAME="main")).head_sha == HEAD


@pytest.mark.parametrize("branch", HOSTILE_BRANCHES)
def test_branches_that_git_allows_are_taken_as_they_are(job, branch):
    assert read_event(job("pull_request", pull_request(branch))).head_branch == branch


@pytest.mark.parametrize("branch", REFUSED_BRANCHES)
def test_branches_that_git_does_not_allow_are_refused(job, branch):
    with pytest.raises(UsageError, match="head_branch"):
        read_event(job("pull_request", pull_request(branch)))


@pytest.mark.parametrize(
    "change",
    [
        {"GITHUB_REPOSITORY": "acme"},
        {"GITHUB_REPOSITORY": "acme/widget\nx=y"},
        {"GITHUB_RUN_ID": "1; id"},
        {"GITHUB_RUN_ID": ""},
        {"GITHUB_RUN_ATTEMPT": "two"},
        {"GITHUB_EVENT_NAME": "pull_request_target"},
        {"GITHUB_EVENT_NAME": ""},
        {"GITHUB_EVENT_PATH": "no/such/file"},
    ],
)
def test_a_job_that_is_none(job, change):
    with pytest.raises(UsageError):
        read_event(job("pull_request", pull_request(), **change))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"pull_request": 1}', '{"pull_request": {"head": null}}', "[" * 100_000, " " * (5 << 20)]
)
def test_a_payload_that_is_none(job, text):
    with pytest.raises(UsageError):
        read_event(job("pull_request", text))


@pytest.mark.parametrize("sha", ["", "a" * 39, "A" * 40, "g" * 40, f"{'a' * 40}\n", 7, None])
def test_a_sha_that_is_none(job, sha):
    payload = pull_request()
    payload["pull_request"]["head"]["sha"] = sha
    with pytest.raises(UsageError, match="head_sha"):
        read_event(job("pull_request", payload))


@pytest.mark.parametrize("number", [0, -1, True, 2**31, "7", 7.0])
def test_a_number_that_is_none(job, number):
    payload = pull_request()
    payload["pull_request"]["number"] = number
    with pytest.raises(UsageError, match="number"):
        read_event(job("pull_request", payload))


def test_outputs_hold_what_they_were_given_and_no_line_can_add_another(tmp_path):
    """Read back by GitHub's rules: NAME<<MARK, lines, MARK."""
    path = tmp_path / "output"
    values = {"base_ref": "$(id)`id`'\"", "evil": "x\nname=stolen\nEOF\nother<<EOF\ny", "plain": "7"}
    write_outputs(path, values)
    lines, found = iter(path.read_text().split("\n")), {}
    for line in lines:
        if "<<" in line:
            name, _, mark = line.partition("<<")
            found[name] = "\n".join(iter(lines.__next__, mark))
    assert found == values


def test_a_shell_that_gets_an_output_as_a_variable_runs_nothing(tmp_path):
    """How the workflows hand names on: env, then "$NAME"."""
    name = f"$(touch {tmp_path}/stolen)`touch {tmp_path}/stolen`'\";touch {tmp_path}/stolen"
    shown = subprocess.run(["bash", "-c", 'printf %s "$REF"'], env={"REF": name}, capture_output=True, text=True)
    assert shown.stdout == name
    assert not (tmp_path / "stolen").exists()


def test_githubs_schemas_refuse_what_is_no_event():
    with pytest.raises(BrokenContractError):
        check_event("workflow_run$completed", {"action": "completed"})
