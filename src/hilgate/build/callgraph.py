"""The call graph of an image, with each function's own stack: from GCC's -fcallgraph-info=su and the object files.

Indirect calls go to every function of the image whose address some code or data takes (the vector table aside): more
than can happen, never less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hilgate.errors import BuildError

INDIRECT = "__indirect_call"
NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
STACK = re.compile(r"\\n(\d+) bytes \(([^)]+)\)")


@dataclass
class Function:
    """One function. bytes: of its own frame, or None while unknown; calls: titles of callees."""

    name: str
    bytes: int | None = None
    calls: set[str] = field(default_factory=set)


@dataclass
class CallGraph:
    """Functions by title: the name, or path:name for a static function."""

    functions: dict[str, Function]
    address_taken: set[str]

    def title_of(self, name: str) -> str:
        """The title of the function of that name. Raises BuildError when there is none."""
        if name in self.functions:
            return name
        for title, function in self.functions.items():
            if function.name == name:
                return title
        raise BuildError(f"no function `{name}` in the call graph", where="worst stack")


def read_call_graph(build: Path) -> CallGraph:
    """All .ci files and objects below a CMake build folder."""
    functions: dict[str, Function] = {}
    for path in sorted(build.rglob("*.ci")):
        for line in path.read_text("utf-8").splitlines():
            _add_line(functions, line)
    taken = {name for path in sorted(build.rglob("*.obj")) for name in addresses_taken(path)}
    return CallGraph(functions, taken)


def _add_line(functions: dict[str, Function], line: str) -> None:
    if node := NODE.match(line):
        title, label = node[1], node[2]
        function = functions.setdefault(title, Function(title.rsplit(":", 1)[-1]))
        if stack := STACK.search(label):
            if stack[2] == "dynamic":
                raise BuildError(
                    "allocates stack of a size unknown at compile time", where=title, hint="no VLA, no alloca"
                )
            function.bytes = int(stack[1])
    elif edge := EDGE.match(line):
        functions.setdefault(edge[1], Function(edge[1].rsplit(":", 1)[-1])).calls.add(edge[2])


def addresses_taken(path: Path) -> Iterator[str]:
    """Names of functions whose address an object file takes other than by calling them."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.relocation import RelocationSection

    takes = {2, 3, 47, 48}  # R_ARM_ABS32, REL32, THM_MOVW_ABS_NC, THM_MOVT_ABS
    with path.open("rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".symtab")
        for section in elf.iter_sections():
            if not isinstance(section, RelocationSection) or re.search(r"debug|\.vectors|ARM\.ex", section.name):
                continue
            for relocation in section.iter_relocations():
                if relocation["r_info_type"] not in takes:
                    continue
                symbol = table.get_symbol(relocation["r_info_sym"])
                if symbol["st_info"]["type"] == "STT_FUNC":
                    yield symbol.name
                elif symbol["st_info"]["type"] == "STT_SECTION":
                    name = elf.get_section(symbol["st_shndx"]).name
                    if name.startswith(".text."):
                        yield name.removeprefix(".text.")
