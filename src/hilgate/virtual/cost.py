"""What instructions cost at zero wait states: the numbers come from cpus/<cpu>.toml, the rules are here.

The cost of an instruction depends on at most one instruction before it, so a block of straight-line code has one cost
plus one correction for how it was entered. COST_MODEL.md says what this cannot see.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from hilgate.errors import ParamsError
from hilgate.virtual.decode import Instruction

ARITHMETIC = ("alu", "multiply")
SYSTEM_BUS = 0x2000_0000  # instructions from here on come over the system bus: ARM DDI 0403E.e B3.1, TRM of each core
BUFFER_WORDS = 3  # the fetch buffer of the Cortex-M3 and M4: DDI 0337E 14.3
WORDS = {
    "load_pair": "load_first_word", "load_multiple": "load_first_word", "store_pair": "store_first_word",
    "store_multiple": "store_first_word", "fp_multiple": "fp_first_word",
}  # fmt: skip


@dataclass(frozen=True)
class Cpu:
    """One core.

    cost: cycles by the words of the cost file; forbidden: mnemonics that it does not have; wide: the only 32-bit ones
    that it has (None: any).
    """

    name: str
    unicorn: str
    architecture: str
    fpu: bool
    cost: dict[str, int]
    forbidden: tuple[str, ...] = ()
    wide: tuple[str, ...] | None = None

    def has(self, item: Instruction) -> bool:
        """Whether the core has this instruction."""
        if item.mnemonic in self.forbidden or (item.kind.startswith("fp") and not self.fpu):
            return False
        return item.size == 2 or self.wide is None or item.mnemonic in self.wide


@dataclass(frozen=True)
class BlockCost:
    """A basic block: cycles entered by falling through from nothing, and the corrections to that.

    refill: more when entered by a branch; carry: more or less for the instruction that follows in memory when this
    block falls through to it; before: cycles before each halfword (for reading the counter in mid-block), length
    size / 2; unmasks: its last instruction may open a mask (CPS, MSR), so pending exceptions are looked at after it;
    predicated: it has instructions inside IT blocks.
    """

    address: int
    size: int
    instructions: int
    cycles: int
    refill: int
    carry: int
    before: tuple[int, ...]
    unmasks: bool = False
    predicated: bool = False


@cache
def load_cpu(name: str) -> Cpu:
    """Read cpus/<name>.toml. Raises ParamsError when there is none."""
    file = resources.files("hilgate.virtual").joinpath(f"cpus/{name}.toml")
    if not name.isidentifier() or not file.is_file():
        raise ParamsError(f"the virtual board has no CPU `{name}`", where="src/hilgate/virtual/cpus")
    facts = tomllib.loads(file.read_text("utf-8"))
    return Cpu(
        name=name,
        unicorn=facts["unicorn"],
        architecture=facts["architecture"],
        fpu=facts["fpu"],
        cost={word: int(entry["cycles"]) for word, entry in facts["cost"].items()},
        forbidden=tuple(facts.get("forbidden", ())),
        wide=tuple(facts["wide"]) if "wide" in facts else None,
    )


def block_cost(cpu: Cpu, code: Sequence[Instruction], after: Instruction | None) -> BlockCost:
    """Cost of the block `code`; `after` is the instruction that follows it in memory, if there is one."""
    before: list[int] = []
    cycles, previous = 0, None
    bus = SystemBus(cpu.cost.get("system_fetch", 1), code[0].address)
    for instruction in code:
        cycles = bus.start(instruction, cycles)
        before += [cycles] * (instruction.size // 2)
        cycles += instruction_cost(cpu.cost, instruction, previous)
        previous = instruction
    carry = 0
    if after is not None and previous is not None:
        carry = instruction_cost(cpu.cost, after, previous) - instruction_cost(cpu.cost, after, None)
    return BlockCost(
        address=code[0].address,
        size=sum(item.size for item in code),
        instructions=len(code),
        cycles=cycles,
        refill=refill(cpu.cost, code[0]) + bus.wait,
        carry=carry,
        before=tuple(before),
        unmasks=may_unmask(code[-1]),
        predicated=any(item.predicated for item in code),
    )


class SystemBus:
    """Words of a block that runs from RAM on the system bus: each takes `fetch` cycles, at most three wait ahead.

    wait: what the first word takes longer than a cycle, after a branch. In code below the system bus nothing waits.
    """

    def __init__(self, fetch: int, address: int) -> None:
        self.wait = fetch - 1 if address >= SYSTEM_BUS else 0
        self._arrived = {address >> 2: 0}
        self._left: dict[int, int] = {}

    def start(self, item: Instruction, ready: int) -> int:
        """The cycle at which an instruction starts that would be ready to: when its last word has come."""
        word = (item.address + item.size - 1) >> 2
        if not self.wait:
            return ready
        if word not in self._arrived:
            freed = self._left.get(word - BUFFER_WORDS, 0)
            self._arrived[word] = max(self._arrived[word - 1], freed) + self.wait + 1
        start = max(ready, self._arrived[word])
        self._left[item.address >> 2] = self._left[word] = start
        return start


def may_unmask(last: Instruction) -> bool:
    """Whether an exception that was masked may be taken after this instruction."""
    return last.kind in ("interrupt_mask", "barrier") or last.mnemonic == "msr"


def refill(cost: dict[str, int], target: Instruction) -> int:
    """P of the manual: what a taken branch costs more, by the width and alignment of what it lands on."""
    straddles = target.size == 4 and target.address % 4 != 0
    return cost["refill"] + (cost["refill_unaligned"] if straddles else 0)


def instruction_cost(cost: dict[str, int], item: Instruction, previous: Instruction | None) -> int:
    """Cycles of one instruction after `previous` (None: after a pipeline refill)."""
    kind = item.kind
    if kind in ("load", "store"):
        return _single_transfer(cost, item, previous)
    if kind in WORDS:
        return cost[WORDS[kind]] + item.words + (cost["load_to_pc"] if item.to_pc else 0)
    if kind == "it":
        return cost["it_folded" if previous is not None and previous.size == 2 else "it"]
    if kind in ("fp_load", "fp_store"):
        return cost[f"{kind}_double" if item.words == 2 else kind]
    if kind == "fp" and item.words == 4:
        return cost["fp_move_pair"]
    return cost["supervisor" if kind == "coprocessor" else kind]


def _single_transfer(cost: dict[str, int], item: Instruction, previous: Instruction | None) -> int:
    stall, pipelined = 0, False
    if previous is not None:
        if previous.kind in ARITHMETIC and previous.writes_mask & item.address_mask:
            stall = cost["address_stall"]
        loaded = previous.writes_mask & ~previous.address_mask
        pipelined = previous.kind == "load" and not loaded & item.address_mask
    if item.kind == "load":
        return stall + cost["load_pipelined" if pipelined else "load"] + (cost["load_to_pc"] if item.to_pc else 0)
    return stall + cost["store_indexed" if item.indexed and not pipelined else "store"]
