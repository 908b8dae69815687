"""The call graph checked against the code in the ELF: stack and calls of assembly and of libgcc.

GCC's figures know nothing of assembly: for a naked function that pushes nine registers they say 0 bytes. So every
function is read once more from its instructions, and the larger figure counts.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hilgate.build.callgraph import INDIRECT, CallGraph, Function
from hilgate.errors import BuildError

PRE_INDEXED = re.compile(r"\[sp, #-(0x[0-9a-f]+|\d+)\]!")
LOWERED = re.compile(r"sp, (?:sp, )?#(0x[0-9a-f]+|\d+)$")
VENEER = re.compile(r"__(\w+)_veneer")  # what the linker puts between a call and a target that is too far for it
BRANCH_TARGET = re.compile(r"#(0x[0-9a-f]+|0)$")  # capstone writes address 0 without 0x


@dataclass
class Code:
    """What the instructions of one function say. bytes: the sum of everything that lowers sp, an upper bound."""

    bytes: int = 0
    calls: set[str] = field(default_factory=set)
    calls_indirectly: bool = False


def check_against_code(graph: CallGraph, elf: Path) -> None:
    """Raise figures and add calls where the code shows more. Raises BuildError for an unseen pointer call."""
    for name, code in read_code(elf):
        known = [
            function for function in graph.functions.values() if function.name == name and function.bytes is not None
        ]
        if not known:
            if code.calls_indirectly:
                raise BuildError(f"`{name}` calls through a pointer, and GCC did not compile it", where="worst stack")
            graph.functions[name] = Function(name, code.bytes, set(code.calls))
        for function in known:
            function.bytes = max(function.bytes or 0, code.bytes)
            function.calls |= {_title(graph, callee, function) for callee in code.calls}
            function.calls |= {INDIRECT} if code.calls_indirectly else set()


def _title(graph: CallGraph, callee: str, caller: Function) -> str:
    """The title of a callee that the code names: one that GCC reported already, if it did."""
    for title in caller.calls:
        if title.rsplit(":", 1)[-1] == callee:
            return title
    return next((title for title, function in graph.functions.items() if function.name == callee), callee)


def read_code(elf: Path) -> Iterator[tuple[str, Code]]:
    """Each function of an ELF with what its instructions say; literal pools are left out."""
    import capstone
    from elftools.elf.elffile import ELFFile

    engine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    engine.skipdata = True  # an instruction that capstone does not know must not end the reading
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        symbols = list(parsed.get_section_by_name(".symtab").iter_symbols())
        sections = [(s["sh_addr"], s.data()) for s in parsed.iter_sections() if s["sh_flags"] & 4]
    functions = [s for s in symbols if s["st_info"]["type"] == "STT_FUNC"]
    # Of names for one address, any will do for a caller; a call through a veneer is a call of what lies behind it.
    entries = {s["st_value"] & ~1: VENEER.sub(r"\1", s.name) for s in functions}
    sizes = {s["st_value"] & ~1: s["st_size"] for s in functions}
    ordered = [*sorted(entries), 1 << 32]
    marks = sorted((s["st_value"], s.name[1]) for s in symbols if re.match(r"\$[td]", s.name))
    for start, after in itertools.pairwise(ordered):
        code = Code()
        address, data = next((a, d) for a, d in sections if a <= start < a + len(d))
        end = start + (sizes[start] or min(after, address + len(data)) - start)  # libgcc states no sizes
        for low, high in _code_ranges(marks, start, end):
            for instruction in engine.disasm(data[low - address : high - address], low):
                _add(code, instruction, entries, start)
        for symbol in functions:
            if symbol["st_value"] & ~1 == start:
                yield symbol.name, code


def _code_ranges(marks: list[tuple[int, str]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Parts of [start, end) that are instructions, by the mapping symbols $t and $d (ELF for the Arm Architecture)."""
    at = bisect.bisect_right(marks, (start, "~")) - 1
    kind, low = marks[at][1] if at >= 0 else "t", start
    for address, next_kind in marks[at + 1 :]:
        if address >= end:
            break
        if kind == "t" and address > low:
            yield low, address
        kind, low = next_kind, address
    if kind == "t" and end > low:
        yield low, end


def _add(code: Code, instruction: Any, entries: dict[int, str], start: int) -> None:
    mnemonic, operands = instruction.mnemonic.split(".")[0], instruction.op_str
    if mnemonic == "push" or (mnemonic == "stmdb" and operands.startswith("sp!")):
        code.bytes += 4 * _registers(operands)
    elif mnemonic == "vpush" or (mnemonic == "vstmdb" and operands.startswith("sp!")):
        code.bytes += (8 if "{d" in operands else 4) * _registers(operands)
    elif mnemonic in ("sub", "subw") and (lowered := LOWERED.match(operands)):
        code.bytes += int(lowered[1], 0)
    elif pre := PRE_INDEXED.search(operands):
        code.bytes += int(pre[1], 0)
    elif mnemonic == "blx":
        code.calls_indirectly = True
    elif mnemonic.startswith("b") and (target := BRANCH_TARGET.search(operands)):
        address = int(target[1], 16) & ~1
        if address in entries and address != start:
            code.calls.add(entries[address])


def _registers(operands: str) -> int:
    """How many registers a list such as {r4, r5, lr} names."""
    return len(operands[operands.index("{") + 1 : operands.index("}")].split(","))
