"""What the workflows' jobs do, and the same on this computer."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def ci() -> None:
    """What the workflows' jobs do, and the same on this computer."""
