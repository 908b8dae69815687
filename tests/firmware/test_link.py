"""Frames, sequence numbers and rubbish on the host build: the device answers, and goes on."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import pytest
from cobs import cobs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

IDENTIFY, ECHO, LOAD, INFER, BENCH = 1, 2, 3, 4, 5
OK, BAD_CRC, BAD_LENGTH, BAD_SEQUENCE = 0, 1, 2, 4
ERROR_EVENT, NO_SEQUENCE = 0x7F, 0xFFFF


def frame(opcode: int, sequence: int, body: bytes) -> bytes:
    data = struct.pack("<BH", opcode, sequence) + body
    return cobs.encode(data + struct.pack("<I", zlib.crc32(data))) + b"\0"


def test_after_reset_only_identify_is_expected(fresh):
    refused = fresh.call(ECHO, b"x")
    assert (refused.status, refused.detail) == (BAD_SEQUENCE, 0x10000)
    assert fresh.identify().image_ok == 1


def test_a_retry_gets_the_last_answer_byte_for_byte_and_executes_nothing(device):
    device.load(bytes(8))
    sent = device.send(BENCH, struct.pack("<HH", 0, 8))
    first = device.receive_wire()
    for _ in range(3):
        device.send(BENCH, struct.pack("<HH", 0, 8), sequence=sent)
        assert device.receive_wire() == first, "timings differ: it ran again"


def test_a_retry_survives_events_and_refusals_in_between(device):
    sent = device.send(ECHO, b"kept")
    first = device.receive_wire()
    device.write_bytes(b"\x03ab\0")
    assert device.receive().opcode == ERROR_EVENT
    assert device.call(ECHO, b"x", sequence=sent + 7).status == BAD_SEQUENCE
    device.send(ECHO, b"kept", sequence=sent)
    assert device.receive_wire() == first


@pytest.mark.parametrize("step", [-2, -1, 1, 100, 0x8000])
def test_out_of_order_is_refused_and_leaves_the_number_expected(device, step):
    device.call(ECHO, b"a")
    expected = device.sequence
    opcode = LOAD if step == -1 else ECHO  # the last number with another opcode is no retry
    refused = device.call(opcode, bytes(4), sequence=(expected + step) & 0xFFFF)
    assert (refused.status, refused.detail) == (BAD_SEQUENCE, expected)
    assert device.call(ECHO, b"b").body == b"\0b"


def test_sequence_wraps(device):
    device.sequence = 0xFFFD
    device.identify()
    for _ in range(5):
        assert device.call(ECHO, b"wrap").status == OK
    assert device.sequence == 3


def test_a_refused_body_uses_its_number_up(device):
    assert device.call(INFER, b"too long").status == BAD_LENGTH
    assert device.call(ECHO, b"next").status == OK


def test_bad_crc(device):
    data = struct.pack("<BH", ECHO, device.sequence) + b"hello"
    device.write_bytes(cobs.encode(data + struct.pack("<I", zlib.crc32(data) ^ 1)) + b"\0")
    event = device.receive()
    assert (event.opcode, event.sequence, event.status, event.detail) == (
        ERROR_EVENT,
        NO_SEQUENCE,
        BAD_CRC,
        zlib.crc32(data),
    )
    assert device.call(ECHO, b"on").body == b"\0on"


@pytest.mark.parametrize("count", [1, 2, 6, 1032, 1033, 5000])
def test_bad_length(device, count):
    device.write_bytes(cobs.encode(b"\x02" * count) + b"\0")
    event = device.receive()
    assert (event.opcode, event.status, event.detail) == (ERROR_EVENT, BAD_LENGTH, count)
    assert device.call(ECHO, b"on").status == OK


def test_cut_cobs_block(device):
    device.write_bytes(b"\x30abc\0")
    event = device.receive()
    assert (event.opcode, event.status, event.detail) == (ERROR_EVENT, BAD_LENGTH, 3)
    assert device.call(ECHO, b"on").status == OK


def test_zeros_are_no_error(device):
    device.write_bytes(b"\0" * 50)
    assert device.is_silent()
    assert device.call(ECHO, b"on").status == OK


def test_half_a_frame_then_a_flush(device):
    whole = frame(ECHO, device.sequence, b"never arrives whole")
    device.write_bytes(whole[:9] + b"\0")
    assert device.receive().opcode == ERROR_EVENT
    assert device.call(ECHO, b"on").status == OK


def test_ten_thousand_random_bytes(device):
    noise = random.Random(1).randbytes(10_000)
    for at in range(0, len(noise), 500):
        device.write_bytes(noise[at : at + 500])
        while not device.is_silent(0.01):
            assert device.receive().opcode == ERROR_EVENT
    device.write_bytes(b"\0")
    device.drain()
    assert device.call(ECHO, b"still here").body == b"\0still here"


@pytest.mark.parametrize("damage", ["flip", "drop", "double", "cut"])
def test_damage_at_every_byte(device, damage):
    """A frame broken at each of its bytes: one error event at most, and the next frame is answered."""
    whole = frame(ECHO, device.sequence, b"a\0bc")
    for at in range(len(whole) - 1):
        broken = {
            "flip": whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :],
            "drop": whole[:at] + whole[at + 1 :],
            "double": whole[: at + 1] + whole[at:],
            "cut": whole[:at] + b"\0",
        }[damage]
        device.write_bytes(broken)
        answer = device.call(ECHO, b"next")
        assert answer.body == b"\0next", f"byte {at}"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=1023))
def test_any_body_comes_back(device, data):
    assert device.call(ECHO, data).body == b"\0" + data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(opcode=st.integers(0, 0x6F).filter(lambda n: n not in (1, 8, 10)), body=st.binary(max_size=64))
def test_any_command_is_answered(device, opcode, body):
    """Whole frames of any content: each gets its own answer (identify, baud and reset have tests of their own)."""
    assert device.call(opcode, body).status <= 11
    assert device.call(ECHO, b"on").status == OK


def test_pseudo_terminal(host_program: Path):
    """--pty: the name is printed, and a session after another finds the device."""
    import subprocess

    import serial

    with subprocess.Popen([str(host_program), "--pty"], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            name = child.stdout.readline().strip()
            for sequence in (1, 9):
                with serial.Serial(name, 115200, timeout=5) as port:
                    port.write(frame(IDENTIFY, sequence, b"\x01\0"))
                    assert cobs.decode(port.read_until(b"\0")[:-1])[:4] == bytes([0x81, sequence, 0, 0])
        finally:
            child.kill()
