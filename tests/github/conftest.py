"""A fake GitHub for every test; whatever breaks GitHub's own description of its interface fails the test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the package fake_github; tests are no package themselves

from fake_github import Actor, FakeGitHub

HEAD, BASE = "a" * 40, "b" * 40
RIGHTS = {"checks: write", "pull_requests: write", "contents: write", "statuses: write"}


@pytest.fixture
def make_github():
    """FakeGitHub(...) as often as a test likes."""
    made = []

    def make(prefix=""):
        fake = FakeGitHub(prefix)
        made.append(fake)
        fake.world.tokens = {
            "workflow-token": Actor("github-actions[bot]", "github-actions", set(RIGHTS)),
            "app-token": Actor("hilgate-acme[bot]", "hilgate-acme", set(RIGHTS)),
            "poor-token": Actor("github-actions[bot]", "github-actions", set()),
            "person-token": Actor("maria"),
            "evil-token": Actor("evil-app[bot]", "evil-app", set(RIGHTS)),
        }
        fake.world.people = {"maria": "admin", "wim": "write", "rita": "read", "stranger": "read"}
        fake.world.pulls[7] = {
            "state": "open",
            "author": "wim",
            "head_sha": HEAD,
            "head_ref": "feature",
            "head_repository": fake.world.repository,
            "base_ref": "main",
            "base_sha": BASE,
        }
        return fake

    yield make
    violations = [text for fake in made for text in fake.violations]
    for fake in made:
        fake.close()
    assert not violations


@pytest.fixture
def github(make_github):
    return make_github()
