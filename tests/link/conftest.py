"""A real peer for every test of the link: the firmware's own sources, built for this computer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def build(root: Path, program: Path, *more: str) -> Path:
    """The firmware with a small model (tests/link/model) as a program that talks on stdin and stdout."""
    gcc = shutil.which("gcc")
    assert gcc, "gcc is needed"
    model, firmware = root / "tests/link/model", root / "firmware"
    sources = sorted([*(firmware / "src").glob("*.c"), *(firmware / "port/host").glob("*.c"), *model.glob("*.c")])
    flags = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", *more]
    folders = [f"-I{folder}" for folder in (firmware / "src", firmware / "port/host", model)]
    subprocess.run([gcc, *flags, *folders, *map(str, sources), "-o", str(program)], check=True)
    return program


@pytest.fixture(scope="session")
def host_firmware(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(root, tmp_path_factory.mktemp("host_firmware") / "firmware")


@pytest.fixture(scope="session")
def sanitized_firmware(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, which ends with a message when it reads or writes where it must not."""
    program = tmp_path_factory.mktemp("sanitized_firmware") / "firmware"
    return build(root, program, "-fsanitize=address,undefined", "-fno-sanitize-recover")


@pytest.fixture
def url(host_firmware: Path) -> str:
    return f"host://?program={host_firmware}"
