"""What may be flashed: bytes that all lie in the board's flash. OpenOCD skips others with a mere warning."""

from __future__ import annotations

from pathlib import Path

from hilgate.catalogue import Board
from hilgate.errors import ArtifactError
from hilgate.virtual.elf import load_image


def checked_image(path: Path, board: Board) -> int:
    """How many bytes an ELF puts into flash. Raises ArtifactError when any of them lies outside (option bytes, say)."""
    total = 0
    flash = [memory for memory in board.memories if memory.kind == "flash"]
    for segment in load_image(path).segments:
        if not segment.data:
            continue
        start, end = segment.address, segment.address + len(segment.data)
        if not any(memory.origin <= start and end <= memory.end for memory in flash):
            what = f"a segment loads to 0x{start:08x}-0x{end:08x}, which is not flash of {board.title}"
            raise ArtifactError(
                what, where=str(path), hint=f"build it for this board: `hilgate build` of a {board.name} cell"
            )
        total += len(segment.data)
    return total
