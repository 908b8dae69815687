"""The image: reproducible, laid out as the board says, carrying its own hash."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import subprocess

import pytest
from elftools.elf.elffile import ELFFile

from hilgate.build.build import build_image
from hilgate.build.image import segments, symbols
from hilgate.hashing import image_hashes

pytestmark = pytest.mark.arm
FLASH, RAM, WEIGHTS = 0x0800_0000, 0x2000_0000, 0x0802_0000


def test_two_builds_from_clean_folders_are_equal(root, board, model, image, tmp_path):
    """Another output folder, another place of the sources, another place of the model: the same bytes."""
    firmware, elsewhere = tmp_path / "other, 5%" / "firmware", tmp_path / "a model's (2nd) folder & more"
    shutil.copytree(root / "firmware", firmware)
    shutil.copytree(model, elsewhere)
    again = build_image(board, elsewhere, tmp_path / "out, ü=1 #2", firmware=firmware)
    assert again.elf.read_bytes() == image.elf.read_bytes()
    assert again.sizes == image.sizes


def test_a_persons_environment_changes_nothing(build, model, image, tmp_path, monkeypatch):
    (tmp_path / "string.h").write_text("#error found first\n", "utf-8")
    strange = {"CFLAGS": "-O0 -DNONSENSE", "LDFLAGS": "--no-such-option", "CPATH": str(tmp_path), "CC": "/bin/false"}
    person = {"LANG": "de_DE.UTF-8", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Chatham", "USER": "somebody", "HOME": "/"}
    for name, value in {**strange, **person, "SOURCE_DATE_EPOCH": "86400"}.items():
        monkeypatch.setenv(name, value)
    umask = os.umask(0o077)
    try:
        built = build(model)
    finally:
        os.umask(umask)
    assert built.elf.read_bytes() == image.elf.read_bytes()


def test_no_path_of_this_machine_is_in_the_image(root, image):
    content = image.elf.read_bytes()
    for part in (str(root), str(image.elf.parent), "/tmp/"):
        assert part.encode() not in content


def test_the_slot_holds_the_hash_of_everything_but_the_slot(image, read_load):
    names = symbols(image.elf)
    start, end = names["image_start"], names["image_end"]
    content = bytearray(read_load(image.elf, start, end))
    header = names["image_header_start"] - start
    magic, length = struct.unpack_from("<4sI", content, header)
    assert (magic, length) == (b"HGI1", end - start)
    slot = bytes(content[header + 8 : header + 40])
    content[header + 8 : header + 40] = bytes(32)
    assert slot == hashlib.sha256(content).digest() == bytes.fromhex(image.image_hash)


def test_any_changed_byte_changes_the_hash(image, tmp_path):
    for address in (FLASH + 4, FLASH + 0x300, symbols(image.elf)["image_end"] - 1):
        copy = tmp_path / "changed.elf"
        data = bytearray(image.elf.read_bytes())
        home = next(s for s in segments(image.elf) if s.load <= address < s.load + s.file_bytes)
        data[home.offset + address - home.load] ^= 1
        copy.write_bytes(data)
        assert image_hashes(copy).image.hex() != image.image_hash, hex(address)


def test_sections_lie_where_the_layout_says(image):
    with image.elf.open("rb") as file:
        at = {s.name: (s["sh_addr"], s["sh_size"]) for s in ELFFile(file).iter_sections() if s["sh_flags"] & 2}
    assert at[".vectors"][0] == FLASH and at[".weights"][0] == WEIGHTS and at[".stack"] == (RAM, 4096)
    flash = [name for name, _ in sorted(at.items(), key=lambda item: item[1]) if at[name][0] < WEIGHTS]
    assert flash == [".vectors", ".kernels", ".text"]
    ram = [name for name, _ in sorted(at.items(), key=lambda item: item[1]) if at[name][0] >= RAM]
    assert ram == [".stack", ".arena", ".bss", ".noinit", ".data", ".dma_buffers"]


def test_functions_start_at_lines_of_the_flash_accelerator(image):
    with image.elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        names = {s.name: s["st_value"] & ~1 for s in table.iter_symbols() if s["st_info"]["type"] == "STT_FUNC"}
    assert len(names) > 50
    loose = {name for name, address in names.items() if address % 16}
    assert loose <= {"fault_entry", "fault_forward"} | {
        n for n in names if n.endswith("_handler") and n != "reset_handler"
    }


def test_an_edit_of_the_runtime_moves_no_kernel_and_no_weight(root, board, model, image, tmp_path):
    firmware = tmp_path / "firmware"
    shutil.copytree(root / "firmware", firmware)
    command = firmware / "src/command.c"
    command.write_text(
        command.read_text() + "\nuint32_t edited(uint32_t x);\nuint32_t edited(uint32_t x) { return x * 7u; }\n"
    )
    main = firmware / "src/main.c"
    main.write_text(
        main.read_text().replace(
            "port_start(); ",
            "extern uint32_t edited(uint32_t x);\n    if (edited(3) == 9u) return 1;\n    port_start(); ",
        )
    )
    other = build_image(board, model, tmp_path / "out", firmware=firmware)
    before, after = symbols(image.elf), symbols(other.elf)
    assert before["main"] != after["main"] or image.sizes["flash"] != other.sizes["flash"], "the edit did nothing"
    for name in ("model_run", "model_profile", "model_check", "model_weights", "model_architecture_hash"):
        assert before[name] == after[name], name


def test_vectors_of_the_mcu(image, root, read_load):
    vectors = read_load(image.elf, FLASH, FLASH + 4 * (16 + 97))
    stack, reset, *others = struct.unpack("<113I", vectors)
    names = symbols(image.elf, weak=True)
    assert (stack, reset) == (RAM + 4096, names["reset_handler"])
    assert others[3 - 2] == names["hard_fault_handler"] and others[16 + 38 - 2] == names["USART2_handler"]
    assert [i for i, word in enumerate(others, 2) if not word and i >= 16] == [
        16 + n for n in (61, 62, 79, 80, 82, 83, 85, 86, 88, 89, 90)
    ]


def test_the_fault_handler_leaves_the_fpu_alone(image):
    """Its first use writes the lazily stacked registers, to a stack that may be what broke (ARM DDI 0403E.e B1.5.7)."""
    code = subprocess.run(
        ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", image.elf], capture_output=True, text=True, check=True
    ).stdout
    bodies = dict(re.findall(r"^\w+ <(\w+)>:\n((?:.+\n)+)", code, re.M))
    reached, left = set(), ["fault_forward"]
    while left:
        name = left.pop()
        reached.add(name)
        assert not re.search(r":\tv\w+", bodies[name]), f"{name} uses the FPU"
        left += set(re.findall(r"\tb\S*\t\w+ <(\w+)>", bodies[name])) - reached
    assert {"fault_entry", "fault_record", "fault_store", "port_reset"} <= reached


def test_weights_are_the_blob(image, model, read_load):
    blob = (model / "weights.bin").read_bytes()
    assert read_load(image.elf, WEIGHTS, WEIGHTS + len(blob)) == blob
