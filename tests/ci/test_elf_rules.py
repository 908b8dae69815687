"""A foreign ELF, rule by rule: an honest image with one thing changed. Boards are those of main's catalogue."""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgate.catalogue import load_board
from hilgate.ci.claims.elf_rules import PT_LOAD, SECTION, SEGMENT, check_elf
from hilgate.errors import ClaimError

pytestmark = pytest.mark.arm
OFFSET, VMA, LMA, STORED, MEMORY, FLAGS = 4, 8, 12, 16, 20, 24  # of a field in a program header
FLASH, RAM = 0x0800_0000, 0x2000_0000


@dataclass
class Elf:
    """An image that can be changed field by field."""

    path: Path
    data: bytearray

    def heads(self):
        """(file offset of the header, its fields) of every PT_LOAD, by load address."""
        (table,), (count,) = struct.unpack_from("<I", self.data, 28), struct.unpack_from("<H", self.data, 44)
        places = [table + index * SEGMENT.size for index in range(count)]
        rows = [(at, SEGMENT.unpack_from(self.data, at)) for at in places]
        return sorted((row for row in rows if row[1][0] == PT_LOAD and row[1][5]), key=lambda row: row[1][3])

    def code(self):
        return next(at for at, row in self.heads() if row[3] == FLASH)

    def ram(self):
        """A segment that runs in RAM and is stored in flash, or else one that is only reserved."""
        return next(at for at, row in self.heads() if row[2] >= RAM)

    def weights(self):
        return max(self.heads(), key=lambda row: row[1][3] if row[1][4] and row[1][3] < RAM else 0)[0]

    def put(self, at, value, size=4):
        self.data[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    def check(self, board):
        self.path.write_bytes(self.data)
        check_elf(self.path, board)


@pytest.fixture
def elf(image, tmp_path):
    path = Path(shutil.copy(image, tmp_path / "firmware.elf"))
    return Elf(path, bytearray(path.read_bytes()))


@pytest.fixture(scope="session")
def board(root):
    return load_board("nucleo_f446re", root)


def test_an_honest_image_is_admitted(elf, board):
    elf.check(board)


def test_an_image_of_another_board_is_not(elf, root):
    """Larger flash or RAM than this board has: the catalogue's facts decide, not the file's."""
    small = load_board("nucleo_f446re", root)
    memories = tuple(replace(m, bytes=65536, sectors=()) if m.kind == "flash" else m for m in small.memories)
    with pytest.raises(ClaimError, match="outside the flash and RAM of nucleo_f446re"):
        elf.check(replace(small, memories=memories))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (0x1FFF_C000, "option bytes"), (0x1FFF_7800, "one-time-programmable"), (0x1FFF_0000, "system memory"),
        (0x4002_3C00, "peripheral registers"), (0xE000_ED00, "core's own registers"), (0x0000_0000, "outside"),
        (0x0808_0000, "outside"), (0xFFFF_FF00, "core's own registers"), (0xD000_0000, "external devices"),
    ],
)  # fmt: skip
def test_segments_in_forbidden_places_are_refused(elf, board, address, why):
    for field in (LMA, VMA):
        spoilt = Elf(elf.path, bytearray(elf.data))
        spoilt.put(spoilt.weights() + field, address)
        with pytest.raises(ClaimError, match=why):
            spoilt.check(board)


def test_a_load_address_in_ram_is_refused(elf, board):
    at = elf.weights()
    elf.put(at + LMA, RAM)
    elf.put(at + VMA, RAM)
    with pytest.raises(ClaimError, match=r"which is sram.*, not flash"):
        elf.check(board)


@pytest.mark.parametrize("entry", [0x0000_0001, RAM + 1, 0x0807_FFFF, 0x1FFF_0001, 0x0802_0001, 0xFFFF_FFFF])
def test_an_entry_point_outside_the_code_in_flash_is_refused(elf, board, entry):
    elf.put(24, entry)
    with pytest.raises(ClaimError, match=r"entry point .* is outside the code in flash"):
        elf.check(board)


def test_addresses_of_code_need_the_thumb_bit(elf, board):
    elf.put(24, struct.unpack_from("<I", elf.data, 24)[0] & ~1)
    with pytest.raises(ClaimError, match=r"the entry point .* has no Thumb bit"):
        elf.check(board)


@pytest.mark.parametrize(
    ("word", "value", "why"),
    [
        (0, 0, "first stack pointer"), (0, 0x2002_0008, "first stack pointer"), (0, 0x2000_1004, "first stack pointer"),
        (0, FLASH + 64, "first stack pointer"), (1, FLASH + 512, "no Thumb bit"), (1, RAM + 1, "reset vector"),
        (1, 0xFFFF_FFFF, "reset vector"),
    ],
)  # fmt: skip
def test_a_vector_table_that_starts_nothing_is_refused(elf, board, word, value, why):
    offset = struct.unpack_from("<I", elf.data, elf.code() + OFFSET)[0]
    elf.put(offset + 4 * word, value)
    with pytest.raises(ClaimError, match=why):
        elf.check(board)


def test_an_image_that_begins_elsewhere_is_refused(elf, board):
    at = elf.code()
    for field in (LMA, VMA):
        elf.put(at + field, FLASH + 0x200)
    with pytest.raises(ClaimError, match=r"no vector table at 0x08000000|overlap"):
        elf.check(board)


def test_overlapping_segments_are_refused(elf, board):
    at = elf.weights()
    for field in (LMA, VMA):
        elf.put(at + field, FLASH + 0x100)
    with pytest.raises(ClaimError, match="overlap at"):
        elf.check(board)


