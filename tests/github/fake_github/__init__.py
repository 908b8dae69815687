"""A GitHub that remembers: what it is asked and what it answers is checked against GitHub's own description."""

from fake_github.server import FakeGitHub, Fault
from fake_github.world import Actor, World

__all__ = ["Actor", "FakeGitHub", "Fault", "World"]
