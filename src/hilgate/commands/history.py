"""What each commit of the default branch cost, as table or page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hilgate.project import project_root

app = typer.Typer(rich_markup_mode=None)

Ref = Annotated[str | None, typer.Option(help="A branch or ref that holds a history. Default: hilgate-history.")]


@app.callback(invoke_without_command=True)
def history(
    context: typer.Context,
    ref: Ref = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every series with all points as JSON.")] = False,
) -> None:
    """Show each metric's trend per cell and testbed, from the branch hilgate-history."""
    if context.invoked_subcommand:
        return
    from hilgate.history import history as room
    from hilgate.history import table

    content = room.load(project_root(), ref)
    if as_json:
        typer.echo(json.dumps(table.document(content), indent=1))
    else:
        table.show(content)


@app.command()
def append(
    folder: Annotated[
        Path | None, typer.Option("--from", help="A folder of <cell>/measurement.json. Default: artifacts/run.")
    ] = None,
    commit: Annotated[str, typer.Option(help="The commit that was measured.")] = "HEAD",
    push: Annotated[str | None, typer.Option(help="Push to this remote as well, such as origin.")] = None,
) -> None:
    """Add what was measured at one commit. The same again changes nothing."""
    from hilgate.history import history as room

    done = room.append(project_root(), folder, commit, push)
    where = f"hilgate-history of {push}" if push else "hilgate-history"
    typer.echo(f"{done.added} of {done.lines} lines added to {where} for {done.commit[:10]}")


@app.command()
def page(
    out: Annotated[Path, typer.Option(help="A folder; index.html is written there.")],
    ref: Ref = None,
    link: Annotated[
        str | None, typer.Option(help="Address of the repository for links to commits. Default: that of origin.")
    ] = None,
) -> None:
    """Draw the trends as one HTML page that works without network."""
    from hilgate.history import history as room
    from hilgate.history.page import write_page

    root = project_root()
    typer.echo(write_page(root, room.load(root, ref), out, link))
