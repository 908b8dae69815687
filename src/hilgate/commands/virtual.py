"""Run a board that needs no hardware."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def virtual() -> None:
    """Run a board that needs no hardware."""


@app.command()
def serve(
    board: Annotated[str, typer.Argument(help="A board of firmware/boards, such as nucleo_f446re.")],
    image: Annotated[Path, typer.Option("--image", help="The ELF to run.")],
    tcp: Annotated[
        int | None, typer.Option("--tcp", help="Listen on this TCP port of this machine; 0: a free one.")
    ] = None,
    pty: Annotated[bool, typer.Option("--pty", help="Open a pseudo-terminal instead.")] = False,
    cycles: Annotated[bool, typer.Option(help="Count cycles by the cost model; without, one an instruction.")] = True,
) -> None:
    """Offer a virtual board's console on a port. TCP (the default, a free one) or a pseudo-terminal."""
    from hilgate.errors import UsageError
    from hilgate.virtual.board import VirtualBoard
    from hilgate.virtual.machine import Options
    from hilgate.virtual.serve import PtyEnd, TcpEnd
    from hilgate.virtual.serve import serve as run

    if pty and tcp is not None:
        raise UsageError("--tcp and --pty exclude each other", where="hilgate virtual serve")
    powered = VirtualBoard(board, image, Options(cycles=cycles))
    run(powered, PtyEnd() if pty else TcpEnd(tcp or 0), typer.echo)


@app.command()
def gaps() -> None:
    """List what is not modelled, or checked by nobody else."""
    from hilgate.virtual.evidence import fidelity_gaps

    for gap in fidelity_gaps():
        typer.echo(f"{'unchecked' if gap.modelled else 'not modelled'}: {gap.name}: {gap.what} ({gap.instead})")
