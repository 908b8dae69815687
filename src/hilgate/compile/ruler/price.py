"""What the ruler charges: cycles of straight-line Cortex-M4 code at zero wait states, to compare engines side by side.

The rules are those of the Cortex-M4 Technical Reference Manual (r0p1, 3.3.1), as coarse as where the peers' figures
were taken, so that every engine is measured alike. The product's own model is `virtual/`: finer, and within 0.5 % of
this one on the benchmark models.
"""

from __future__ import annotations

from functools import cache
from typing import Any

REFILL = 2  # cycles of a taken branch after its own: fitted by the ruler, the manual says 1 to 3
ADDRESS_STALL = 1  # an address computed by the instruction before
DIVIDE, FLOAT_DIVIDE, FLOAT_MULTIPLY_ADD = 6, 14, 3

LOADS = ("ldr", "ldrb", "ldrh", "ldrsb", "ldrsh", "ldrt", "ldrbt", "ldrex")
STORES = ("str", "strb", "strh", "strex")


@cache
def _ids() -> dict[int, str]:
    """Capstone instruction id -> class, for classes that are told by the id."""
    from capstone import arm_const as arm

    def ids(*names: str) -> list[int]:
        return [getattr(arm, f"ARM_INS_{name.upper()}") for name in names]

    classes = {
        "load": ids(*LOADS),
        "load2": ids("ldrd"),
        "load_multiple": ids("ldm", "pop", "ldmdb"),
        "store": ids(*STORES),
        "store2": ids("strd"),
        "store_multiple": ids("stm", "push", "stmdb"),
        "divide": ids("sdiv", "udiv"),
        "branch": ids("b", "bl", "bx", "blx", "cbz", "cbnz"),
        "table_branch": ids("tbb", "tbh"),
        "it": ids("it"),
    }
    return {number: name for name, numbers in classes.items() for number in numbers}


def kind(instruction: Any) -> str:
    """The class of a Capstone instruction; `compute` when nothing is special about it."""
    name = _ids().get(instruction.id)
    if name is not None:
        return name
    mnemonic = str(instruction.mnemonic)
    if not mnemonic.startswith("v"):
        return "compute"
    if mnemonic.startswith(("vldr", "vldm", "vpop")):
        return "float_load"
    return "float_store" if mnemonic.startswith(("vstr", "vstm", "vpush")) else "float"


def block_cycles(instructions: list[Any], before: Any = None) -> int:
    """Cycles of a block, without the refill after a taken branch. before: the instruction that fell into it."""
    total = 0
    for instruction in instructions:
        total += _cycles(instruction, before)
        before = instruction
    return total


def _cycles(now: Any, before: Any) -> int:
    name = kind(now)
    if name in ("load", "store"):
        return _single_access(now, name, before)
    if name in ("load2", "store2"):
        return 3
    if name in ("load_multiple", "store_multiple"):
        return 1 + _registers(now) - (0 if now.mnemonic.startswith(("pop", "push")) else 1)
    if name == "it":
        return 0 if before is not None and before.size == 2 else 1
    if name in ("float_load", "float_store"):
        single = now.mnemonic.startswith(("vldr", "vstr"))
        base = 0 if now.mnemonic.startswith(("vpush", "vpop")) else 1
        return 2 if single else 1 + max(1, _registers(now) - base)
    return _float(str(now.mnemonic)) if name == "float" else {"divide": DIVIDE, "table_branch": 2}.get(name, 1)


def _single_access(now: Any, name: str, before: Any) -> int:
    """One word or less: 1 cycle, 1 more when it starts a chain of loads or stores by index, 1 for a waiting address."""
    from capstone.arm_const import ARM_OP_MEM, ARM_OP_REG, ARM_REG_PC

    address = _address(now)
    cycles = 1
    if before is not None and kind(before) == "compute" and _written(before) & address:
        cycles += ADDRESS_STALL
    chained = before is not None and kind(before) == "load" and not (_written(before) - _address(before)) & address
    if name == "load":
        to_pc = any(o.type == ARM_OP_REG and o.reg == ARM_REG_PC for o in now.operands[:1])
        return cycles + (0 if chained else 1) + int(to_pc)
    indexed = any(o.type == ARM_OP_MEM and o.mem.index for o in now.operands)
    return cycles + int(indexed and not chained)


def _float(mnemonic: str) -> int:
    if mnemonic.startswith(("vdiv", "vsqrt")):
        return FLOAT_DIVIDE
    return FLOAT_MULTIPLY_ADD if mnemonic.startswith(("vmla", "vmls", "vfma", "vfms", "vnmla")) else 1


def _written(instruction: Any) -> set[int]:
    return set(instruction.regs_access()[1])


def _address(instruction: Any) -> set[int]:
    from capstone.arm_const import ARM_OP_MEM

    memory = [o.mem for o in instruction.operands if o.type == ARM_OP_MEM]
    return {m.base for m in memory} | {m.index for m in memory if m.index}


def _registers(instruction: Any) -> int:
    from capstone.arm_const import ARM_OP_REG

    return sum(o.type == ARM_OP_REG for o in instruction.operands)
