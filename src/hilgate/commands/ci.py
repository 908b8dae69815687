"""What the workflows' jobs do, and the same on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hilgate.ci import bench_commands

app = typer.Typer(rich_markup_mode=None)
app.add_typer(bench_commands.app, name="hardware")


@app.callback(invoke_without_command=True)
def ci(
    context: typer.Context,
    base: Annotated[str | None, typer.Option(help="Branch that the change goes to. Default: main.")] = None,
    build: Annotated[Path | None, typer.Option(help="Folder packed by main's own build, instead of git.")] = None,
    make: Annotated[bool, typer.Option(help="Let DVC build and run first what changed.")] = True,
    approved_by: Annotated[str, typer.Option(help="Judge as if this person had approved the requests.")] = "",
) -> None:
    """What the workflows' jobs do. Alone, all of it on this computer: build, pack, admit, recompute, report."""
    if context.invoked_subcommand:
        return
    from hilgate.artifacts import read_json
    from hilgate.ci.local import LocalOptions, run_locally
    from hilgate.project import project_root
    from hilgate.report.terminal import show

    root = project_root()
    out = root / "build" / "ci"
    verdict = run_locally(root, out, LocalOptions(base, build, make, approved_by))
    judged = {name: read_json(out / "judged" / f"{name}.json", name) for name in ("verdict", "context")}
    show(judged["verdict"], context=judged["context"])
    typer.echo(f"as CI would comment: {(out / 'report' / 'report.md').relative_to(root)}")
    raise typer.Exit(verdict.outcome.exit_code)


@app.command()
def pending() -> None:
    """Start the check of the event's head. Finds its pull request."""
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
    """Put what was built into one small folder. The claim of a pull request, or the base of later ones."""
    from hilgate.ci.claims.pack import PackOptions
    from hilgate.ci.claims.pack import pack as run
    from hilgate.project import project_root

    run(project_root(), out, PackOptions(repository, event, base=base or None, errors=errors))


@app.command()
def admit(
    claim: Annotated[Path, typer.Argument(help="A zip or folder made by `hilgate ci pack`, of whoever.")],
    out: Annotated[Path, typer.Option(help="A new folder.")] = Path("admitted"),
    repository: Annotated[str, typer.Option(help="owner/name that it must be of.")] = "",
    head_sha: Annotated[str, typer.Option(help="The commit that it must be of.")] = "",
) -> None:
    """Check a claim as hostile data. It becomes plain files or is refused."""
    from hilgate.ci.claims.admit import Expected
    from hilgate.ci.claims.admit import admit as run
    from hilgate.project import project_root

    run(claim, out, Expected(repository, head_sha), project_root())


@app.command()
def base() -> None:
    """Find what the event's head is compared with.

    That is where it left its base branch; and which run of main keeps that commit's build.
    """
    import os

    from hilgate.ci.steps import run_base

    typer.echo("\n".join(run_base(os.environ)))


@app.command()
def again() -> None:
    """Run an approved commit's verdict once more. It then asks who approved what."""
    import os

    from hilgate.ci.steps import run_again

    typer.echo("\n".join(run_again(os.environ)))


@app.command()
def cells(
    base: Annotated[str, typer.Option(help="Only cells touched since the merge-base with it; empty: all.")] = "",
    batch: Annotated[str, typer.Option(help="Which share of them, such as 1/3.")] = "1/1",
    out: Annotated[Path, typer.Option(help="Where to put what a claim needs.")] = Path("build/cells"),
) -> None:
    """Build and run the cells that a change touches. Without training; a cell that fails stops no other."""
    from hilgate.ci.claims.cells import build_cells
    from hilgate.project import project_root

    raise typer.Exit(1 if build_cells(project_root(), out, base, batch).failed else 0)


@app.command()
def recompute(  # noqa: PLR0913, PLR0917  (an event has as many facts)
    claim: Annotated[Path, typer.Argument(help="A zip, a folder with one, or an admitted folder.")],
    head_sha: Annotated[
        str, typer.Option(help="The commit to judge, which git here must have.", envvar="HILGATE_HEAD_SHA")
    ],
    base: Annotated[Path | None, typer.Option(help="Folder packed by main's own build.")] = None,
    out: Annotated[Path, typer.Option(help="Is emptied first.")] = Path("build/judged"),
    base_ref: Annotated[str, typer.Option(help="The branch it goes to.", envvar="HILGATE_BASE_REF")] = "main",
    repository: Annotated[str, typer.Option(help="owner/name.", envvar="HILGATE_REPOSITORY")] = "",
    pull_request: Annotated[str, typer.Option(help="Its number.", envvar="HILGATE_PULL_REQUEST")] = "",
    run_url: Annotated[str, typer.Option(help="Of this run.", envvar="HILGATE_RUN_URL")] = "",
    author: Annotated[str, typer.Option(help="Who opened it.", envvar="HILGATE_AUTHOR")] = "",
    fork: Annotated[str, typer.Option(help="true or false.", envvar="HILGATE_FORK")] = "false",
    event: Annotated[str, typer.Option(help="What began it all.", envvar="HILGATE_EVENT")] = "pull_request",
    approved_by: Annotated[str, typer.Option(help="Who approved the requests; checked by the caller.")] = "",
) -> None:
    """Judge a claim with what is checked out here. Code, policy, boards, test set: nothing in the claim is believed."""
    from hilgate.ci.judging.context import Asked
    from hilgate.ci.judging.recompute import recompute as run
    from hilgate.project import project_root

    asked = Asked(
        head_sha=head_sha,
        base_ref=base_ref or "main",
        repository=repository,
        pull_request=int(pull_request) if pull_request.isdecimal() else None,
        run_url=run_url,
        author=author,
        fork=fork == "true",
        event=event,
        approved_by=approved_by,
    )
    verdict = run(project_root(), claim, base, out, asked)
    typer.echo(f"{verdict.outcome.value}: {out / 'verdict.json'}")


@app.command()
def calibrate(
    cell: Annotated[str, typer.Argument(help="A built cell; its image is loaded again and again.")],
    loads: Annotated[int, typer.Option(help="How often: more loads, a sharper claim.")] = 64,
    probe: Annotated[
        str | None, typer.Option(help="The probe's serial number, where several are attached.", envvar="HILGATE_PROBE")
    ] = None,
    port: Annotated[str | None, typer.Option(help="The board's port, where the probe has none.")] = None,
) -> None:
    """Measure how much a bench scatters from load to load.

    It then knows what it may claim. Commit the file that it writes.
    """
    from hilgate.bench.desk import Desk
    from hilgate.ci.benches.calibrate import run
    from hilgate.ci.benches.reading import read
    from hilgate.project import project_root

    root = project_root()
    typer.echo(run(root, cell, Desk(root, read, probe, port), loads).relative_to(root))


@app.command()
def undecided(
    folder: Annotated[Path, typer.Argument(help="Where a verdict should be.")],
    jobs: Annotated[str, typer.Option(help="How the jobs before ended.", envvar="HILGATE_JOBS")] = "success",
) -> None:
    """Write the verdict `inconclusive` where none was computed."""
    import os

    from hilgate.ci.steps import run_undecided

    typer.echo("\n".join(run_undecided(os.environ, folder, jobs == "success")))
