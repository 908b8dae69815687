"""Every command on the host build: what it answers, and which code it gives for each bad input."""

from __future__ import annotations

import hashlib
import struct
import time
import zlib

import pytest

IDENTIFY, ECHO, LOAD, INFER, BENCH, PROFILE, MEMORY, BAUD, FAULT, RESET, OUTPUT = range(1, 12)
OK, BAD_CRC, BAD_LENGTH, UNKNOWN, BAD_SEQUENCE, BAD_ARGUMENT, BAD_STATE, NO_INPUT = range(8)
INPUT = bytes([3, 200, 17, 90, 255, 128, 127, 1])


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def test_identify_tells_hashes_sizes_and_clock(device, model, host_program):
    who = device.identify()
    assert (who.version, who.board_id, who.state, who.counter) == (1, 0, 0, 2)
    assert (who.input_bytes, who.output_bytes, who.layers) == (8, 4, 2)
    assert (who.image_ok, who.fault_pending, who.baud, who.clock_hz) == (1, 0, 115200, 10**9)
    assert who.image_hash == hashlib.sha256(host_program.read_bytes()).digest()
    assert who.weights_hash == hashlib.sha256(model.blob).digest()
    assert who.architecture_hash == b"fixture model 01"


@pytest.mark.parametrize("version", [0, 1, 2, 0xFFFF])
def test_identify_answers_the_version_before_and_newer_hosts(device, version):
    assert device.call(IDENTIFY, struct.pack("<H", version)).status == OK


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0" * 1023, b"\x01" * 1023, bytes(range(256)) * 3, b"\xff" * 254, b"\x01" * 253 + b"\0"]
)
def test_echo(device, data):
    assert device.call(ECHO, data).body == b"\0" + data


def test_infer_equals_the_reference_and_keeps_its_input(device, model):
    device.load(INPUT)
    for _ in range(3):
        answer = device.call(INFER)
        assert answer.status == OK
        assert answer.body[5:] == model.run(INPUT), "the run overwrote its own input"


def test_every_input_byte_counts(device, model):
    for seed in range(40):
        data = hashlib.sha256(bytes([seed])).digest()[:8]
        device.load(data)
        assert device.call(INFER).body[5:] == model.run(data)


def test_load_in_chunks(device, model):
    assert device.call(LOAD, u32(0) + INPUT[:3]).body[1:] == u32(3)
    assert device.call(LOAD, u32(3) + INPUT[3:7]).body[1:] == u32(7)
    refused = device.call(INFER)
    assert (refused.status, refused.detail) == (NO_INPUT, 7)
    assert device.call(LOAD, u32(0) + INPUT[:3]).status == OK, "offset 0 starts again"
    assert device.call(LOAD, u32(3) + INPUT[3:]).body[1:] == u32(8)
    assert device.call(INFER).body[5:] == model.run(INPUT)


def test_load_window(device, model):
    """Three chunks in flight before the first answer is read."""
    sent = [device.send(LOAD, u32(at) + INPUT[at : at + 3]) for at in (0, 3, 6)]
    answers = [device.receive() for _ in sent]
    assert [a.sequence for a in answers] == sent
    assert [a.body[1:] for a in answers] == [u32(3), u32(6), u32(8)]
    assert device.call(INFER).body[5:] == model.run(INPUT)


@pytest.mark.parametrize(("offset", "count"), [(1, 1), (4, 1), (0, 9), (3, 6), (8, 1), (0xFFFFFFFF, 1), (0, 1016)])
def test_load_refuses_gaps_and_overruns(device, model, offset, count):
    assert device.call(LOAD, u32(0) + INPUT[:3]).status == OK
    refused = device.call(LOAD, u32(offset) + bytes(count))
    assert (refused.status, refused.detail) == (BAD_ARGUMENT, offset)
    assert device.call(LOAD, u32(3) + INPUT[3:]).body[1:] == u32(8), "a refused chunk changes nothing"
    assert device.call(INFER).body[5:] == model.run(INPUT)


def test_load_starts_at_zero(device):
    refused = device.call(LOAD, u32(3) + b"x")
    assert (refused.status, refused.detail) == (BAD_STATE, 0)


def test_other_commands_end_a_load_but_keep_a_whole_input(device):
    device.call(LOAD, u32(0) + INPUT[:3])
    device.call(ECHO)
    assert device.call(LOAD, u32(3) + INPUT[3:]).status == BAD_STATE
    assert device.call(INFER).detail == 0
    device.load(INPUT)
    device.call(ECHO)
    assert device.call(INFER).status == OK


def test_identify_forgets_the_input(device):
    device.load(INPUT)
    device.identify()
    assert device.call(INFER).status == NO_INPUT


@pytest.mark.parametrize(("warmup", "runs"), [(0, 1), (3, 30), (200, 200)])
def test_bench_counts_each_run(device, warmup, runs):
    device.load(INPUT)
    answer = device.call(BENCH, struct.pack("<HH", warmup, runs))
    cycles = struct.unpack(f"<{runs}I", answer.body[1:])
    assert answer.status == OK and all(cycles)


