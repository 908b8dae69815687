"""CODEOWNERS, as GitHub reads it."""

from __future__ import annotations

import pytest

from hilgate.github.codeowners import owners_of


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("*", "params.yaml", True),
        ("*.yaml", "params.yaml", True),
        ("*.yaml", "product/params.yaml", True),
        ("params.yaml", "product/params.yaml", True),
        ("/params.yaml", "params.yaml", True),
        ("/params.yaml", "product/params.yaml", False),
        ("product/", "product/params.yaml", True),
        ("/product/", "product/deep/params.yaml", True),
        ("product", "product/params.yaml", True),
        ("product/*", "product/params.yaml", True),
        ("product/*", "product/deep/params.yaml", False),
        ("product/**", "product/deep/params.yaml", True),
        ("**/params.yaml", "a/b/params.yaml", True),
        ("a/**/params.yaml", "a/b/c/params.yaml", True),
        ("a/**/params.yaml", "a/params.yaml", True),
        ("param?.yaml", "params.yaml", True),
        ("params.yml", "params.yaml", False),
        ("params+yaml", "params.yaml", False),
        ("!params.yaml", "params.yaml", False),
        ("params.[xy]aml", "params.yaml", False),
        ("docs/", "params.yaml", False),
    ],
)
def test_patterns(pattern, path, owned):
    assert owners_of(f"{pattern} @maria", path) == (["@maria"] if owned else [])


def test_the_last_line_that_matches_counts_also_when_it_names_nobody():
    text = "* @all\n# a comment @x\nparams.yaml @maria  @acme/team # and why\n"
    assert owners_of(text, "params.yaml") == ["@maria", "@acme/team"]
    assert owners_of(text + "params.yaml\n", "params.yaml") == []
