"""A real peer for every test of the link: the firmware's own sources, built for this computer."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgate.build.host import build_host_firmware


@pytest.fixture(scope="session")
def host_firmware(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware with a small model (tests/link/model) as a program that talks on stdin and stdout."""
    program = tmp_path_factory.mktemp("host_firmware") / "firmware"
    return build_host_firmware(root / "tests/link/model", root / "firmware", program)


@pytest.fixture(scope="session")
def sanitized_firmware(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, which ends with a message when it reads or writes where it must not."""
    program = tmp_path_factory.mktemp("sanitized_firmware") / "firmware"
    return build_host_firmware(root / "tests/link/model", root / "firmware", program, sanitize=True)


@pytest.fixture
def url(host_firmware: Path) -> str:
    return f"host://?program={host_firmware}"
