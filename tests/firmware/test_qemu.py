"""The image on QEMU's netduinoplus2, a machine that others wrote: the independent referee of the firmware."""

from __future__ import annotations

import hashlib
import random
import struct

import pytest

from hilgate.build.build import build_image
from hilgate.catalogue import load_board

ECHO, LOAD, INFER, BENCH, PROFILE, MEMORY, BAUD, FAULT, RESET = range(2, 11)
OK, NO_COUNTER, USAGE, RESET_DEFAULT, BY_FAULT = 0, 10, 4, 0, 5
pytestmark = [pytest.mark.arm, pytest.mark.qemu]


@pytest.fixture(scope="module")
def image(root, model, tmp_path_factory):
    board = load_board("qemu_stm32f405", root)
    return build_image(board, model.folder, tmp_path_factory.mktemp("qemu"), firmware=root / "firmware")


@pytest.fixture(scope="module")
def machine(image, start_qemu):
    """One QEMU for all tests of this file: it must survive each of them."""
    with start_qemu(image.elf) as peer:
        yield peer


@pytest.fixture
def device(machine):
    machine.drain()
    machine.write_bytes(b"\0")
    machine.identify()
    return machine


def test_identify_computes_the_hashes_that_the_build_computed(device, image, model):
    who = device.identify()
    assert who.image_hash.hex() == image.image_hash == image.sizes["hashes"]["image"]
    assert who.image_ok == 1
    assert who.weights_hash == hashlib.sha256(model.blob).digest()


def test_the_clock_falls_back_and_says_so(device):
    """RCC reads 0 here: each oscillator times out, and the console still works."""
    who = device.identify()
    assert (who.clock_source, who.clock_hz, who.baud, who.board_id) == (RESET_DEFAULT, 168_000_000, 115200, 2)


def test_no_unique_id_and_no_counter(device):
    who = device.identify()
    assert (who.uid, who.counter) == (bytes(12), 0)
    device.load(bytes(8))
    assert device.call(BENCH, struct.pack("<HH", 0, 1)).status == NO_COUNTER
    assert device.call(INFER).body[1:5] == bytes(4)


def test_outputs_equal_the_reference(device, model):
    for seed in range(20):
        data = hashlib.sha256(bytes([seed])).digest()[:8]
        device.load(data)
        assert device.call(INFER).body[5:] == model.run(data)


def test_longest_frames_both_ways(device):
    data = random.Random(6).randbytes(1023)
    assert device.call(ECHO, data).body == b"\0" + data


def test_random_bytes(device):
    device.write_bytes(random.Random(7).randbytes(10_000) + b"\0")
    device.drain()
    assert device.call(ECHO, b"still here").body == b"\0still here"
    assert device.call(MEMORY).body[17:21] == bytes(4), "no byte was lost"


def test_a_crash_is_reported_after_the_reset(device):
    """Kind 1 executes a permanently undefined instruction: a usage fault with UNDEFINSTR, its PC inside the image."""
    device.call(RESET, b"\1")
    event = device.receive()
    fields = struct.unpack("<16I", event.body)
    assert (event.opcode, fields[0]) == (0x70, USAGE)
    assert 0x0800_0000 <= fields[1] < 0x0802_0000
    assert 0x2000_0000 < fields[3] <= 0x2000_1000, "the stack pointer before the exception"
    assert fields[5] == 1 << 16, "CFSR.UNDEFINSTR, ARM DDI 0403E.e B3.2.15"
    assert device.identify().reset_cause == BY_FAULT
    assert struct.unpack("<16I", device.call(FAULT).body[1:]) == fields


def test_the_stack_seen_is_within_the_worst_computed(device, image):
    device.load(bytes(8))
    device.call(PROFILE, b"\0\0")
    arena, static, stack, seen, _ = struct.unpack("<5I", device.call(MEMORY).body[1:])
    ram = image.sizes["ram"]
    assert (arena, static, stack) == (ram["arena_bytes"], ram["static_bytes"], 4096)
    assert ram["stack_worst_bytes"] // 4 < seen <= ram["stack_worst_bytes"]
