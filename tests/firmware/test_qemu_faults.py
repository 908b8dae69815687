"""A model that crashes, on QEMU: each kind is caught, recorded with its place, and survived."""

from __future__ import annotations

import shutil
import struct
from types import SimpleNamespace

import pytest

from hilgate.build.build import build_image
from hilgate.catalogue import load_board

INFER, PROFILE, FAULT = 4, 6, 9
HARD, MEM_MANAGE, BUS, USAGE, NMI, UNEXPECTED = 1, 2, 3, 4, 6, 7
MEASURE, NO_LAYER = 3, 0xFFFFFFFF
NAMES = "kind pc lr sp xpsr cfsr hfsr mmfar bfar r0 r1 r2 r3 r12 state layer"
PRECISE, BFAR_VALID, INVALID_STATE, UNALIGNED = 1 << 9, 1 << 15, 1 << 17, 1 << 24  # CFSR: ARM DDI 0403E.e B3.2.15
pytestmark = [pytest.mark.arm, pytest.mark.qemu]


def crashing_image(root, model, folder, old="", new=""):
    """The crashing model's image, a piece of it replaced."""
    folder.mkdir()
    for name in ("model.h", "weights.c"):
        shutil.copy(model.folder / name, folder)
    text = (root / "tests/firmware/crashing_model/model.c").read_text("utf-8")
    assert old in text
    (folder / "model.c").write_text(text.replace(old, new, 1), "utf-8")
    board = load_board("qemu_stm32f405", root)
    return build_image(board, folder, folder.with_name("image"), firmware=root / "firmware").elf


@pytest.fixture(scope="module")
def machine(root, model, start_qemu, tmp_path_factory):
    with start_qemu(crashing_image(root, model, tmp_path_factory.mktemp("crashing") / "model")) as peer:
        yield peer


def crash(machine, how: int, opcode: int = INFER, body: bytes = b"") -> SimpleNamespace:
    machine.drain()
    machine.identify()
    machine.load(bytes([how]) + bytes(7))
    machine.send(opcode, body)
    event = machine.receive()
    assert event.opcode == 0x70
    fault = SimpleNamespace(**dict(zip(NAMES.split(), struct.unpack("<16I", event.body), strict=True)))
    assert machine.identify().fault_pending == 1, "the device does not go on"
    machine.call(FAULT)
    return fault


def test_reading_where_nothing_is(machine):
    fault = crash(machine, 1)
    assert (fault.kind, fault.cfsr, fault.bfar) == (BUS, PRECISE | BFAR_VALID, 0x60000000)
    assert fault.hfsr == 1 << 30, "FORCED: interrupts are masked around a run"
    assert (fault.state, fault.layer) == (MEASURE, NO_LAYER)


def test_unaligned_ldrd(machine):
    fault = crash(machine, 2)
    assert (fault.kind, fault.cfsr, fault.r0) == (USAGE, UNALIGNED, 0x20000002)


def test_leaving_thumb_state(machine):
    fault = crash(machine, 4)
    assert (fault.kind, fault.cfsr, fault.pc) == (USAGE, INVALID_STATE, 0x08000000)


def test_a_stack_that_left_ram(machine):
    """The registers cannot be stacked either, yet the crash is recorded: the handler has a stack of its own."""
    fault = crash(machine, 3)
    assert fault.kind == BUS
    assert fault.cfsr & PRECISE and (fault.pc, fault.r0) == (0, 0)
    assert fault.sp < 0x20000000


def test_an_interrupt_that_nobody_handles(machine):
    fault = crash(machine, 5)
    assert fault.kind == UNEXPECTED
    assert fault.hfsr == 0 and fault.pc != 0


@pytest.mark.parametrize(("how", "exception_return"), [(6, "short"), (7, "with FPU"), (8, "not aligned")])
def test_the_stack_pointer_before_the_crash(machine, how, exception_return):
    """Whatever the hardware pushed: 32 bytes or 104, and a word to align them (ARM DDI 0403E.e B1.5.6, B1.5.7)."""
    fault = crash(machine, how)
    assert (fault.kind, fault.bfar) == (BUS, 0x60000000)
    assert fault.sp == fault.r0 and fault.sp % 8 == (4 if exception_return == "not aligned" else 0)


def test_a_non_maskable_interrupt(machine):
    fault = crash(machine, 9)
    assert (fault.kind, fault.xpsr & 0x1FF) == (NMI, 0), "the stacked xPSR is that of thread mode"


def test_an_escalation_without_a_fault_behind_it(machine):
    fault = crash(machine, 10)
    assert (fault.kind, fault.cfsr, fault.hfsr) == (HARD, 0, 1 << 30)


def test_execution_of_a_peripheral(machine):
    fault = crash(machine, 11)
    assert (fault.kind, fault.cfsr & 0xFF, fault.pc) == (MEM_MANAGE, 1, 0x40000000), "IACCVIOL"


def test_profile_names_the_layer(machine):
    fault = crash(machine, 1, PROFILE, b"\0\0")
    assert (fault.kind, fault.state, fault.layer) == (BUS, MEASURE, 1)


def test_a_model_that_does_not_crash_runs_on(machine):
    machine.drain()
    machine.identify()
    machine.load(bytes(8))
    assert machine.call(INFER).status == 0


def test_a_device_that_crashes_at_every_start_still_says_so(root, model, start_qemu, tmp_path):
    """model_check runs at start-up: were the report not sent before it, this device would be silent for ever."""
    check = "    (void)weights;\n    return bytes"
    elf = crashing_image(
        root, model, tmp_path / "model", check, "    (void)*(volatile uint32_t *)0x60000000u;\n" + check
    )
    with start_qemu(elf) as peer:
        for _ in range(3):
            event = peer.receive()
            fault = struct.unpack("<16I", event.body)
            assert (event.opcode, fault[0], fault[8]) == (0x70, BUS, 0x60000000)
