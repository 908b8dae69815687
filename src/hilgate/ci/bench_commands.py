"""`hilgate ci hardware ...`: benches in the trusted verdict."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Judged = Annotated[Path, typer.Argument(help="A folder written by `hilgate ci recompute`.")]


@app.callback()
def hardware() -> None:
    """Benches in the trusted verdict: order, plan, measure, judge."""


@app.command()
def prepare(
    claim: Annotated[Path, typer.Argument(help="The claim as it came, or a pack of main's own build.")],
    base: Annotated[Path, typer.Argument(help="Folder packed by main's own build; need not be there.")],
    out: Annotated[Path, typer.Argument(help="The judged folder, which gets orders/.")],
) -> None:
    """Put ready what a bench would measure. Checked images, inputs, outputs that are due."""
    from hilgate.ci.benches.orders import prepare as run
    from hilgate.project import project_root

    run(project_root(), claim, out, base)


@app.command()
def plan(judged: Judged) -> None:
    """Look which boards can measure it, and whether they may."""
    from hilgate.ci.steps import run_plan

    typer.echo("\n".join(run_plan(os.environ, judged)))


@app.command()
def online() -> None:
    """Look which boards of this project have a bench."""
    from hilgate.ci.steps import run_online
    from hilgate.project import project_root

    typer.echo("\n".join(run_online(os.environ, project_root())))


@app.command()
def measure(
    judged: Judged,
    board: Annotated[str, typer.Option(help="The kind of board.")],
    out: Annotated[Path, typer.Option(help="Gets <board>/<cell>/.")] = Path("build/measured"),
    probe: Annotated[
        str | None, typer.Option(help="The probe's serial number, where several are attached.", envvar="HILGATE_PROBE")
    ] = None,
    port: Annotated[str | None, typer.Option(help="The board's port, where the probe has none.")] = None,
) -> None:
    """Flash and measure every order of a board. That is what a bench's job does."""
    from hilgate.bench.desk import Desk
    from hilgate.ci.benches.reading import read
    from hilgate.ci.benches.turns import measure as run
    from hilgate.project import project_root

    raise typer.Exit(1 if run(judged, board, out, Desk(project_root(), read, probe, port)) else 0)


@app.command()
def judge(
    judged: Judged,
    measured: Annotated[Path, typer.Argument(help="What the boards measured; need not be there.")],
    out: Annotated[Path, typer.Option(help="Is emptied first.")] = Path("build/final"),
    bench: Annotated[str, typer.Option(help="How the bench's jobs ended.", envvar="HILGATE_BENCH")] = "success",
) -> None:
    """Judge again, with measured numbers in place of predicted ones."""
    from hilgate.ci.benches.hardware import judge as run
    from hilgate.project import project_root

    verdict = run(project_root(), judged, measured, out, bench)
    typer.echo(f"{verdict['outcome']}: {out / 'verdict.json'}")


@app.command()
def drift(
    measured: Annotated[Path, typer.Argument(help="What the boards measured.")],
    push: Annotated[str | None, typer.Option(help="Add first measurements to the history of this remote.")] = None,
) -> None:
    """Compare main's images with their first night on each board. Exit code 11: a bench drifted."""
    from hilgate.ci.benches.drift import drift as run
    from hilgate.gate.verdict import Outcome
    from hilgate.history import branch
    from hilgate.project import project_root

    root = project_root()
    rows, new = run(root, measured, branch.fetch(root, push) if push else branch.newest_ref(root))
    typer.echo("\n".join(row.text() for row in rows))
    if new and push:
        typer.echo(f"{branch.push(root, new, push)} lines added to the history")
    raise typer.Exit(Outcome.INCONCLUSIVE.exit_code if any(row.drifted for row in rows) else 0)
