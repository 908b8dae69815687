"""One Thumb instruction as the cost model and the checks see it: kind, registers, words moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

LOADS = frozenset("ldr ldrb ldrh ldrsb ldrsh ldrt ldrbt ldrht ldrsbt ldrsht".split())
STORES = frozenset("str strb strh strt strbt strht".split())
MULTIPLIES = frozenset(
    "mul mla mls smull umull smlal umlal smlabb smlabt smlatb smlatt smulbb smulbt smultb smultt smmul smmulr smmla"
    " smmlar smmls smmlsr smlawb smlawt smulwb smulwt umaal smlad smladx smlsd smlsdx smlald smlaldx smlsld smlsldx"
    " smuad smuadx smusd smusdx smlalbb smlalbt smlaltb smlaltt".split()
)
CONDITIONS = frozenset("eq ne hs lo mi pl vs vc hi ls ge lt gt le cs cc al".split())
SPECIAL = {
    "mrs": "special_register", "msr": "special_register", "cps": "interrupt_mask", "cpsie": "interrupt_mask",
    "cpsid": "interrupt_mask", "isb": "barrier", "dsb": "barrier", "dmb": "barrier", "nop": "hint", "wfi": "hint",
    "wfe": "hint", "sev": "hint", "yield": "hint", "pld": "hint", "clrex": "hint", "svc": "supervisor",
    "bkpt": "supervisor", "udf": "supervisor", "sdiv": "divide", "udiv": "divide", "ldrd": "load_pair",
    "strd": "store_pair", "ldm": "load_multiple", "ldmdb": "load_multiple", "pop": "load_multiple",
    "stm": "store_multiple", "stmdb": "store_multiple", "push": "store_multiple", "tbb": "table_branch",
    "tbh": "table_branch", "b": "branch", "bl": "branch", "bx": "branch", "blx": "branch", "cbz": "branch",
    "cbnz": "branch",
}  # fmt: skip

PREFIXES = (  # the first that fits
    ("exclusive", ("ldrex", "strex")),
    ("coprocessor", ("mcr", "mrc", "cdp", "ldc", "stc")),
    ("fp_load", ("vldr",)),
    ("fp_store", ("vstr",)),
    ("fp_multiple", ("vldm", "vstm", "vpush", "vpop", "fldm", "fstm")),
    ("fp_accumulate", ("vmla", "vmls", "vfma", "vfms", "vnmla", "vnmls", "vfnma", "vfnms")),
    ("fp_divide", ("vdiv", "vsqrt")),
    ("fp", ("v",)),
)


@dataclass(frozen=True)
class Instruction:
    """kind: a word of cost.py; words: registers that it moves; *_mask: bit n is Rn (0-15)."""

    address: int
    size: int
    mnemonic: str
    operands: str
    kind: str
    words: int
    address_mask: int
    writes_mask: int
    indexed: bool
    to_pc: bool
    divisor: int = -1  # register number, of sdiv and udiv
    predicated: bool = False  # inside an IT block
    reads_mask: int = 0
    checked_base: int = -1  # register number whose value must be a multiple of four, or the access faults


@cache
def _capstone() -> Any:
    from capstone import CS_ARCH_ARM, CS_MODE_MCLASS, CS_MODE_THUMB, Cs

    engine = Cs(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS)
    engine.detail = True
    return engine


def decode(code: bytes, address: int) -> list[Instruction]:
    """All instructions of `code`; shorter than `code` when something in it is no instruction."""
    return [_summary(item) for item in _capstone().disasm(code, address)]


def _summary(item: Any) -> Instruction:
    from capstone.arm import ARM_OP_MEM, ARM_OP_REG

    name = _plain(item.mnemonic, item.cc)
    kind = _kind(name)
    operands = item.operands
    memory = next((op.mem for op in operands if op.type == ARM_OP_MEM), None)
    registers = [op.reg for op in operands if op.type == ARM_OP_REG]
    numbers = _register_numbers()
    words = len(registers)
    if kind in ("fp_load", "fp_store"):
        words = 2 if item.reg_name(registers[0]).startswith("d") else 1
    base = -1
    if memory is not None:
        base = numbers.get(memory.base, -1)
    elif kind in ("load_multiple", "store_multiple", "fp_multiple") and name not in ("push", "pop", "vpush", "vpop"):
        base, words = numbers.get(registers[0], -1), words - 1
    if kind == "fp_multiple" and any(item.reg_name(r).startswith("d") for r in registers):
        words = 2 * sum(item.reg_name(r).startswith("d") for r in registers)
    read, written = item.regs_access()
    writes = _mask(written, numbers)
    return Instruction(
        address=item.address,
        size=item.size,
        mnemonic=name,
        operands=item.op_str,
        kind=kind,
        words=words,
        address_mask=0 if memory is None else _mask([memory.base, memory.index], numbers),
        writes_mask=writes,
        reads_mask=_mask(read, numbers),
        indexed=memory is not None and memory.index != 0,
        to_pc=kind in ("load", "load_multiple") and bool(writes >> 15 & 1),
        predicated=item.cc not in (0, 15) and kind != "branch",
        divisor=numbers.get(registers[-1], -1) if kind == "divide" else -1,
        checked_base=base if _needs_alignment(name, kind) and base not in (-1, 13, 15) else -1,
    )


def _needs_alignment(name: str, kind: str) -> bool:
    """ARM DDI 0403E A3.2.1: these fault on an address that is no multiple of four, whatever CCR.UNALIGN_TRP says."""
    return kind in ("load_pair", "store_pair", "load_multiple", "store_multiple", "fp_multiple") or name in (
        "ldrex",
        "strex",
        "vldr",
        "vstr",
    )


@cache
def _register_numbers() -> dict[int, int]:
    from capstone import arm

    names = [f"R{n}" for n in range(13)] + ["SP", "LR", "PC"]
    return {getattr(arm, f"ARM_REG_{name}"): number for number, name in enumerate(names)}


def _mask(registers: Any, numbers: dict[int, int]) -> int:
    mask = 0
    for register in registers:
        if register in numbers:
            mask |= 1 << numbers[register]
    return mask


def _plain(mnemonic: str, condition: int) -> str:
    """The mnemonic without width suffix, type and condition: `ldrne.w` is `ldr`, `vadd.f32` is `vadd`."""
    name = mnemonic.split(".", maxsplit=1)[0]
    if condition not in (0, 15) and name[-2:] in CONDITIONS and len(name) > 2:
        name = name[:-2]
    return name


def _kind(name: str) -> str:
    if name in SPECIAL:
        return SPECIAL[name]
    for kind, names in (("load", LOADS), ("store", STORES), ("multiply", MULTIPLIES)):
        if name in names:
            return kind
    for kind, prefixes in PREFIXES:
        if name.startswith(prefixes):
            return kind
    return "it" if name.startswith("it") and set(name[1:]) <= {"t", "e"} else "alu"


def needs_coprocessor(instruction: Instruction) -> bool:
    """Whether it faults (UFSR.NOCP) while CPACR does not allow the FPU."""
    return instruction.kind.startswith("fp") or instruction.kind == "coprocessor"
