"""The command line. A module `hilgate/commands/<name>.py` with a function `command` (or a Typer `app`) is a command.

Nothing is registered by hand and only the command that was asked for is imported: `hilgate --help` takes the first line
of every other command's docstring from its source text, so that help stays quick whatever a command imports.
"""

from __future__ import annotations

import ast
import os
import pkgutil
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import typer

from hilgate import __version__, commands, crash
from hilgate.errors import HilgateError
from hilgate.params import SECTIONS

COMPLETION_VARIABLE = "_HILGATE_COMPLETE"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0, the exit code of a HilgateError, 1 for a defect, 2 for usage, 130 for Ctrl-C."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        click_command = typer.main.get_command(application(words))
        click_command(words, prog_name="hilgate")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        told = error if isinstance(error, HilgateError) else crash.report(error)
        typer.echo(f"hilgate: {told}", err=True)
        raise SystemExit(told.exit_code) from None


def application(words: Sequence[str]) -> typer.Typer:
    """The Typer application in which the commands that `words` name are real and all others show only their summary."""
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback(help="Gate merges on what a neural network does on an STM32: accuracy, flash, RAM, latency.")(_options)
    for name in command_names():
        if name in words or COMPLETION_VARIABLE in os.environ:
            _register(app, name)
        else:
            app.command(name, help=summary(name))(_nothing)
    return app


def command_names() -> list[str]:
    """All commands: the rooms in the order of the arrow, then the others by name."""
    found = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    rooms = [name for name in SECTIONS if name in found]
    return rooms + sorted(found.difference(rooms))


def summary(name: str) -> str:
    """First sentence of the docstring of `command`, or of the module that holds an `app`, read without importing it."""
    tree = ast.parse((Path(commands.__path__[0]) / f"{name}.py").read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "command"]
    document = ast.get_docstring(functions[0] if functions else tree) or ""
    return document.partition("\n")[0].partition(". ")[0].rstrip(".") + "."


def _register(app: typer.Typer, name: str) -> None:
    module = import_module(f"hilgate.commands.{name}")
    if hasattr(module, "app"):
        app.add_typer(module.app, name=name, help=summary(name))
    else:
        function: Callable[..., object] = module.command
        app.command(name)(function)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hilgate {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True, callback=_print_version
    ),
) -> None:
    """Options of `hilgate` itself."""


def _nothing() -> None:
    """Stands for a command that is only listed."""


if __name__ == "__main__":
    main()
