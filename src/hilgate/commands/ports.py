"""`hilgate ports`."""

from __future__ import annotations

import typer

from hilgate.console import say


def command() -> None:
    """List serial ports and the probes behind them."""
    from hilgate.link.ports import attached_ports

    ports = attached_ports()
    for port in ports:
        probe = f"{port.probe} {port.serial_number}".strip() or "-"
        typer.echo(f"{port.device}\t{probe}\t{port.description}")
    if not ports:
        say("no serial port is attached; without a board use virtual://<board>?image=<elf>")
