"""Crash, hang and reset on the host build; the same on QEMU is in test_qemu.py."""

from __future__ import annotations

import struct

import pytest

ECHO, LOAD, FAULT, RESET = 2, 3, 9, 10
NONE, USAGE, WATCHDOG = 0, 4, 5
SOFTWARE, BY_WATCHDOG, BY_FAULT = 3, 4, 5
NO_LAYER = 0xFFFFFFFF
IDLE = 0


def record(body: bytes) -> tuple[int, ...]:
    return struct.unpack("<16I", body)


def test_there_is_no_fault_at_first(device):
    assert record(device.call(FAULT).body[1:]) == (0,) * 16


def test_reset_answers_first_and_forgets_everything(device):
    device.load(bytes(8))
    assert device.call(RESET, b"\0").status == 0
    refused = device.call(ECHO)
    assert refused.detail == 0x10000
    who = device.identify()
    assert (who.reset_cause, who.fault_pending) == (SOFTWARE, 0)


@pytest.mark.parametrize(("kind", "fault", "cause"), [(1, USAGE, BY_FAULT), (2, WATCHDOG, BY_WATCHDOG)])
def test_crash_and_hang_are_reported_after_the_reset(device, kind, fault, cause):
    assert device.call(RESET, bytes([kind])).status == 0
    event = device.receive()
    assert (event.opcode, event.sequence) == (0x70, 0)
    fields = record(event.body)
    assert (fields[0], fields[14], fields[15]) == (fault, IDLE, NO_LAYER)
    who = device.identify()
    assert (who.reset_cause, who.fault_pending) == (cause, 1)
    assert record(device.call(FAULT).body[1:]) == fields, "the event does not clear the record"
    assert device.identify().fault_pending == 0
    assert record(device.call(FAULT).body[1:])[0] == NONE


def test_the_event_is_sent_once_and_the_record_kept_until_read(device):
    device.call(RESET, b"\1")
    assert device.receive().opcode == 0x70
    device.identify()
    device.call(RESET, b"\0")
    assert device.call(ECHO).detail == 0x10000, "a second event would have come first"
    who = device.identify()
    assert (who.reset_cause, who.fault_pending) == (SOFTWARE, 1)
    assert record(device.call(FAULT).body[1:])[0] == USAGE


@pytest.mark.parametrize("kind", [3, 255])
def test_unknown_reset_kind(device, kind):
    refused = device.call(RESET, bytes([kind]))
    assert (refused.status, refused.detail) == (5, kind)
    assert device.call(ECHO, b"on").status == 0
