"""What may be flashed: an image of this board, whose bytes all lie in its flash. OpenOCD merely warns of others."""

from __future__ import annotations

from pathlib import Path

from hilgate.bench.boards import name_of_board
from hilgate.catalogue import Board
from hilgate.errors import ArtifactError
from hilgate.virtual.elf import Image, load_image

BOARD_ID = "board_id"  # a symbol that the linker script defines: build/linker.py


def checked_image(path: Path, board: Board, root: Path) -> int:
    """How many bytes an ELF puts into flash.

    Raises ArtifactError when it was built for another board, or when any byte lies outside (option bytes, say).
    """
    image = load_image(path)
    _check_board(image, board, root)
    total = 0
    flash = [memory for memory in board.memories if memory.kind == "flash"]
    for segment in image.segments:
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


def _check_board(image: Image, board: Board, root: Path) -> None:
    """Without the symbol an image is older or stripped; the board's own words are compared later all the same."""
    built_for = image.symbols.get(BOARD_ID, board.board_id)
    if built_for != board.board_id:
        hint = f"flash a {board.name} cell's image, or name the board that is meant: --board"
        what = f"this image is for {name_of_board(built_for, root)}, not for {board.name}"
        raise ArtifactError(what, where=str(image.path), hint=hint)
