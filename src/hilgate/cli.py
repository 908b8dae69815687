"""The command line. A module `hilgate/commands/<name>.py` with a function `command` (or a Typer `app`) is a command.

Nothing is registered by hand and only the command that was asked for is imported: `hilgate --help` takes the first line
of every other command's docstring from its source text, so that help stays quick whatever a command imports.
"""

from __future__ import annotations

import ast
import io
import os
import pkgutil
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TextIO

import typer

from hilgate import __version__, commands, crash
from hilgate.errors import HilgateError
from hilgate.params import SECTIONS

STOPPED, UNREAD, TERMINATED = 130, 141, 143  # Ctrl-C; nobody read the output to its end; SIGTERM
EPILOG = "Exit codes: 0 done, 1 a defect of hilgate, 2 usage, 10 to 12 a verdict; all others: docs/exit-codes.md."
COMPLETION_VARIABLE = "_HILGATE_COMPLETE"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0, the exit code of a HilgateError or of a verdict, 1 for a defect, 2 for usage.

    And as shells count signals: STOPPED, UNREAD, TERMINATED.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
    except KeyboardInterrupt:
        code = STOPPED
    except BrokenPipeError:  # by what was still to be written at the end
        code = UNREAD
    except Exception as error:
        told = error if isinstance(error, HilgateError) else crash.report(error)
        typer.echo(f"hilgate: {told}", err=True)
        code = told.exit_code
    raise SystemExit(code)


def _run(words: list[str]) -> int:
    """How Typer ends, with what it printed really written."""
    output = sys.stdout
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(errors="replace")  # a terminal without µ gets a question mark
    with suppress(ValueError):  # only a main thread may
        signal.signal(signal.SIGTERM, _terminate)
    try:
        typer.main.get_command(application(words))(words, prog_name="hilgate")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer and Rich call that 1
            return UNREAD
        _flush(output)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BrokenPipeError:
        return UNREAD
    return 0


def _flush(output: TextIO | None) -> None:
    """Now, while there is somebody to tell about a full disk; at Python's own exit there is not."""
    try:
        if output is not None:  # closed by whoever started us
            output.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # takes what is left, in silence
        raise


def _terminate(*_: object) -> None:
    """SIGTERM: leave like any other exit, so that temporary folders go and child processes end."""
    raise SystemExit(TERMINATED)


def application(words: Sequence[str]) -> typer.Typer:
    """The Typer application in which the commands that `words` name are real and all others show only their summary."""
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, epilog=EPILOG)
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
