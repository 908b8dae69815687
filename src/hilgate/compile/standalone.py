"""`hilgate compile FILE`: a product on its own, without a board, a pipeline or a project."""

from __future__ import annotations

from pathlib import Path

from hilgate.artifacts import atomic_write
from hilgate.compile.compile import compile_model
from hilgate.compile.explain import explain as explain_file
from hilgate.compile.options import Options
from hilgate.compile.table import show, show_explanation
from hilgate.console import say


def compile_file(model: Path, folder: Path | None, options: Options, *, explain: bool) -> None:
    """Compile `model` into `folder` (default: <stem>_c in the current folder) and print the tables.

    explain: also what each pass did, and arena.svg in the folder.
    """
    folder = folder or Path(f"{model.stem}_c")
    show(compile_model(model, folder, options))
    if explain:
        explanation = explain_file(model, options)
        show_explanation(explanation)
        atomic_write(folder / "arena.svg", explanation.arena_svg().encode())
        say(f"the arena as a picture: {folder / 'arena.svg'}")
