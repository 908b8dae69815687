"""The referee itself: GitHub's description is really asked, and says no where it must."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_github import contract
from fake_github.server import HANDLERS

CONTRACT = Path(__file__).parent / "contract"
COMMENTS = "/repos/acme/widget/issues/7/comments"


@pytest.mark.parametrize("name", ["api.json", "events.json"])
def test_the_extract_says_where_it_is_from(name):
    source = json.loads((CONTRACT / name).read_text())["x-source"]
    assert source["package"].startswith("@octokit/")
    assert len(source["sha256"]) == 64
    assert source["version"]


def test_every_call_of_the_extract_is_answered_by_the_fake_and_the_other_way_round():
    described = {(method.upper(), path) for _, _, (method, path) in contract.operations()}
    assert described == set(HANDLERS)


def test_every_call_exists_on_the_enterprise_servers_that_docs_name():
    """docs/github.md says 3.17 to 3.19."""
    assert contract.description()["x-enterprise"] == {"3.17": [], "3.18": [], "3.19": []}


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", COMMENTS, {}),
        ("POST", COMMENTS, {"body": 7}),
        ("POST", COMMENTS, {"body": "x", "bodi": "y"}),
        ("POST", "/repos/acme/widget/check-runs", {"name": "hilgate"}),
        ("POST", "/repos/acme/widget/check-runs", {"name": "h", "head_sha": "x", "status": "done"}),
        ("POST", "/repos/acme/widget/check-runs", {"name": "h", "head_sha": "x", "conclusion": "inconclusive"}),
        ("POST", f"/repos/acme/widget/statuses/{'a' * 40}", {"state": "waiting"}),
        ("POST", "/repos/acme/widget/rulesets", {"name": "x", "enforcement": "on"}),
        ("POST", "/repos/acme/widget/rulesets", {"name": "x", "enforcement": "active", "rules": [{"type": "magic"}]}),
        ("GET", f"{COMMENTS}?per_pages=100", None),
        ("GET", f"{COMMENTS}?page=two", None),
        ("GET", "/repos/acme/widget/issue/7/comments", None),
        ("PUT", COMMENTS, {"body": "x"}),
    ],
)
def test_a_request_that_github_would_not_understand_is_refused(method, target, body):
    with pytest.raises(contract.BrokenContractError):
        contract.check_request(method, target, json.dumps(body).encode() if body is not None else b"")


@pytest.mark.parametrize(
    ("status", "document"),
    [(200, {"id": 7}), (201, {"id": 7}), (201, []), (302, {})],
)
def test_an_answer_that_github_would_not_give_is_refused(status, document):
    with pytest.raises(contract.BrokenContractError):
        contract.check_answer("POST", COMMENTS, status, json.dumps(document).encode())


def test_good_ones_pass():
    contract.check_request("POST", COMMENTS, b'{"body": "x"}')
    content = json.dumps(contract.document("issue-comment")).encode()
    contract.check_answer("POST", COMMENTS, 201, content)