@pytest.mark.parametrize(("warmup", "runs", "detail"), [(0, 0, 0), (0, 201, 201), (201, 1, 201), (0, 65535, 65535)])
def test_bench_refuses(device, warmup, runs, detail):
    device.load(INPUT)
    refused = device.call(BENCH, struct.pack("<HH", warmup, runs))
    assert (refused.status, refused.detail) == (BAD_ARGUMENT, detail)


def test_profile_hashes_each_layer(device, model):
    device.load(INPUT)
    expected = [zlib.crc32(layer) for layer in model.layers(INPUT)]
    for first in (0, 1):
        answer = device.call(PROFILE, struct.pack("<H", first))
        rows = list(struct.iter_unpack("<II", answer.body[1:]))
        assert [crc for _, crc in rows] == expected[first:]
    refused = device.call(PROFILE, struct.pack("<H", 2))
    assert (refused.status, refused.detail) == (BAD_ARGUMENT, 2)


@pytest.mark.parametrize("opcode", [INFER, BENCH, PROFILE])
def test_no_input(device, opcode):
    body = {INFER: b"", BENCH: struct.pack("<HH", 0, 1), PROFILE: b"\0\0"}[opcode]
    assert device.call(opcode, body).status == NO_INPUT


def test_output_is_there_from_a_run_to_the_next_input(device, model):
    assert (refused := device.call(OUTPUT, u32(0))).status == BAD_STATE and refused.detail == 0
    device.load(INPUT)
    assert device.call(OUTPUT, u32(0)).status == BAD_STATE
    for run in (INFER, PROFILE, BENCH):
        device.load(INPUT)
        assert device.call(run, {INFER: b"", PROFILE: b"\0\0", BENCH: struct.pack("<HH", 0, 1)}[run]).status == OK
        for offset in range(4):
            assert device.call(OUTPUT, u32(offset)).body[1:] == model.run(INPUT)[offset:]
        refused = device.call(OUTPUT, u32(4))
        assert (refused.status, refused.detail) == (BAD_ARGUMENT, 4)
        assert device.call(LOAD, u32(0) + INPUT[:3]).status == OK
        assert device.call(OUTPUT, u32(0)).status == BAD_STATE
        assert device.call(LOAD, u32(3) + INPUT[3:]).status == OK, "it does not end a load"


def test_memory(device):
    assert device.call(MEMORY).body[1:5] == u32(16)


@pytest.mark.parametrize("opcode", [0, 0x0C, 0x10, 0x13, 0x33, 0x7E])
def test_unknown_opcode(device, opcode):
    refused = device.call(opcode, b"whatever")
    assert (refused.status, refused.detail) == (UNKNOWN, opcode)
    assert device.call(ECHO, b"on").body == b"\0on"


def test_every_command_checks_its_length(device, protocol):
    """One byte less and one more than each command's fixed fields, and the longest body."""
    sizes = {"u8": 1, "u16": 2, "u32": 4}
    for command in protocol["command"]:
        types = [kind for _, kind in command["request"]]
        shortest = sum(sizes.get(kind, 0) for kind in types)
        lengths = [shortest - 1] if shortest else []
        if "bytes" not in types:
            lengths += [shortest + 1, 1024]
        for length in lengths:
            refused = device.call(command["opcode"], b"\x01" * length)
            assert (refused.status, refused.detail) == (BAD_LENGTH, length), command["name"]
            if command["opcode"] == IDENTIFY:
                continue
    assert device.call(ECHO, b"on").status == OK


def test_baud_is_confirmed_by_a_frame(device):
    answer = device.call(BAUD, u32(921600))
    assert answer.body[1:] == u32(921600, 0)
    assert device.call(ECHO, b"here").status == OK
    time.sleep(0.6)
    assert device.identify().baud == 921600


def test_baud_falls_back_when_nobody_confirms(device, protocol):
    device.call(BAUD, u32(921600))
    time.sleep(protocol["limits"]["baud_confirm_ms"] / 1000 + 0.2)
    assert device.identify().baud == protocol["limits"]["first_baud"]


def test_rubbish_does_not_confirm_a_baud(device, protocol):
    device.call(BAUD, u32(921600))
    device.write_bytes(b"\x05rubbish\0")
    time.sleep(protocol["limits"]["baud_confirm_ms"] / 1000 + 0.2)
    device.drain()
    assert device.identify().baud == protocol["limits"]["first_baud"]


@pytest.mark.parametrize("baud", [0, 1, 1199, 10_000_000, 0xFFFFFFFF])
def test_baud_refuses_what_the_divider_cannot_make(device, baud):
    refused = device.call(BAUD, u32(baud))
    assert (refused.status, refused.detail) == (BAD_ARGUMENT, baud)
    assert device.identify().baud == 115200
