"""What an ELF puts into flash: hashed as the device does it, and damage of any kind refused in one line."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from hilgate.artifacts import artifact
from hilgate.errors import ArtifactError
from hilgate.hashing import image_hashes, sha256_of

pytestmark = pytest.mark.arm


def test_the_image_is_hashed_by_its_definition(project: Path) -> None:
    """docs/architecture.md, said again by hand: from image_address to the end of .data, the slot zeroed."""
    from elftools.elf.elffile import ELFFile

    elf = artifact(project, "build.elf", "blobs_nucleo_f446re")
    found = image_hashes(elf)
    with elf.open("rb") as file:
        segments = [s for s in ELFFile(file).iter_segments() if s["p_type"] == "PT_LOAD" and s["p_filesz"]]
        flash = bytearray(b"\xff" * 0x80000)
        for segment in segments:
            at = segment["p_paddr"] - 0x0800_0000
            flash[at : at + segment["p_filesz"]] = segment.data()
    header = flash.index(b"HGI1")
    length = int.from_bytes(flash[header + 4 : header + 8], "little")
    image = flash[:header] + flash[header : header + 8] + bytes(32) + flash[header + 40 : length]
    assert found.image == found.slot == hashlib.sha256(image).digest()
    blob = artifact(project, "compile.folder", "blobs") / "weights.bin"
    assert found.weights.hex() == sha256_of(blob)
    assert elf.read_bytes()[found.slot_file_offset :][:32] == found.slot


def test_any_damage_is_refused_or_harmless(project: Path, tmp_path: Path) -> None:
    whole = artifact(project, "build.elf", "blobs_nucleo_f446re").read_bytes()
    source, damaged = random.Random(1), 0
    sections = int.from_bytes(whole[32:36], "little")
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(source.choice([1, 1, 2, 8])):
            low, high = source.choice([(0, 52), (52, 52 + 32 * 4), (sections, len(whole)), (0, len(whole))])
            content[source.randrange(low, high)] = source.choice([0, 255, source.randrange(256)])
        path = tmp_path / "damaged.elf"
        path.write_bytes(content[: source.choice([len(content), source.randrange(len(content))])])
        try:
            image_hashes(path)  # damage outside of what is loaded is harmless
        except ArtifactError as error:
            damaged += 1
            assert error.where == str(path)
    assert damaged > 30


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="No such file"):
        image_hashes(tmp_path / "firmware.elf")


def test_every_byte_of_image_and_weights_counts(project: Path, tmp_path: Path) -> None:
    elf = artifact(project, "build.elf", "blobs_nucleo_f446re")
    whole, right, path = elf.read_bytes(), image_hashes(elf), tmp_path / "changed.elf"
    blob = (artifact(project, "compile.folder", "blobs") / "weights.bin").read_bytes()
    for offset, kept, changed in (
        (right.slot_file_offset + 100, "weights", "image"),
        (whole.index(blob) + len(blob) - 1, "image", "weights"),
    ):
        content = bytearray(whole)
        content[offset] ^= 1
        path.write_bytes(content)
        found = image_hashes(path)
        assert getattr(found, kept) == getattr(right, kept)
        assert getattr(found, changed) != getattr(right, changed)
