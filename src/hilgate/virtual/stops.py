"""What a stop of the core means: a fault for the firmware, an exception, a wait, or something that is not modelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from hilgate.errors import VirtualFault
from hilgate.virtual.core import Event, Stop
from hilgate.virtual.decode import decode, needs_coprocessor
from hilgate.virtual.exceptions import CONTROL_FPCA

if TYPE_CHECKING:
    from hilgate.virtual.machine import Machine

CODE_FAULTS = {
    Event.UNDEFINED: "UNDEFINSTR", Event.INVALID_STATE: "INVSTATE", Event.UNALIGNED: "UNALIGNED",
    Event.NO_COPROCESSOR: "NOCP", Event.DIVIDE: "DIVBYZERO", Event.FETCH: "IBUSERR", Event.FETCH_DENIED: "IACCVIOL",
}  # fmt: skip
BIT_BAND = (0x2200_0000, 0x2400_0000, "the SRAM bit-band alias")
NOT_MODELLED = (  # where an STM32 has something, or may have: begin, end, what
    (0x1FF0_0000, 0x1FFF_C010, "system memory"),  # boot loader, one-time programmable bytes, option bytes
    (0x4000_0000, 0x6000_0000, "a peripheral"),
    (0x6000_0000, 0xA000_4000, "external memory, or its controller"),  # FMC, QUADSPI, OCTOSPI
    (0xE000_0000, 0x1_0000_0000, "a system register"),
)
NOT_MODELLED_OF = {
    "stm32f4": (BIT_BAND,),
    "stm32l4": (BIT_BAND,),
    "stm32h7": ((0x3800_0000, 0x3880_1000, "memory of domain D3"),),  # RM0399, memory map: SRAM4, backup SRAM
}
WFI, WFE, YIELD = 0xBF30, 0xBF20, 0xBF10


def after(machine: Machine, stop: Stop) -> int:
    event = stop.event
    if event is Event.DEADLINE:
        return stop.pc | machine.core.thumb
    if event is Event.WAIT:
        return _wait(machine, stop.pc)
    if event is Event.RETURN:
        return machine.exceptions.leave(stop.pc | 1)
    if event is Event.SUPERVISOR:
        return machine.exceptions.supervisor_call(stop.pc)
    if event is Event.BREAKPOINT:
        at = stop.pc - 2
        raise VirtualFault(f"BKPT: no debugger is attached; silicon would hang or fault at {machine.image.place(at)}")
    if event in CODE_FAULTS:
        return _code_fault(machine, stop)
    return _data_fault(machine, stop)


def _wait(machine: Machine, pc: int) -> int:
    code = (
        int.from_bytes(machine.core.memories.read(pc - 2, 2), "little") if machine.core.memories.holds(pc - 2, 2) else 0
    )
    if code not in (WFI, WFE, YIELD):
        raise VirtualFault("the emulator stopped without a reason")
    machine.sleeping = code == WFI
    return pc | 1


def _code_fault(machine: Machine, stop: Stop) -> int:
    if stop.event in (Event.FETCH, Event.FETCH_DENIED):
        if stop.pc < 0x4000_0000 or stop.pc >= 0x6000_0000:  # peripherals are never executed
            _refuse_unmodelled(machine, "execution", stop.pc, stop.pc)
        denied = stop.pc >= 0x4000_0000 and not 0x6000_0000 <= stop.pc < 0xA000_0000
        return machine.exceptions.fault("IACCVIOL" if denied else "IBUSERR", stop.pc)
    if stop.event is Event.UNALIGNED:
        _open_fp_context(machine, stop.pc)
    return machine.exceptions.fault(CODE_FAULTS[stop.event], stop.pc)


def _open_fp_context(machine: Machine, pc: int) -> None:
    """An FPU instruction makes the FP context active before its access faults (ARM DDI 0403E, ExecuteFPCheck)."""
    code = decode(machine.core.memories.read(pc, 4), pc)
    if code and needs_coprocessor(code[0]):
        machine.core.set("CONTROL", machine.core.get("CONTROL") | CONTROL_FPCA)


def _data_fault(machine: Machine, stop: Stop) -> int:
    verb = "read" if stop.event is Event.READ else "write"
    memory = machine.flash_memory
    if stop.event is Event.PROTECTED and memory.origin <= stop.address < memory.end:
        return _program(machine, stop)
    if stop.event is Event.PROTECTED:
        _refuse(
            machine,
            f"write of 0x{stop.address:08x}: read-only memory, which only flash's own address programs",
            stop.pc,
        )
    _refuse_unmodelled(machine, verb, stop.address, stop.pc)
    return machine.exceptions.fault("PRECISERR", stop.pc, stop.address)


def _refuse_unmodelled(machine: Machine, verb: str, address: int, pc: int) -> None:
    """Raises VirtualFault where silicon has something at an address and the virtual board has not."""
    for begin, end, what in (*NOT_MODELLED, *NOT_MODELLED_OF.get(machine.board.family, ())):
        if begin <= address < end:
            _refuse(machine, f"{verb} of 0x{address:08x}: {what} that the virtual board does not model", pc)


def _refuse(machine: Machine, what: str, pc: int) -> NoReturn:
    raise VirtualFault(what, where=machine.image.place(pc), hint="see src/hilgate/virtual/FIDELITY.toml")


def _program(machine: Machine, stop: Stop) -> int:
    """A store into flash: the controller decides; the core goes on after the instruction."""
    item = decode(machine.core.memories.read(stop.pc, 4), stop.pc)[0]
    if item.kind != "store" or "!" in item.operands or item.operands.rstrip().endswith("]") is False:
        raise VirtualFault(f"`{item.mnemonic} {item.operands}` into flash: only plain STR, STRH and STRB are modelled")
    machine.flash.program(stop.pc, stop.address, stop.size, stop.value)
    return stop.pc + item.size | 1
