"""Installing in a job, publishing the container, collecting a release: with fakes of python, docker and hilgate."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PYTHON = """#!/bin/bash
echo "$(basename "$0") $*" >>"$LOG"
if [ "$1 $2" = "-m venv" ]; then
    mkdir -p "$4/bin" && cp "$0" "$4/bin/python"
elif [ "$1 $2 $3" = "-m pip install" ]; then
    [[ "$*" != *require-hashes* ]] || exit "${PIP:-0}"
fi
"""
DOCKER = """#!/bin/bash
echo "$*" >>"$LOG"
case "$1" in
    login) cat >>"$LOG" ;;
    image) echo "ghcr.io/acme/product/hilgate-build@sha256:abc" ;;
esac
"""
HILGATE = """#!/bin/bash
case "$1 $2" in
    "ci cells") [ -z "${FAILS:-}" ] || exit 1 ;;
    "ci pack")
        for cell in a b; do
            mkdir -p "$4/cells/$cell"
            for file in firmware.elf model.json measurement.json sizes.json samples.json; do
                echo "$cell $file" >"$4/cells/$cell/$file"
            done
        done
        ;;
esac
"""


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def run(root: Path, tmp_path: Path) -> Callable[..., tuple[int, str, list[str]]]:
    """Runs a script in a scratch project; gives exit code, what it said, and the log of the fakes."""
    (tmp_path / ".github/container").mkdir(parents=True)
    (tmp_path / ".github/container/Dockerfile").write_text("FROM scratch\n")
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    for name in ("lib.sh", "install_engine", "publish_container", "release", "ci_claim"):
        program(tmp_path / "scripts" / name, (root / "scripts" / name).read_text())
    program(tmp_path / "scripts/sbom.py", "")
    program(tmp_path / "bin/python3", PYTHON)
    program(tmp_path / "bin/docker", DOCKER)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)

    def call(script: str, *words: str, **variables: str) -> tuple[int, str, list[str]]:
        log = tmp_path / "log"
        log.write_text("")
        env = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "LOG": str(log), **variables}
        command = [str(tmp_path / "scripts" / script), *words]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr, log.read_text().splitlines()

    return call


def test_a_job_installs_pinned_packages_and_hilgate_itself(run: Callable[..., tuple[int, str, list[str]]]) -> None:
    code, _, log = run("install_engine")
    assert code == 0
    assert log[-2:] == [
        "python -m pip install --quiet --require-hashes -r requirements.lock",
        "python -m pip install --quiet --no-deps --no-build-isolation -e .",
    ]


def test_a_bench_keeps_its_packages_until_a_pin_changes(
    run: Callable[..., tuple[int, str, list[str]]], tmp_path: Path
) -> None:
    cache = {"HILGATE_ENGINE_CACHE": str(tmp_path / "cache")}
    for change, installs in ((None, 1), (None, 0), ("requirements.lock", 1)):
        if change:
            (tmp_path / change).write_text("another pin")
        code, _, log = run("install_engine", **cache)
        assert code == 0 and sum("--require-hashes" in line for line in log) == installs
        assert log[-1].endswith("-e ."), "hilgate itself is always this checkout's"


def test_an_index_that_does_not_answer_is_said(run: Callable[..., tuple[int, str, list[str]]]) -> None:
    code, said, _ = run("install_engine", PIP="1")
    assert code == 8 and "is the package index reachable" in said


def test_the_container_is_published_under_its_dockerfiles_hash(
    run: Callable[..., tuple[int, str, list[str]]], tmp_path: Path
) -> None:
    out = tmp_path / "output"
    code, said, log = run("publish_container", "Acme/Product", HILGATE_CONTAINER_TOKEN="s3cret", GITHUB_OUTPUT=str(out))
    tag = hashlib.sha256(b"FROM scratch\n").hexdigest()[:12]
    name = "ghcr.io/acme/product/hilgate-build"
    assert code == 0 and "gh variable set HILGATE_CONTAINER --body ghcr.io/acme/product/hilgate-build" in said
    assert log == [
        f"build --tag {name}:{tag} .github/container",
        "login ghcr.io --username hilgate --password-stdin",
        "s3cret",
        f"push --quiet {name}:{tag}",
        f"image inspect --format {{{{index .RepoDigests 0}}}} {name}:{tag}",
    ]
    assert out.read_text() == f"name={name}\ndigest=sha256:abc\n"


def test_nothing_is_published_without_a_token(run: Callable[..., tuple[int, str, list[str]]]) -> None:
    code, _, log = run("publish_container", "acme/product")
    assert code != 0 and not [line for line in log if line.startswith("push")]


def test_a_release_has_the_files_of_every_cell_and_their_hashes(
    run: Callable[..., tuple[int, str, list[str]]], tmp_path: Path
) -> None:
    program(tmp_path / ".venv/bin/hilgate", HILGATE)
    program(tmp_path / ".venv/bin/python", '#!/bin/bash\necho "{}"\n')
    code, said, _ = run("release", "out", HILGATE_VERSION="v1")
    assert code == 0, said
    kinds = ("firmware.elf", "measurement.json", "model.json", "sizes.json")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {f"{cell}-{kind}" for cell in "ab" for kind in kinds} | {"sbom.cdx.json", "SHA256SUMS"}
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path / "out", capture_output=True, text=True
    )
    assert checked.returncode == 0 and len(checked.stdout.splitlines()) == 9
    assert run("release", "out")[0] == 2, "a folder with something in it is not released"


def test_a_release_lacks_no_cell(run: Callable[..., tuple[int, str, list[str]]], tmp_path: Path) -> None:
    program(tmp_path / ".venv/bin/hilgate", HILGATE)
    code, said, _ = run("release", "out", FAILS="1")
    assert code == 6 and "a release has every cell" in said and not list((tmp_path / "out").iterdir())
