"""The client against everything that can happen on the way to GitHub. No test waits: only sleeping takes time."""

from __future__ import annotations

import pytest
import requests
from fake_github import Fault

from hilgate.errors import GitHubError, UsageError
from hilgate.github import answer as answers
from hilgate.github.access import access_from
from hilgate.github.pages import items
from hilgate.github.patience import Patience
from hilgate.github.refusal import RefusedError, UncertainError

TOKEN = "ghs_SecretSecretSecretSecretSecretSecret"
PULL = "/repos/acme/widget/pulls/7"


def test_every_call_names_version_kind_and_token(github):
    github.client().get(PULL)
    headers = github.calls[0].headers
    assert headers["Authorization"] == "Bearer workflow-token"
    assert headers["X-GitHub-Api-Version"] == "2022-11-28"
    assert headers["Accept"] == "application/vnd.github+json"


def test_netrc_does_not_replace_the_token(github, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    github.client().get(PULL)
    assert github.calls[0].headers["Authorization"] == "Bearer workflow-token"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 0])
def test_a_storm_passes(github, status):
    github.faults.append(Fault("GET", PULL, status, times=4))
    assert github.client().get(PULL)["number"] == 7
    assert github.world.clock.slept == [1, 2, 4, 8]


def test_a_storm_that_does_not_pass_ends_with_words(github):
    github.faults.append(Fault("GET", PULL, 502, times=99))
    with pytest.raises(GitHubError, match="GitHub answered 502, 6 times in a row") as caught:
        github.client().get(PULL)
    assert "githubstatus" in caught.value.hint
    assert len(github.calls) == 6


def test_a_call_that_creates_is_not_sent_twice(github):
    github.faults.append(Fault("POST", "statuses", 502))
    with pytest.raises(UncertainError, match="502"):
        github.client().call("POST", f"/repos/acme/widget/statuses/{'a' * 40}", {"state": "pending"})
    assert len(github.calls) == 1


def test_jitter_stretches_the_wait(github):
    client = github.client()
    client = type(client)(client.access, type(client.clock)(client.clock.now, client.clock.sleep, lambda: 0.5))
    github.faults.append(Fault("GET", PULL, 502, times=2))
    client.get(PULL)
    assert github.world.clock.slept == [1.25, 2.5]


def test_primary_limit_waits_for_its_reset(github):
    reset = str(int(github.world.clock.now()) + 90)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    github.faults.append(Fault("GET", PULL, 403, headers=headers, body=b'{"message": "API rate limit exceeded"}'))
    github.client().get(PULL)
    assert github.world.clock.slept == [91]


def test_secondary_limit_waits_as_told(github):
    body = b'{"message": "You have exceeded a secondary rate limit"}'
    github.faults.append(Fault("GET", PULL, 403, headers={"Retry-After": "37"}, body=body))
    github.faults.append(Fault("GET", PULL, 429, times=2, body=body))
    github.client().get(PULL)
    assert github.world.clock.slept == [37, 120, 240]  # told, then a minute doubled by the attempt


def test_a_limited_post_is_sent_again_because_nothing_was_done(github):
    github.faults.append(Fault("POST", "comments", 429, headers={"Retry-After": "5"}))
    path = "/repos/acme/widget/issues/7/comments"
    assert github.client().call("POST", path, {"body": "x"}).status == 201
    assert len(github.world.comments) == 1


def test_a_limit_beyond_patience_is_an_error_that_says_how_long(github):
    github.faults.append(Fault("GET", PULL, 429, headers={"Retry-After": "3000"}))
    with pytest.raises(GitHubError, match="429") as caught:
        github.client(patience=Patience(total_s=600)).get(PULL)
    assert "3000 s" in caught.value.hint
    assert github.world.clock.slept == []


def test_pages_to_the_end(github):
    for number in range(250):
        github.world.comments.append(_comment(github, number))
    found = list(items(github.client(), "/repos/acme/widget/issues/7/comments"))
    assert [item["body"] for item in found] == [f"comment {number}" for number in range(250)]
    assert [call.query.get("page", "1") for call in github.calls] == ["1", "2", "3"]


def test_a_list_without_end_is_refused(github, monkeypatch):
    monkeypatch.setattr("hilgate.github.pages.MOST_PAGES", 2)
    for number in range(250):
        github.world.comments.append(_comment(github, number))
    with pytest.raises(GitHubError, match="more than 200 entries"):
        list(items(github.client(), "/repos/acme/widget/issues/7/comments"))


def test_a_next_page_elsewhere_is_not_followed(github):
    link = {"Link": '<https://evil.example/x?page=2>; rel="next"'}
    github.faults.append(Fault("GET", "comments", 200, headers=link, body=b"[]"))
    with pytest.raises(GitHubError, match="another host"):
        list(items(github.client(), "/repos/acme/widget/issues/7/comments"))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_renamed_repository_is_followed(github, status):
    to = {"Location": f"{github.url}/repos/acme/widget/issues/7/comments"}
    github.faults.append(Fault("POST", "/repos/acme/old", status, headers=to))
    path = "/repos/acme/old/issues/7/comments"
    assert github.client().call("POST", path, {"body": "x"}).status == 201
    assert len(github.world.comments) == 1


def test_a_redirect_to_another_host_never_gets_the_token(github, make_github):
    other = make_github()
    github.faults.append(Fault("GET", PULL, 301, headers={"Location": f"{other.url}{PULL}"}))
    with pytest.raises(GitHubError, match="redirect to another host"):
        github.client().get(PULL)
    assert other.calls == []


