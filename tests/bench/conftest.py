"""A scratch project with real boards, an ELF that may be flashed, and USB folders as Linux shows them."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest


def elf_bytes(*segments: tuple[int, bytes], symbols: dict[str, int] | None = None) -> bytes:
    """A little-endian 32-bit ARM ELF whose segments load to these addresses; symbols: absolute ones, by name."""
    at, table, body = 52 + 32 * len(segments), b"", b""
    for address, data in segments:
        table += struct.pack("<8I", 1, at + len(body), address, address, len(data), len(data), 5, 4)
        body += data
    names, entries = b"\0", bytes(16)
    for name, value in (symbols or {}).items():
        entries += struct.pack("<IIIBBH", len(names), value, 0, 0x10, 0, 0xFFF1)  # global, SHN_ABS
        names += name.encode() + b"\0"
    titles = b"\0.symtab\0.strtab\0.shstrtab\0"
    where = at + len(body)
    rows = [(0,) * 10, (1, 2, 0, 0, where, len(entries), 2, 1, 4, 16)]
    rows += [(9, 3, 0, 0, where + len(entries), len(names), 0, 0, 1, 0)]
    rows += [(17, 3, 0, 0, where + len(entries) + len(names), len(titles), 0, 0, 1, 0)]
    rows = rows if symbols else []
    tail = entries + names + titles if symbols else b""
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    sections = where + len(tail) if symbols else 0
    header += struct.pack("<HHIIIII", 2, 40, 1, 0x08000001, 52, sections, 0x05000200)
    header += struct.pack("<HHHHHH", 52, 32, len(segments), 40, len(rows), max(0, len(rows) - 1))
    return header + table + body + tail + b"".join(struct.pack("<10I", *row) for row in rows)


@pytest.fixture
def make_elf(tmp_path: Path) -> Callable[..., Path]:
    def make(*segments: tuple[int, bytes], name: str = "firmware.elf", symbols: dict[str, int] | None = None) -> Path:
        path = tmp_path / name
        path.write_bytes(elf_bytes(*segments, symbols=symbols))
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
