"""Images as files: what is no image of a board is refused in one line, and quickly, whatever it says of itself."""

from __future__ import annotations

import os
import re
import struct

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgate.errors import ArtifactError, HilgateError
from hilgate.virtual.elf import FILE_BYTES_MOST, load_image

pytestmark = pytest.mark.arm
HEADER = {"class": 4, "order": 5, "phoff": 28, "shoff": 32, "phentsize": 42, "phnum": 44, "shentsize": 46, "shnum": 48}
OFFSET, ADDRESS, STORED, MEMORY = 4, 12, 16, 20  # of a program header, whose rows have 32 bytes


@pytest.fixture
def image(elf):
    return bytearray(elf("elves/greet.c").read_bytes())


def test_it_says_what_pyelftools_says(elf) -> None:
    path = elf("elves/small.c")
    found = load_image(path)
    with path.open("rb") as file:
        theirs = ELFFile(file)
        loads = [s for s in theirs.iter_segments() if s["p_type"] == "PT_LOAD"]
        symbols = theirs.get_section_by_name(".symtab").iter_symbols()
        named = {s.name: s["st_value"] for s in symbols if s.name and s["st_shndx"] != "SHN_UNDEF"}
        due = [(s["p_paddr"], s.data(), s["p_vaddr"]) for s in loads if s["p_filesz"]]
        assert [(s.address, s.data, s.run) for s in found.segments] == due
        assert list(found.runs) == [(s["p_vaddr"], s["p_memsz"]) for s in loads if s["p_memsz"]]
    assert found.symbols.keys() == named.keys() and found.symbols["provoke"] == named["provoke"]
    assert found.place(found.symbols["provoke"] & ~1) == f"0x{found.symbols['provoke'] & ~1:08x} (provoke+0x0)"


def test_what_is_no_file_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for path, what in (
        (tmp_path / "pipe", "is not a file"),
        (tmp_path, "is not a file"),
        (tmp_path / "a", "cannot be"),
    ):
        with pytest.raises(ArtifactError, match=what):
            load_image(path)


def test_a_file_without_an_end_is_not_read(image, tmp_path) -> None:
    path = tmp_path / "sparse.elf"
    path.write_bytes(image)
    os.truncate(path, FILE_BYTES_MOST + 1)
    with pytest.raises(ArtifactError, match="more than 64 MiB"):
        load_image(path)


def put(image: bytearray, at: int, value: int, size: int = 4) -> None:
    image[at : at + size] = value.to_bytes(size, "little")


def segment(image: bytearray, number: int, field: int) -> int:
    return struct.unpack_from("<I", image, HEADER["phoff"])[0] + 32 * number + field


def symbol_table(image: bytearray) -> int:
    """Where the section header of the symbols is."""
    begin, (count,) = (
        struct.unpack_from("<I", image, HEADER["shoff"])[0],
        struct.unpack_from("<H", image, HEADER["shnum"]),
    )
    return next(at for at in range(begin, begin + 40 * count, 40) if image[at + 4] == 2)


DAMAGE = {
    "empty": (lambda image: image.clear(), "does not begin like one"),
    "text": (lambda image: put(image, 0, 0x6C6C6568), "does not begin like one"),
    "no more than a name": (lambda image: image.__delitem__(slice(20, None)), "ends in its header"),
    "64 bits": (lambda image: put(image, HEADER["class"], 2, 1), "for ARM, 64 bits, little-endian"),
    "big-endian": (lambda image: put(image, HEADER["order"], 2, 1), "32 bits, big-endian"),
    "no sizes": (lambda image: put(image, HEADER["phentsize"], 0, 2), "program headers have 0 bytes each"),
    "many headers": (lambda image: put(image, HEADER["phnum"], 0xFFFF, 2), "program headers lie outside"),
    "no headers": (lambda image: put(image, HEADER["phnum"], 0, 2), "nothing to load"),
    "sections outside": (lambda image: put(image, HEADER["shoff"], 0xFFFF_FFF0), "section headers lie outside"),
    "segment outside": (lambda image: put(image, segment(image, 0, OFFSET), 0xFFFF_FFF0), "a segment is cut short"),
    "huge in memory": (lambda image: put(image, segment(image, 0, MEMORY), 0xFFFF_FFFF), "takes 4294967295 bytes"),
    "huge in the file": (lambda image: put(image, segment(image, 0, STORED), 0xFFFF_FFFF), "of 4294967295 bytes takes"),
    "symbols outside": (lambda image: put(image, symbol_table(image) + 20, 0x7FFF_FFF0), "symbol table lies outside"),
    "symbols without names": (lambda image: put(image, symbol_table(image) + 24, 999), "symbol table lies outside"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named(kind, image, tmp_path) -> None:
    change, what = DAMAGE[kind]
    change(image)
    path = tmp_path / "image.elf"
    path.write_bytes(image)
    with pytest.raises(ArtifactError, match=re.escape(what)) as caught:
        load_image(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and caught.value.hint


def test_segments_that_overlap_are_refused(elf, tmp_path) -> None:
    image, path = bytearray(elf("elves/kernel.c").read_bytes()), tmp_path / "image.elf"
    put(image, HEADER["phnum"], 2, 2)
    image[segment(image, 1, 0) : segment(image, 2, 0)] = image[segment(image, 0, 0) : segment(image, 1, 0)]
    path.write_bytes(image)
    with pytest.raises(ArtifactError, match="two segments share the address"):
        load_image(path)


def test_a_vector_without_the_thumb_bit_is_no_vector(elf, board_of, tmp_path) -> None:
    image, path = bytearray(elf("elves/greet.c").read_bytes()), tmp_path / "image.elf"
    (begin,) = struct.unpack_from("<I", image, segment(image, 0, OFFSET))
    image[begin + 4] &= 0xFE
    path.write_bytes(image)
    with pytest.raises(ArtifactError, match="no vector table at 0x08000000"):
        board_of(path)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_images_are_refused_or_loaded(elf, tmp_path_factory, data) -> None:
    """Any bytes turned in the headers of an ELF give an image or one clear error."""
    raw = bytearray(elf("elves/greet.c").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.one_of(st.integers(0, 200), st.integers(max(0, len(raw) - 2000), len(raw) - 1)))
        raw[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / "image.elf"
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    try:
        load_image(path)
    except HilgateError as error:
        assert "\n" not in str(error)
