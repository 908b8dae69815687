"""Where a clone comes from."""

from __future__ import annotations

import subprocess

import pytest

from hilgate.github.remote import access_of_clone, api_url, parse_address, path_in_clone


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://github.com/acme/widget.git", ("github.com", "acme/widget")),
        ("https://github.com/acme/widget", ("github.com", "acme/widget")),
        ("https://token@git.acme.com:8443/acme/widget/", ("git.acme.com", "acme/widget")),
        ("git@github.com:acme/widget.git", ("github.com", "acme/widget")),
        ("ssh://git@git.acme.com:2222/acme/widget.git", ("git.acme.com", "acme/widget")),
        ("../widget", ("", "")),
        ("/srv/git/widget.git", ("", "")),
        ("https://gitlab.com/group/sub/widget", ("", "")),
        ("", ("", "")),
    ],
)
def test_addresses(address, found):
    assert parse_address(address) == found


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("github.com", "https://api.github.com"),
        ("acme.ghe.com", "https://api.acme.ghe.com"),
        ("git.acme.com", "https://git.acme.com/api/v3"),
    ],
)
def test_interfaces(host, url):
    assert api_url(host) == url


def test_a_clone_says_its_repository_and_the_environment_wins(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    remote = ["git", "-C", tmp_path, "remote", "add", "origin", "git@git.acme.com:acme/widget.git"]
    subprocess.run(remote, check=True)
    access = access_of_clone({"GITHUB_TOKEN": "x"}, "", tmp_path)
    assert (access.repository, access.api_url) == ("acme/widget", "https://git.acme.com/api/v3")
    assert access_of_clone({"GITHUB_TOKEN": "x"}, "a/b", tmp_path).repository == "a/b"
    told = {"GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "c/d", "GITHUB_API_URL": "https://api.github.com"}
    assert access_of_clone(told, "", tmp_path).repository == "c/d"


def test_a_project_in_a_folder_of_a_larger_repository(tmp_path):
    assert path_in_clone(tmp_path / "params.yaml") == "params.yaml"
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    project = tmp_path / "firmware" / "product"
    project.mkdir(parents=True)
    assert path_in_clone(project / "params.yaml") == "firmware/product/params.yaml"
    assert path_in_clone(tmp_path / "params.yaml") == "params.yaml"
