"""A scratch project with real boards, an ELF that may be flashed, and USB folders as Linux shows them."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest


def elf_bytes(*segments: tuple[int, bytes]) -> bytes:
    """A little-endian 32-bit ARM ELF whose segments load to these addresses."""
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    header += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x08000001, 52, 0, 0x05000200, 52, 32, len(segments), 40, 0, 0)
    at, table, body = 52 + 32 * len(segments), b"", b""
    for address, data in segments:
        table += struct.pack("<8I", 1, at + len(body), address, address, len(data), len(data), 5, 4)
        body += data
    return header + table + body


@pytest.fixture
def make_elf(tmp_path: Path) -> Callable[..., Path]:
    def make(*segments: tuple[int, bytes], name: str = "firmware.elf") -> Path:
        path = tmp_path / name
        path.write_bytes(elf_bytes(*segments))
        return path

    return make


@pytest.fixture
def image(make_elf: Callable[..., Path]) -> Path:
    return make_elf((0x0800_0000, bytes(range(256))))


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A project folder with all boards, so that tests may change one."""
    folder = tmp_path / "project"
    shutil.copytree(root / "firmware/boards", folder / "firmware/boards")
    (folder / "params.yaml").write_text("cells: {}\n")
    return folder


@pytest.fixture
def usb(tmp_path: Path) -> Callable[..., Path]:
    """`/sys/bus/usb/devices` with one folder per (serial number, port or "", product id)."""

    def make(*devices: tuple[str, str, int]) -> Path:
        folder = tmp_path / "usb"
        (folder / "usb1").mkdir(parents=True)  # a hub: no serial number that matters
        (folder / "usb1/idVendor").write_text("1d6b\n")
        for number, (serial, port, product) in enumerate(devices, 1):
            device = folder / f"1-{number}"
            device.mkdir()
            (device / "idVendor").write_text("0483\n")
            (device / "idProduct").write_text(f"{product:04x}\n")
            (device / "serial").write_text(f"{serial}\n")
            if port:
                (device / f"1-{number}:1.2/tty/{port}").mkdir(parents=True)
        return folder

    return make