def test_addresses_that_wrap_around_are_refused(elf, board):
    elf.put(elf.ram() + VMA, 0xFFFF_FFF0)
    with pytest.raises(ClaimError, match="outside the flash and RAM"):
        elf.check(board)


def test_writable_flash_is_refused(elf, board):
    elf.put(elf.weights() + FLAGS, 6)
    with pytest.raises(ClaimError, match="or writable"):
        elf.check(board)


def test_more_ram_than_the_board_has_is_refused(elf, board):
    elf.put(elf.ram() + MEMORY, 0x4000_0000)
    with pytest.raises(ClaimError, match="outside the flash and RAM"):
        elf.check(board)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((0, 0, 4), "not an ELF"),
        ((4, 2, 1), "not an ELF"),
        ((5, 2, 1), "not an ELF"),
        ((16, 3, 2), "not an executable"),
        ((18, 3, 2), "not an executable"),
        ((36, 0, 4), "EABI"),
        ((42, 56, 2), "program headers"),
        ((44, 0xFFFF, 2), "program headers"),
        ((44, 0, 2), "program headers"),
        ((28, 0xFFFF_FFF0, 4), "program headers"),
        ((48, 0xFFFF, 2), "section headers"),
        ((32, 0xFFFF_0000, 4), "section headers"),
        ((50, 0x7FFF, 2), "section names"),
    ],
)
def test_headers_that_lie_are_refused(elf, board, change, why):
    elf.put(*change)
    with pytest.raises(ClaimError, match=why):
        elf.check(board)


@pytest.mark.parametrize(("field", "value"), [(STORED, 0x7FFF_FFFF), (OFFSET, 0x7FFF_FFFF)])
def test_a_segment_beyond_the_file_is_refused(elf, board, field, value):
    elf.put(elf.weights() + field, value)
    with pytest.raises(ClaimError, match="cut short"):
        elf.check(board)


@pytest.mark.parametrize("kind", [2, 3, 7, 0x6474_E552, 0x7000_0000])
def test_program_headers_that_firmware_does_not_need_are_refused(elf, board, kind):
    elf.put(elf.weights(), kind)
    with pytest.raises(ClaimError, match="has type"):
        elf.check(board)


def test_compressed_sections_and_huge_symbol_tables_are_refused(elf, board):
    table = struct.unpack_from("<I", elf.data, 32)[0]
    count = struct.unpack_from("<H", elf.data, 48)[0]
    rows = [table + index * SECTION.size for index in range(count)]
    symbols = next(row for row in rows if struct.unpack_from("<I", elf.data, row + 4)[0] == 2)
    for at, value, why in (
        (rows[1] + 8, 0x800, "compressed"),
        (symbols + 36, 0, "symbol"),
        (symbols + 36, 1, "symbol"),
    ):
        spoilt = Elf(elf.path, bytearray(elf.data))
        spoilt.put(at, value)
        with pytest.raises(ClaimError, match=why):
            spoilt.check(board)


def test_sections_and_functions_that_are_larger_than_the_file_or_the_flash_are_refused(elf, board):
    """Each alone is in its place; read one after another they would take hours."""
    table = struct.unpack_from("<I", elf.data, 32)[0]
    count = struct.unpack_from("<H", elf.data, 48)[0]
    spoilt = Elf(elf.path, bytearray(elf.data))
    for row in (table + index * SECTION.size for index in range(1, count)):
        if struct.unpack_from("<I", elf.data, row + 4)[0] not in (2, 8):
            spoilt.put(row + 16, 0)
            spoilt.put(row + 20, len(elf.data))
    with pytest.raises(ClaimError, match="they overlap"):
        spoilt.check(board)
    rows = [SECTION.unpack_from(elf.data, table + index * SECTION.size) for index in range(count)]
    offset, size = next((row[4], row[5]) for row in rows if row[1] == 2)
    functions = [at for at in range(offset, offset + size, 16) if elf.data[at + 12] & 15 == 2]
    for at in functions:
        elf.put(at + 8, 0x8000)
    with pytest.raises(ClaimError, match="its functions have"):
        elf.check(board)


def test_bytes_that_do_not_match_the_hash_slot_are_refused(elf, board):
    offset = struct.unpack_from("<I", elf.data, elf.code() + OFFSET)[0]
    elf.data[offset + 0x400] ^= 1
    with pytest.raises(ClaimError, match="do not match the hash in its header"):
        elf.check(board)


def test_an_image_without_a_header_is_refused(elf, board):
    at = elf.data.find(b"HGI1")
    elf.data[at : at + 4] = b"none"
    with pytest.raises(ClaimError, match="image header"):
        elf.check(board)


def test_a_large_file_is_refused_unread(elf, board):
    with elf.path.open("wb") as file:
        file.truncate(64 << 20)
    with pytest.raises(ClaimError, match="more than 33554432 are refused"):
        check_elf(elf.path, board)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6), st.booleans())
def test_a_damaged_elf_never_makes_another_error(image, board, tmp_path_factory, changes, tables):
    """Bytes of its header and program headers, or of its section headers and symbols, become others."""
    data = bytearray(image.read_bytes())
    base = struct.unpack_from("<I", data, 32)[0] if tables else 0
    for at, value in changes:
        data[(base + at) % len(data)] = value
    path = tmp_path_factory.mktemp("damaged") / "firmware.elf"
    path.write_bytes(data)
    try:
        check_elf(path, board)
    except ClaimError as error:
        assert str(error).isprintable()
