"""The image under test: an ELF file as the loader of a Cortex-M sees it, loaded by LMA, with its symbols."""

from __future__ import annotations

import bisect
import itertools
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hilgate.errors import ArtifactError

FILE_BYTES_MOST = 64 << 20  # debug information included
NAME_BYTES_MOST = 4096  # longer symbols have no name here
HEADER_BYTES, SYMBOL_BYTES = 52, 16
EM_ARM, PT_LOAD, SHT_SYMTAB, SHN_UNDEF, STT_FUNC = 40, 1, 2, 0, 2
MADE_BY = "`hilgate build` makes one"


@dataclass(frozen=True)
class Segment:
    """Bytes to place at `address` (LMA); the program finds them at `run` (VMA) once it has copied them there."""

    address: int
    data: bytes
    run: int


@dataclass(frozen=True)
class Function:
    """One function symbol; the address has no Thumb bit."""

    address: int
    size: int
    name: str


@dataclass(frozen=True)
class Image:
    """path, segments with bytes, runs (address and bytes of all that it uses of memory), symbols (value as in the ELF,
    Thumb bit kept), functions sorted by address."""

    path: Path
    segments: tuple[Segment, ...]
    runs: tuple[tuple[int, int], ...]
    symbols: dict[str, int]
    functions: tuple[Function, ...]
    _starts: list[int] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._starts.extend(function.address for function in self.functions)

    def function_at(self, address: int) -> Function | None:
        """The function whose code holds `address`."""
        at = bisect.bisect_right(self._starts, address) - 1
        if at < 0:
            return None
        found = self.functions[at]
        return found if address < found.address + max(found.size, 2) else None

    def place(self, address: int) -> str:
        """`0x08000124 (main+0x10)`, for messages."""
        function = self.function_at(address)
        return f"0x{address:08x}" + (f" ({function.name}+0x{address - function.address:x})" if function else "")


def load_image(path: Path) -> Image:
    """Read an ELF for a Cortex-M.

    Raises ArtifactError: missing, no file, too big, no ELF, another architecture, nothing to load, damaged.
    """
    try:  # a pipe would be waited for, and some devices have no end
        if not stat.S_ISREG(path.stat().st_mode):
            raise ArtifactError("the image is not a file", where=str(path), hint=MADE_BY)
        if path.stat().st_size > FILE_BYTES_MOST:
            raise ArtifactError(f"the image has more than {FILE_BYTES_MOST >> 20} MiB", where=str(path), hint=MADE_BY)
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"the image cannot be read: {error.strerror}", where=str(path), hint=MADE_BY) from error
    return Reader(content, path).image()


@dataclass(frozen=True)
class Reader:
    """The few parts of an ELF that a board sees (System V ABI, chapters 4 and 5; sizes are those of 32 bits).

    By hand, because the file is hostile: whatever it says, the work is bounded by its size.
    """

    content: bytes
    path: Path

    def image(self) -> Image:
        self._identify()
        segments, runs = [], []
        for kind, offset, run, address, stored, memory, _flags, _align in self._table("<8I", 28, 42, "program headers"):
            if kind != PT_LOAD:
                continue
            if memory < stored or run + memory > 1 << 32:
                raise self._damaged(f"a segment of {stored} bytes takes {memory} bytes at 0x{run:08x}")
            if offset + stored > len(self.content):
                raise ArtifactError("a segment is cut short", where=str(self.path), hint="build it again")
            if stored:
                segments.append(Segment(address, self.content[offset : offset + stored], run))
            if memory:
                runs.append((run, memory))
        self._check(segments)
        symbols, functions = self._symbols()
        return Image(self.path, tuple(segments), tuple(runs), symbols, functions)

    def _identify(self) -> None:
        if self.content[:4] != b"\x7fELF":
            raise ArtifactError("no valid ELF file: it does not begin like one", where=str(self.path), hint=MADE_BY)
        if len(self.content) < HEADER_BYTES:
            raise self._damaged("it ends in its header")
        bits, order = {1: "32", 2: "64"}.get(self.content[4], "?"), {1: "little", 2: "big"}.get(self.content[5], "?")
        machine = int.from_bytes(self.content[18:20], "big" if order == "big" else "little")
        if (bits, order, machine) != ("32", "little", EM_ARM):
            name = "ARM" if machine == EM_ARM else f"machine {machine}"
            raise ArtifactError(
                f"the image is for {name}, {bits} bits, {order}-endian; a board takes little-endian 32-bit ARM",
                where=str(self.path),
                hint="build it with arm-none-eabi-gcc -mcpu=...",
            )

    def _table(self, row: str, offset_at: int, size_at: int, what: str) -> Iterator[tuple[int, ...]]:
        """The rows of a table of headers, whose place is in the file's header."""
        (begin,) = struct.unpack_from("<I", self.content, offset_at)
        size, count = struct.unpack_from("<2H", self.content, size_at)
        if count and size != struct.calcsize(row):
            raise self._damaged(f"its {what} have {size} bytes each")
        if begin + size * count > len(self.content):
            raise self._damaged(f"its {what} lie outside")
        return struct.iter_unpack(row, self.content[begin : begin + size * count])

    def _check(self, segments: list[Segment]) -> None:
        if not segments:
            raise ArtifactError("the image has nothing to load", where=str(self.path), hint=MADE_BY)
        ordered = sorted(segments, key=lambda segment: segment.address)
        for low, high in itertools.pairwise(ordered):
            if low.address + len(low.data) > high.address:
                raise self._damaged(f"two segments share the address 0x{high.address:08x}")

    def _symbols(self) -> tuple[dict[str, int], tuple[Function, ...]]:
        """Of the first symbol table; none when there is no such table, as after `strip`."""
        sections = list(self._table("<10I", 32, 46, "section headers"))
        table = next((section for section in sections if section[1] == SHT_SYMTAB), None)
        if table is None:
            return {}, ()
        offset, size, link = table[4], table[5], table[6]
        if size % SYMBOL_BYTES or link >= len(sections) or offset + size > len(self.content):
            raise self._damaged("its symbol table lies outside")
        names = self.content[sections[link][4] : sections[link][4] + sections[link][5]]
        symbols: dict[str, int] = {}
        functions: dict[int, Function] = {}
        for at, value, length, info, _other, section in struct.iter_unpack(
            "<3I2BH", self.content[offset : offset + size]
        ):
            end = names.find(b"\0", at, at + NAME_BYTES_MOST)
            if end <= at or section == SHN_UNDEF:
                continue
            text = names[at:end].decode("utf-8", "replace")
            symbols.setdefault(text, value)
            if info & 15 == STT_FUNC:
                functions.setdefault(value & ~1, Function(value & ~1, length, text))
        return symbols, tuple(functions[address] for address in sorted(functions))

    def _damaged(self, what: str) -> ArtifactError:
        return ArtifactError(f"no valid ELF file: {what}", where=str(self.path), hint="build it again")
