"""`hilgate identify`."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def command(
    on: Annotated[
        str | None, typer.Option("--on", help="A port or URL, as in `hilgate run`; without, the only port attached.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, for programs.")] = False,
) -> None:
    """Ask a board what it is and what it runs. Measures nothing: chip, image, clock, memory marks, last crash."""
    from hilgate.bench.identify import identify, lines
    from hilgate.link.ports import only_port
    from hilgate.project import project_root

    who = identify(only_port() if on is None else on, project_root())
    typer.echo(json.dumps(who, indent=1, sort_keys=True) if as_json else "\n".join(lines(who)))
