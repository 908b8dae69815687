"""What the workflows' jobs do, and the same on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def ci() -> None:
    """What the workflows' jobs do, and the same on this computer."""


@app.command()
def pending() -> None:
    """Start the check on the head of the event, and find its pull request."""
    import os

    from hilgate.ci.writing import run_pending

    typer.echo("\n".join(run_pending(os.environ)))


@app.command()
def post(
    folder: Annotated[Path, typer.Argument(help="Holds verdict.json and context.json.")],
    title: Annotated[str, typer.Option(help="How the report is called.")] = "hilgate",
) -> None:
    """Check a verdict once more and write it: one check, one comment."""
    import os

    from hilgate.ci.writing import run_post

    typer.echo("\n".join(run_post(os.environ, folder, title)))


@app.command()
def approve(kind: Annotated[str, typer.Argument(help="hardware or budgets.")]) -> None:
    """Look up who has approved the head of the event."""
    import os

    from hilgate.ci.writing import run_approve

    typer.echo("\n".join(run_approve(os.environ, kind)))


@app.command()
def heartbeat(
    boards: Annotated[list[str], typer.Argument(help="Boards, such as nucleo_f446re.")],
    beat: Annotated[bool, typer.Option("--beat", help="Report these boards as there: what a bench does.")] = False,
) -> None:
    """Say whether the bench of each board is there."""
    import os

    from hilgate.ci.writing import run_heartbeat

    typer.echo("\n".join(run_heartbeat(os.environ, boards, beat)))


@app.command()
def pack(
    out: Annotated[Path, typer.Option(help="A new folder, or an older claim.")] = Path("build/claim"),
    base: Annotated[
        str, typer.Option(help="Leave out cells untouched since the merge-base with it; empty: none.")
    ] = "",
    repository: Annotated[str, typer.Option(help="owner/name.", envvar="GITHUB_REPOSITORY")] = "",
    event: Annotated[str, typer.Option(help="Why this runs.", envvar="GITHUB_EVENT_NAME")] = "local",
    errors: Annotated[Path | None, typer.Option(help="Folder with <cell>.txt, the words of a failed cell.")] = None,
) -> None:
    """Put what was built into one small folder: the claim of a pull request, or the base of later ones."""
    from hilgate.ci.pack import PackOptions
    from hilgate.ci.pack import pack as run
    from hilgate.project import project_root

    run(project_root(), out, PackOptions(repository, event, base=base or None, errors=errors))


@app.command()
def admit(
    claim: Annotated[Path, typer.Argument(help="A zip or folder made by `hilgate ci pack`, of whoever.")],
    out: Annotated[Path, typer.Option(help="A new folder.")] = Path("admitted"),
    repository: Annotated[str, typer.Option(help="owner/name that it must be of.")] = "",
    head_sha: Annotated[str, typer.Option(help="The commit that it must be of.")] = "",
) -> None:
    """Check a claim as hostile data; it becomes plain files or is refused."""
    from hilgate.ci.admit import Expected
    from hilgate.ci.admit import admit as run
    from hilgate.project import project_root

    run(claim, out, Expected(repository, head_sha), project_root())


@app.command()
def base() -> None:
    """Find where the head of the event left its base branch, and which run of main keeps that commit's build."""
    import os

    from hilgate.ci.steps import run_base

    typer.echo("\n".join(run_base(os.environ)))


@app.command()
def again() -> None:
    """Run the verdict of an approved commit once more, so that it asks who approved what."""
    import os

    from hilgate.ci.steps import run_again

    typer.echo("\n".join(run_again(os.environ)))


@app.command()
def cells(
    base: Annotated[str, typer.Option(help="Only cells touched since the merge-base with it; empty: all.")] = "",
    batch: Annotated[str, typer.Option(help="Which share of them, such as 1/3.")] = "1/1",
    out: Annotated[Path, typer.Option(help="Where to put what a claim needs.")] = Path("build/cells"),
) -> None:
    """Build and run the cells that a change touches, without training. A cell that fails stops no other."""
    from hilgate.ci.cells import build_cells
    from hilgate.project import project_root

    raise typer.Exit(1 if build_cells(project_root(), out, base, batch).failed else 0)