def test_redirects_in_a_circle_end(github):
    github.faults.append(Fault("GET", PULL, 302, times=9, headers={"Location": f"{github.url}{PULL}"}))
    with pytest.raises(GitHubError, match="redirects"):
        github.client().get(PULL)


def test_a_wrong_token_is_said_without_the_token(github):
    with pytest.raises(RefusedError) as caught:
        github.client(TOKEN).get(PULL)
    assert caught.value.status == 401
    assert "expired" in caught.value.hint
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(github.client(TOKEN))


def test_a_missing_permission_is_named_as_github_names_it(github):
    with pytest.raises(RefusedError) as caught:
        github.client("poor-token").call("POST", "/repos/acme/widget/issues/7/comments", {"body": "x"})
    assert "pull_requests=write" in caught.value.hint


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", "check-runs", "checks: write"),
        ("GET", "commits/x/check-runs", "checks: read"),
        ("PUT", "environments/e", "administration: write"),
        ("POST", "issues/7/comments", "pull-requests: write"),
        ("GET", "contents/x", "contents: read"),
    ],
)
def test_a_missing_permission_is_known_where_github_is_silent(github, method, path, permission):
    github.faults.append(Fault(method, path, 403, body=b'{"message": "Resource not accessible by integration"}'))
    with pytest.raises(RefusedError) as caught:
        github.client().call(method, f"/repos/acme/widget/{path}")
    assert permission in caught.value.hint


def test_what_github_says_is_bounded_and_printable(github):
    words = b'{"message": "no\\u001b[31m' + b"x" * 10_000 + b'", "errors": [{"field": "f", "code": "missing"}, "why"]}'
    github.faults.append(Fault("GET", PULL, 422, body=words))
    with pytest.raises(RefusedError) as caught:
        github.client().get(PULL)
    assert len(caught.value.what) < 500
    assert caught.value.what.isprintable()


def test_an_answer_without_end_is_cut(github, monkeypatch):
    monkeypatch.setattr(answers, "LARGEST_BYTES", 1000)
    github.faults.append(Fault("GET", PULL, 200, body=b"x" * 100_000))
    with pytest.raises(GitHubError, match="larger than 1000 bytes"):
        github.client().get(PULL)


def test_an_answer_that_drips_is_cut(github, monkeypatch):
    clock = github.world.clock
    monkeypatch.setattr(clock, "now", iter(range(0, 100_000, 200)).__next__)
    github.faults.append(Fault("GET", PULL, 200, body=b"x" * 10))
    with pytest.raises(GitHubError, match="longer than 120 s"):
        github.client(patience=Patience(total_s=1e9)).get(PULL)


@pytest.mark.parametrize("body", [b"<html>proxy</html>", b"[" * 100_000])
def test_an_answer_that_is_no_json(github, body):
    github.faults.append(Fault("GET", PULL, 200, body=body))
    with pytest.raises(GitHubError, match="not JSON"):
        github.client().get(PULL)


def test_a_certificate_that_is_not_trusted_is_no_storm(github, monkeypatch):
    def refuse(*_, **__):
        raise requests.exceptions.SSLError(f"certificate verify failed, token {TOKEN}")

    monkeypatch.setattr(requests.Session, "request", refuse)
    with pytest.raises(GitHubError, match="not trusted") as caught:
        github.client(TOKEN).get(PULL)
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert TOKEN not in str(caught.value)
    assert not github.world.clock.slept


def test_enterprise_server_has_its_own_address(make_github):
    github = make_github("/api/v3")
    assert github.client().get(PULL)["number"] == 7
    assert github.client().access.is_enterprise


@pytest.mark.parametrize(
    ("environment", "api", "web"),
    [
        ({}, "https://api.github.com", "https://github.com"),
        ({"GITHUB_API_URL": "https://git.acme.com/api/v3/"}, "https://git.acme.com/api/v3", "https://git.acme.com"),
    ],
)
def test_access_from_environment(environment, api, web):
    access = access_from({"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acme/widget", **environment})
    assert (access.api_url, access.web_url) == (api, web)
    assert access.is_enterprise == bool(environment)
    assert TOKEN not in repr(access)


@pytest.mark.parametrize(
    "environment",
    [
        {"GITHUB_API_URL": "http://git.acme.com/api/v3"},
        {"GITHUB_API_URL": "https://user:password@git.acme.com"},
        {"GITHUB_API_URL": "ftp://git.acme.com"},
        {"GITHUB_API_URL": "https://[bad"},
        {"GITHUB_API_URL": "https://a.example/\r\nX: y"},
        {"GITHUB_REPOSITORY": "acme"},
        {"GITHUB_REPOSITORY": "acme/../other"},
        {"GITHUB_REPOSITORY": "acme/widget\n"},
        {"GITHUB_REPOSITORY": "acme/.."},
        {"HILGATE_APP_SLUG": "Bad Slug"},
    ],
)
def test_access_refuses(environment):
    with pytest.raises(UsageError):
        access_from({"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "acme/widget", **environment})


@pytest.mark.parametrize("token", ["", "  ", "two\nlines", "ünï"])
def test_no_usable_token_is_said_with_the_way_to_one(token):
    with pytest.raises(GitHubError) as caught:
        access_from({"GITHUB_TOKEN": token, "GITHUB_REPOSITORY": "acme/widget"})
    assert "gh auth token" in caught.value.hint


def _comment(github, number):
    now = github.world.clock.text()
    fields = {"id": number + 1, "number": 7, "login": "rita", "kind": "User", "body": f"comment {number}"}
    return {**fields, "created_at": now, "updated_at": now}
