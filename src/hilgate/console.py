"""What people see while something runs: progress and messages on stderr, so that stdout stays data."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


@cache
def console() -> Console:
    """The one console on stderr. Rich is imported on first use, so that `hilgate --help` stays quick."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def progress() -> Progress:
    """A progress bar in the house style; use it as a context manager."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console(),
    )


def say(message: str) -> None:
    """One line, also in a log 80 columns wide. Plain: an error or a name may hold what would be markup."""
    console().print(message, markup=False, emoji=False, soft_wrap=True)
