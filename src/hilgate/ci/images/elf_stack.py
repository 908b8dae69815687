"""The worst stack of an image from nothing but the image: its instructions, symbols, and the pointers that it stores.

The build room knows more (GCC's own figures for each frame); on all four boards both give the same bytes. A function
whose address stands anywhere in the image may be called by any call through a pointer.
"""

from __future__ import annotations

import struct
from pathlib import Path

from hilgate.build.callgraph import INDIRECT, CallGraph, Function
from hilgate.build.code_frames import VENEER, read_code
from hilgate.build.image import segments
from hilgate.build.stack import Chain, deepest, interrupt_handlers, with_exceptions
from hilgate.errors import BuildError, ClaimError

VECTORS = ".vectors"
JUMP_TO_NEXT_WORD = bytes.fromhex("5ff800f0")  # ldr.w pc, [pc]: what a veneer to a target that is too far consists of


def worst_stack_of(elf: Path) -> Chain:
    """The deepest chain of calls, and on top of it every exception that can interrupt it (build/stack.py).

    Raises ClaimError when the code has no bound: recursion, or a chain that cannot be followed.
    """
    graph = CallGraph(_functions(elf), _addresses(elf))
    try:
        main = deepest(graph, "reset_handler")
        handlers = [deepest(graph, name) for name in interrupt_handlers(elf)]
    except (BuildError, KeyError, RecursionError) as error:
        raise ClaimError(f"its worst stack cannot be counted: {error}"[:300], where=elf.name) from error
    return with_exceptions(main, handlers)


def _functions(elf: Path) -> dict[str, Function]:
    """Functions by name; of two with one name the larger frame counts, with the calls of both."""
    found: dict[str, Function] = {}
    for name, code in read_code(elf):
        function = found.setdefault(name, Function(name, 0))
        function.bytes = max(function.bytes or 0, code.bytes)
        function.calls |= code.calls | ({INDIRECT} if code.calls_indirectly else set())
    return found


def _addresses(elf: Path) -> set[str]:
    """Names of functions whose address is stored in some word of what is loaded.

    Two kinds of word are no pointers that code could take: the vector table, and where a veneer of the linker jumps to.
    """
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as file:
        parsed = ELFFile(file)
        symbols = parsed.get_section_by_name(".symtab").iter_symbols()
        functions = {s["st_value"]: s.name for s in symbols if s["st_info"]["type"] == "STT_FUNC"}
        vectors = [(s["sh_addr"], s["sh_size"]) for s in parsed.iter_sections() if s.name == VECTORS]
    veneers = [address & ~1 for address, name in functions.items() if VENEER.fullmatch(name)]
    data = elf.read_bytes()
    words: set[int] = set()
    for segment in segments(elf):
        content = bytearray(data[segment.offset : segment.offset + segment.file_bytes])
        for at in (veneer - segment.run for veneer in veneers):
            if content[max(at, 0) : at + 4] == JUMP_TO_NEXT_WORD:
                content[at + 4 : at + 8] = bytes(4)
        skip = sum(size for address, size in vectors if address == segment.load)
        words |= {word for (word,) in struct.iter_unpack("<I", content[skip : len(content) // 4 * 4])}
    return {name for address, name in functions.items() if address in words}
