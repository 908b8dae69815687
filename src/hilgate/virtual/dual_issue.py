"""What instructions cost on a core that issues two of them a cycle, in order: the rule of the Cortex-M7.

Arm publishes no timings of that core. This is an approximation by issue slots and result latencies, whose numbers are
in cpus/cortex_m7.toml, each labelled assumed; COST_MODEL.md says how far published silicon is from it. A
block is issued as if nothing before it were still under way, so each block is charged by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hilgate.virtual.cost import BlockCost, Cpu, may_unmask, refill
from hilgate.virtual.decode import Instruction

MEMORY = frozenset(
    "load store load_pair store_pair load_multiple store_multiple fp_load fp_store fp_multiple exclusive".split()
)
STORES = frozenset("store store_pair store_multiple fp_store".split())
ALONE = frozenset(
    "divide special_register interrupt_mask barrier supervisor coprocessor table_branch exclusive fp_divide".split()
)
MULTIPLE = {
    "load_pair": "load_first_word", "load_multiple": "load_first_word", "store_pair": "store_first_word",
    "store_multiple": "store_first_word", "fp_multiple": "fp_first_word",
}  # fmt: skip
PC = 1 << 15


def applies(cpu: Cpu) -> bool:
    """Whether this core is one of this rule: its cost file says how many instructions it issues."""
    return "issue_width" in cpu.cost


@dataclass
class Slots:
    """What has been issued. now: the present cycle; used, memory, multiplies: of that cycle; ready: register -> when an
    ALU, a multiplier or an address may take it."""

    cost: dict[str, int]
    now: int = 0
    used: int = 0
    memory: int = 0
    multiplies: int = 0
    alone: bool = False
    alu: dict[int, int] = field(default_factory=dict)
    multiplier: dict[int, int] = field(default_factory=dict)
    address: dict[int, int] = field(default_factory=dict)

    def issue(self, item: Instruction) -> int:
        """Returns the cycle in which the instruction is issued."""
        earliest = self._operands(item)
        if earliest > self.now or not self._has_room(item):
            self._next(max(earliest, self.now + 1 if self.used else self.now))
        start, length = self.now, self._length(item)
        if item.kind != "it":
            self.used += 1
        self.memory += item.kind in MEMORY
        self.multiplies += item.kind == "multiply"
        self.alone = self.alone or item.kind in ALONE
        self._results(item, start + length)
        if length > 1:
            self._next(start + length - 1)
            self.used, self.memory = 1, int(item.kind in MEMORY)  # the last cycle of a long one has a slot left
            self.alone = item.kind in ALONE
        return start

    def end(self) -> int:
        """Cycles until all is issued."""
        return self.now + (1 if self.used else 0)

    def _next(self, cycle: int) -> None:
        self.now, self.used, self.memory, self.multiplies, self.alone = cycle, 0, 0, 0, False

    def _has_room(self, item: Instruction) -> bool:
        if item.kind == "it" or self.used == 0:
            return True
        if self.used >= self.cost["issue_width"] or self.alone or item.kind in ALONE:
            return False
        return not (item.kind in MEMORY and self.memory) and not (item.kind == "multiply" and self.multiplies)

    def _operands(self, item: Instruction) -> int:
        wanted = self.multiplier if item.kind == "multiply" else self.alu
        plain = (wanted.get(n, 0) for n in range(15) if item.reads_mask & ~item.address_mask & 1 << n)
        addresses = (self.address.get(n, 0) for n in range(15) if item.address_mask & 1 << n)
        return max((*plain, *addresses), default=0)

    def _length(self, item: Instruction) -> int:
        """Cycles for which the instruction keeps its slot."""
        kind, cost = item.kind, self.cost
        if kind in MULTIPLE:
            length = cost[MULTIPLE[kind]] + -(-item.words // cost["words_per_cycle"])
        elif kind == "it":
            return cost["it_folded"]
        elif kind in ("fp_load", "fp_store"):
            length = cost[f"{kind}_double" if item.words == 2 else kind]
        else:
            length = cost["supervisor" if kind == "coprocessor" else kind]
        return max(1, length) + (cost["load_to_pc"] if item.to_pc else 0)

    def _results(self, item: Instruction, done: int) -> None:
        kind, cost = item.kind, self.cost
        for number in range(15):
            if not item.writes_mask & 1 << number:
                continue
            loaded = kind in MEMORY and kind not in STORES and not item.address_mask & 1 << number
            delay = cost["load_use"] if loaded else cost["multiply_use"] if kind == "multiply" else 0
            if kind == "fp":
                delay = cost["fp_use"]
            self.alu[number] = done + delay
            self.multiplier[number] = done if kind == "multiply" else done + delay
            self.address[number] = done + max(delay, cost["load_address_use"] if loaded else cost["address_stall"])
            if kind in MEMORY and item.address_mask & 1 << number:  # write-back of the base: by the address unit itself
                self.address[number] = done


def block_cost(cpu: Cpu, code: Sequence[Instruction], _after: Instruction | None) -> BlockCost:
    """Cost of the block `code`, whatever follows it."""
    slots = Slots(cpu.cost)
    before: list[int] = []
    for item in code:
        before += [slots.issue(item)] * (item.size // 2)
    return BlockCost(
        address=code[0].address,
        size=sum(item.size for item in code),
        instructions=len(code),
        cycles=slots.end(),
        refill=refill(cpu.cost, code[0]),
        carry=0,
        before=tuple(before),
        unmasks=may_unmask(code[-1]),
        predicated=any(item.predicated for item in code),
    )
