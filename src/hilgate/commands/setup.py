"""Settings that hilgate needs of a repository on GitHub."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def setup() -> None:
    """Settings that hilgate needs of a repository on GitHub."""


@app.command()
def github(  # noqa: PLR0913, PLR0917  (an option each)
    check: Annotated[bool, typer.Option("--check", help="Only look; change nothing.")] = False,
    repo: Annotated[
        str, typer.Option(help="owner/name. Default: GITHUB_REPOSITORY, or where this clone is from.")
    ] = "",
    app_name: Annotated[str, typer.Option("--app", help="The GitHub App that posts the check, by its name.")] = "",
    app_client_id: Annotated[str, typer.Option(help="Its client id: becomes HILGATE_APP_CLIENT_ID.")] = "",
    reviewer: Annotated[list[str] | None, typer.Option(help="Who may let forks onto the bench. Default: you.")] = None,
    pages: Annotated[bool, typer.Option("--pages", help="Publish the trend page, for everybody to read.")] = False,
) -> None:
    """Create or verify what hilgate needs on GitHub.

    That is labels, environments, ruleset, variables and Pages; it says what only a person can click.

    Needs an administrator's token in GITHUB_TOKEN: GITHUB_TOKEN=$(gh auth token) hilgate setup github.
    Exit codes: 0 nothing is missing, 30 something is, or GitHub refused.
    """
    import os

    from hilgate.ci.writing import run_setup
    from hilgate.github.settings.setting import Wanted

    run_setup(os.environ, repo, Wanted(app_name, app_client_id, tuple(reviewer or ()), pages), check)
