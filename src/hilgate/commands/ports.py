"""`hilgate ports`."""

from __future__ import annotations

import typer

from hilgate.console import say


def command() -> None:
    """List serial ports and the probes behind them."""
    from hilgate.bench.probes import attached_probes
    from hilgate.link.ports import attached_ports

    ports = attached_ports()
    for port in ports:
        probe = f"{port.probe} {port.serial_number}".strip() or "-"
        typer.echo(f"{port.device}\t{probe}\t{port.description}")
    for alone in (probe for probe in attached_probes() if not probe.port):
        typer.echo(f"-\t{alone.kind} {alone.serial}\tdebug probe without a serial port")
    if not ports:
        say("no serial port is attached; without a board use virtual://<board>?image=<elf>")
