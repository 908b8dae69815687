"""The image under test: an ELF file as the loader of a Cortex-M sees it, loaded by LMA, with its symbols."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from pathlib import Path

from hilgate.errors import ArtifactError


@dataclass(frozen=True)
class Segment:
    """Bytes to place at `address` (LMA)."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Function:
    """One function symbol; the address has no Thumb bit."""

    address: int
    size: int
    name: str


@dataclass(frozen=True)
class Image:
    """path, segments by LMA, symbols (value as in the ELF, Thumb bit kept), functions sorted by address."""

    path: Path
    segments: tuple[Segment, ...]
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
    """Read an ELF for a Cortex-M. Raises ArtifactError: missing, no ELF, another architecture, empty, damaged."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            if elf["e_machine"] != "EM_ARM" or elf.elfclass != 32 or not elf.little_endian:
                raise ArtifactError(
                    f"the image is for {elf['e_machine']}, {elf.elfclass} bits; a board takes little-endian 32-bit ARM",
                    where=str(path),
                    hint="build it with arm-none-eabi-gcc -mcpu=...",
                )
            return _image(elf, path)
    except OSError as error:
        raise ArtifactError(
            f"the image cannot be read: {error.strerror}", where=str(path), hint="`hilgate build` makes it"
        ) from error
    except (
        ELFError,
        ValueError,
        KeyError,
        AttributeError,
        UnicodeDecodeError,
        TypeError,
        IndexError,
        OverflowError,
    ) as error:
        raise ArtifactError(f"no valid ELF file: {str(error) or type(error).__name__}", where=str(path)) from error


def _image(elf: object, path: Path) -> Image:
    segments = []
    for item in elf.iter_segments():  # type: ignore[attr-defined]
        if item["p_type"] == "PT_LOAD" and item["p_filesz"]:
            data = item.data()
            if len(data) != item["p_filesz"]:
                raise ArtifactError("a segment is cut short", where=str(path), hint="build it again")
            segments.append(Segment(item["p_paddr"], data))
    if not segments:
        raise ArtifactError("the image has nothing to load", where=str(path))
    symbols: dict[str, int] = {}
    functions: dict[int, Function] = {}
    table = elf.get_section_by_name(".symtab")  # type: ignore[attr-defined]
    for symbol in table.iter_symbols() if table is not None else ():
        if symbol.name and symbol["st_shndx"] != "SHN_UNDEF":
            symbols.setdefault(symbol.name, symbol["st_value"])
            if symbol["st_info"]["type"] == "STT_FUNC":
                address = symbol["st_value"] & ~1
                functions.setdefault(address, Function(address, symbol["st_size"], symbol.name))
    ordered = tuple(functions[address] for address in sorted(functions))
    return Image(path=path, segments=tuple(segments), symbols=symbols, functions=ordered)
