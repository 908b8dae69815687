"""The scripts that workflows call, run here: with git repositories for real, with fakes of docker and dvc."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

FAKE_DOCKER = """#!/bin/bash
echo "$@" >>"$LOG"
case "$1 $2" in
    "image inspect") [ -e "$BUILT" ] ;;
    "pull --quiet") [ -n "${PUBLISHED:-}" ] && touch "$BUILT" ;;
    "login "*) cat >>"$LOG" ;;
    "tag "*) ;;
    "build "*) touch "$BUILT" ;;
    *) exit 7 ;;
esac
"""
IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.org")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def container(root: Path, tmp_path: Path) -> Callable[..., tuple[int, str, list[str]]]:
    """Runs scripts/in_container with a fake docker; gives exit code, what it said, and docker's command lines."""
    log, fake = tmp_path / "log", tmp_path / "bin"
    fake.mkdir()
    (fake / "docker").write_text(FAKE_DOCKER)
    (fake / "docker").chmod(0o755)

    def run(*words: str, **variables: str) -> tuple[int, str, list[str]]:
        log.write_text("")
        env = {"PATH": f"{fake}:{os.environ['PATH']}", "LOG": str(log), "BUILT": str(tmp_path / "built")}
        env |= {"HOME": str(tmp_path), **variables}
        command = [str(root / "scripts/in_container"), *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr, log.read_text().splitlines()

    return run


def test_in_container_builds_once_and_passes_on_the_exit_code(
    root: Path, container: Callable[..., tuple[int, str, list[str]]]
) -> None:
    variables = {"CI": "true", "HILGATE_EXAMPLE": "1", "SECRET_TOKEN": "x"}
    code, said, first = container("make", "test", **variables)
    assert code == 7 and "gh workflow run container.yml" in said
    code, said, second = container("make", "test", **variables)
    assert code == 7 and not said
    assert [call.split()[0] for call in first + second] == ["image", "build", "run", "image", "run"]
    run = second[-1]
    assert run.endswith("make test") and f"--volume {root}:{root}" in run and f"--user {os.getuid()}:" in run
    assert "--env=CI" in run and "--env=HILGATE_EXAMPLE" in run and "SECRET_TOKEN" not in run


def test_a_published_container_is_pulled_and_the_token_goes_no_further(
    container: Callable[..., tuple[int, str, list[str]]],
) -> None:
    published = {"HILGATE_CONTAINER": "ghcr.io/acme/product/hilgate-build", "HILGATE_CONTAINER_TOKEN": "s3cret"}
    code, _, calls = container("--prepare", **published, PUBLISHED="1")
    assert code == 0
    assert [call.split()[0] for call in calls] == ["image", "login", "s3cret", "pull", "tag"]
    assert calls[1] == "login ghcr.io --username hilgate --password-stdin"
    assert calls[3].startswith("pull --quiet ghcr.io/acme/product/hilgate-build:")
    _, _, calls = container("make", **published)
    assert "TOKEN" not in calls[-1] and "s3cret" not in " ".join(calls)


def test_a_container_that_cannot_be_pulled_is_built_and_that_is_said(
    container: Callable[..., tuple[int, str, list[str]]],
) -> None:
    code, said, calls = container("--prepare", HILGATE_CONTAINER="ghcr.io/acme/product/hilgate-build")
    assert code == 0 and [call.split()[0] for call in calls] == ["image", "pull", "build"]
    assert "cannot be pulled" in said and "gh workflow run container.yml" in said


@pytest.fixture
def clone(root: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A server's repository with a fork's commit under refs/pull/1/head, and a clone of main with scripts/."""
    server, copy = tmp_path / "server", tmp_path / "clone"
    (server / "scripts").mkdir(parents=True)
    for name in ("lib.sh", "fetch_head", "with_token"):
        (server / "scripts" / name).write_bytes((root / "scripts" / name).read_bytes())
        (server / "scripts" / name).chmod(0o755)
    git(server, "init", "-q", "-b", "main")
    git(server, "config", "uploadpack.allowAnySHA1InWant", "true")  # as GitHub's servers do
    git(server, "add", ".")
    git(server, "commit", "-q", "-m", "main")
    git(server, "checkout", "-q", "-b", "x")
    (server / "evil").write_text("code of a stranger\n")
    git(server, "add", ".")
    git(server, "commit", "-q", "-m", "change")
    git(server, "update-ref", "refs/pull/1/head", "HEAD")
    git(server, "checkout", "-q", "main")
    git(server, "branch", "-q", "-D", "x")
    subprocess.run(["git", "clone", "-q", f"file://{server}", str(copy)], check=True)
    return server, copy


def test_fetch_head_brings_objects_and_no_files(clone: tuple[Path, Path]) -> None:
    server, copy = clone
    head = git(server, "rev-parse", "refs/pull/1/head")
    before = git(copy, "for-each-ref")
    env = {**os.environ, "GITHUB_TOKEN": "s3cret"}
    subprocess.run([str(copy / "scripts/fetch_head"), head], env=env, check=True, timeout=60)
    assert git(copy, "show", f"{head}:evil") == "code of a stranger"
    assert not (copy / "evil").exists() and git(copy, "for-each-ref") == before
    assert git(copy, "status", "--porcelain") == ""
    assert "s3cret" not in (copy / ".git/config").read_text() and not (copy / ".git/FETCH_HEAD").exists()


@pytest.mark.parametrize("sha", ["--upload-pack=touch x", "main", "a" * 39, "A" * 40, "a" * 40 + "\n", "$(touch x)"])
def test_fetch_head_takes_nothing_but_a_commit(clone: tuple[Path, Path], sha: str) -> None:
    done = subprocess.run([str(clone[1] / "scripts/fetch_head"), sha], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "not a commit" in done.stderr
    assert not list(clone[1].rglob("x"))


def test_fetch_head_says_when_the_commit_is_gone(clone: tuple[Path, Path]) -> None:
    done = subprocess.run([str(clone[1] / "scripts/fetch_head"), "b" * 40], capture_output=True, text=True, timeout=60)
    assert done.returncode == 30 and "pushed over" in done.stderr


def test_with_token_hands_git_the_token_and_writes_it_nowhere(root: Path) -> None:
    command = [str(root / "scripts/with_token"), "git", "config", "--get", "http.https://ghe.example.org/.extraheader"]
    env = {**os.environ, "GITHUB_TOKEN": "abc", "GITHUB_SERVER_URL": "https://ghe.example.org"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "Authorization: Basic eC1hY2Nlc3MtdG9rZW46YWJj"  # x-access-token:abc
    assert "eC1hY2" not in (root / ".git/config").read_text()


FAKE_DVC = '#!/bin/bash\necho "$@" >>"$LOG"\n[ "$1" != pull ] || exit "${PULL:-0}"\n'


@pytest.fixture
def dvc_pull(root: Path, tmp_path: Path) -> Callable[..., tuple[int, str, list[str]]]:
    for name in ("lib.sh", "dvc_pull"):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        (tmp_path / "scripts" / name).write_bytes((root / "scripts" / name).read_bytes())
        (tmp_path / "scripts" / name).chmod(0o755)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/dvc").write_text(FAKE_DVC)
    (tmp_path / ".venv/bin/dvc").chmod(0o755)

    def run(**variables: str) -> tuple[int, str, list[str]]:
        log = tmp_path / "log"
        log.write_text("")
        command = [str(tmp_path / "scripts/dvc_pull")]
        env = {"PATH": os.environ["PATH"], "LOG": str(log), **variables}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr, log.read_text().splitlines()

    return run


def test_no_remote_is_said_with_the_command_that_adds_one(dvc_pull: Callable[..., tuple[int, str, list[str]]]) -> None:
    code, said, calls = dvc_pull()
    assert code == 0 and not calls and "gh variable set HILGATE_DVC_URL" in said


def test_the_key_goes_to_a_remote_that_no_change_can_name(dvc_pull: Callable[..., tuple[int, str, list[str]]]) -> None:
    variables = {"HILGATE_DVC_URL": "s3://acme/dvc", "HILGATE_DVC_ACCESS_KEY_ID": "k"}
    names = set()
    for _ in range(2):
        code, _, calls = dvc_pull(**variables, HILGATE_DVC_SECRET_ACCESS_KEY="s")
        assert code == 0
        add, key, secret, pull, remove = (call.split() for call in calls)
        names.add(add[3])
        assert add == ["remote", "add", "--local", add[3], "s3://acme/dvc"] and add[3].startswith("ci-")
        assert key[:4] == secret[:4] == ["remote", "modify", "--local", add[3]]
        assert pull == ["pull", "--quiet", "--remote", add[3], "--allow-missing"]
        assert remove == ["remote", "remove", "--local", add[3]]
    assert len(names) == 2


@pytest.mark.parametrize("url", ["/etc", "ext::sh -c x", "-x", "s3:/a"])
def test_an_address_that_is_none_is_refused(dvc_pull: Callable[..., tuple[int, str, list[str]]], url: str) -> None:
    code, said, calls = dvc_pull(HILGATE_DVC_URL=url)
    assert code == 2 and not calls and "HILGATE_DVC_URL" in said


def test_a_remote_that_fails_stops_nothing_and_is_removed(dvc_pull: Callable[..., tuple[int, str, list[str]]]) -> None:
    code, said, calls = dvc_pull(HILGATE_DVC_URL="s3://acme/dvc", PULL="1")
    assert code == 0 and "said with the cell" in said and calls[-1].startswith("remote remove")


@pytest.fixture
def callers(root: Path, tmp_path: Path) -> Path:
    """A copy of scripts/ and the workflows."""
    for name in ("lib.sh", "follow_workflows"):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        (tmp_path / "scripts" / name).write_bytes((root / "scripts" / name).read_bytes())
        (tmp_path / "scripts" / name).chmod(0o755)
    shutil.copytree(root / ".github", tmp_path / ".github")
    return tmp_path


def follow(callers: Path, *words: str) -> tuple[int, str]:
    command = [str(callers / "scripts/follow_workflows"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def used(callers: Path) -> list[str]:
    texts = [path.read_text() for path in sorted((callers / ".github/workflows").glob("*.yml"))]
    return [
        line.strip() for text in texts for line in text.splitlines() if "workflows/run-" in line and "uses:" in line
    ]


def test_callers_follow_a_version_and_come_back(root: Path, callers: Path) -> None:
    sha = "0123456789abcdef" * 2 + "01234567"
    for version in ("v1.2.0", "v1.3.0"):
        code, _ = follow(callers, "acme/hilgate", sha, version)
        assert code == 0
        assert set(used(callers)) == {
            f"uses: acme/hilgate/.github/workflows/run-{name}.yml@{sha} # {version}"
            for name in ("ci", "verdict", "bench", "main", "nightly", "release")
        }
    assert follow(callers, "--local")[0] == 0
    for path in (root / ".github/workflows").glob("*.yml"):
        assert (callers / ".github/workflows" / path.name).read_text() == path.read_text(), path.name


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("acme/hilgate", "main", "v1.2.0"),
        ("acme/hilgate", "a" * 40, "latest"),
        ("acme/x|e id", "a" * 40, "v1.2.0"),
        ("../x", "a" * 40, "v1.2.0"),
    ],
)
def test_nothing_but_a_commit_of_a_repository_is_followed(callers: Path, words: tuple[str, ...]) -> None:
    before = used(callers)
    code, said = follow(callers, *words)
    assert code == 2 and "scripts/follow_workflows OWNER/REPOSITORY COMMIT VERSION" in said
    assert used(callers) == before
