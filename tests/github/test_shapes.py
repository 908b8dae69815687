"""Whatever stands in a document of GitHub's or in an event: an error in words, never a traceback."""

from __future__ import annotations

import contextlib
import copy
import json

from fake_github import contract
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgate.ci.pulls.event import read_event
from hilgate.errors import GitHubError, UsageError
from hilgate.github.codeowners import owners_of
from hilgate.github.pulls import Pull
from hilgate.github.stamp import parse_stamp, stamp_in

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
PULL = contract.document("pull-request")
RUN = contract.event_sample("workflow_run$completed")


def replaced(document, path, value):
    """The document with something else at a place; a path that leads nowhere changes nothing."""
    changed = copy.deepcopy(document)
    node = changed
    with contextlib.suppress(KeyError, TypeError, IndexError):
        for name in path[:-1]:
            node = node[name]
        node[path[-1]] = value
    return changed


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["head", "base", "repo", "user", "sha", "ref", "number", "state"]), min_size=1, max_size=3
    ),
    JSON,
)
def test_pull_requests(path, value):
    with contextlib.suppress(GitHubError):
        Pull.of(replaced(PULL, path, value))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["workflow_run", "head_repository", "head_sha", "event", "full_name"]), min_size=1, max_size=3
    ),
    JSON,
)
def test_events(tmp_path_factory, path, value):
    file = tmp_path_factory.mktemp("event") / "event.json"
    file.write_text(json.dumps(replaced(RUN, path, value)))
    about = {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_EVENT_PATH": str(file), "GITHUB_REPOSITORY": "acme/widget"}
    with contextlib.suppress(UsageError):
        read_event({**about, "GITHUB_RUN_ID": "1"})


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_texts(text):
    owners_of(text, "params.yaml")
    parse_stamp(text)
    stamp_in(text)
