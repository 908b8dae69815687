"""Stack of functions that GCC did not compile here, such as libgcc's: read from their instructions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hilgate.build.callgraph import CallGraph, Function
from hilgate.errors import BuildError


def complete_from_code(graph: CallGraph, elf: Path) -> None:
    """Give every called function without a figure one from its code in the ELF, and its callees."""
    waiting = _unknown(graph)
    if not waiting:
        return
    code = _Code(elf)
    while waiting:
        for name in waiting:
            if name not in code.functions:
                raise BuildError(f"`{name}` is called, but is not in the image", where=str(elf))
            graph.functions[name] = code.describe(name)
        waiting = _unknown(graph)


def _unknown(graph: CallGraph) -> list[str]:
    called = {
        callee for function in graph.functions.values() if function.bytes is not None for callee in function.calls
    }
    return sorted(
        name
        for name in called
        if name != "__indirect_call" and (name not in graph.functions or graph.functions[name].bytes is None)
    )


class _Code:
    def __init__(self, elf: Path) -> None:
        from elftools.elf.elffile import ELFFile

        with elf.open("rb") as file:
            parsed = ELFFile(file)
            self.sections = [(s["sh_addr"], s.data()) for s in parsed.iter_sections() if s["sh_flags"] & 4]
            table = parsed.get_section_by_name(".symtab")
            self.functions = {
                s.name: (s["st_value"] & ~1, s["st_size"])
                for s in table.iter_symbols()
                if s["st_info"]["type"] == "STT_FUNC"
            }
        self.names = {address: name for name, (address, _) in self.functions.items()}

    def describe(self, name: str) -> Function:
        """Sum of all pushes and all `sub sp`: an upper bound when they stand in one path, as in libgcc."""
        function = Function(name, 0)
        for instruction in self._instructions(name):
            operands = instruction.op_str
            mnemonic = instruction.mnemonic.split(".")[0]
            if mnemonic in ("push", "stmdb") and (mnemonic == "push" or operands.startswith("sp!")):
                function.bytes = (function.bytes or 0) + 4 * _registers(operands)
            elif mnemonic == "vpush":
                function.bytes = (function.bytes or 0) + 8 * _registers(operands)
            elif mnemonic in ("sub", "subw") and re.match(r"sp, (sp, )?#", operands):
                function.bytes = (function.bytes or 0) + int(operands.rsplit("#", 1)[1], 0)
            elif pre := re.search(r"\[sp, #-(0x[0-9a-f]+|\d+)\]!", operands):
                function.bytes = (function.bytes or 0) + int(pre[1], 0)
            elif mnemonic in ("bl", "b", "b.w") and operands.startswith("#"):
                target = self.names.get(int(operands[1:], 0) & ~1)
                if target and target != name:
                    function.calls.add(target)
            elif mnemonic == "blx":
                raise BuildError(f"`{name}` calls through a pointer; its stack has no bound", where="worst stack")
        return function

    def _instructions(self, name: str) -> list[Any]:
        import capstone

        start, size = self.functions[name]
        for address, data in self.sections:
            if address <= start < address + len(data):
                engine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
                return list(engine.disasm(data[start - address : start - address + size], start))
        raise BuildError(f"`{name}` has no code", where="worst stack")


def _registers(operands: str) -> int:
    """How many registers a list such as {r4-r7, lr} or {r4, r5} names."""
    listed = operands[operands.index("{") + 1 : operands.index("}")]
    return len(listed.split(","))
