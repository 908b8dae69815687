"""Which pull request a commit belongs to: forks, renamed repositories, several at once."""

from __future__ import annotations

import pytest
from fake_github import Fault

from hilgate.github.pulls import pull_request, pulls_with_head

HEAD = "a" * 40


def numbers(github):
    return [pull.number for pull in pulls_with_head(github.client(), HEAD)]


def test_the_quick_way_is_one_call(github):
    assert numbers(github) == [7]
    assert len(github.calls) == 1


def test_a_forks_head_is_found_among_many_open_ones(github):
    github.world.pulls[7] |= {"unknown_here": True, "head_repository": "stranger/widget"}
    for number in range(8, 150):
        github.world.pulls[number] = {**github.world.pulls[7], "head_sha": f"{number:040x}"}
    (pull,) = pulls_with_head(github.client(), HEAD)
    assert (pull.number, pull.is_fork, pull.head_repository) == (7, True, "stranger/widget")


@pytest.mark.parametrize("status", [404, 409, 422])
def test_a_server_that_does_not_know_a_forks_commit_is_asked_in_another_way(github, status):
    github.faults.append(Fault("GET", "/commits/", status, body=b'{"message": "No commit found for SHA"}'))
    assert numbers(github) == [7]


def test_a_fork_that_was_deleted_is_still_a_fork(github):
    github.world.pulls[7]["head_repository"] = None
    (pull,) = pulls_with_head(github.client(), HEAD)
    assert (pull.is_fork, pull.head_repository) == (True, "")


def test_open_ones_come_first(github):
    github.world.pulls[6] = {**github.world.pulls[7], "state": "closed"}
    assert numbers(github) == [7, 6]


def test_the_same_commit_in_another_repositorys_pull_request_is_not_ours(github, monkeypatch):
    from fake_github import documents

    real = documents.pull

    def elsewhere(world, number, simple=False):
        document = real(world, number, simple)
        document["base"]["repo"] = documents.repository("stranger/widget")
        return document

    monkeypatch.setattr(documents, "pull", elsewhere)
    assert numbers(github) == []


def test_a_renamed_repository_answers_to_its_old_name(github):
    github.world.pulls[7]["head_repository"] = github.world.repository = "acme/renamed"
    github.world.old_name = "acme/widget"
    client = github.client()
    client = type(client)(type(client.access)("acme/widget", "workflow-token", github.url), client.clock)
    (pull,) = pulls_with_head(client, HEAD)
    assert (pull.number, pull.is_fork) == (7, False)
    assert pull_request(client, 7) == pull


@pytest.mark.parametrize("number", [8, 2**31 - 1])
def test_no_such_number(github, number):
    assert pull_request(github.client(), number) is None
