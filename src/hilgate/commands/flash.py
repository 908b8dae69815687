"""`hilgate flash IMAGE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    image: Annotated[Path, typer.Argument(help="The ELF, such as artifacts/build/<cell>/firmware.elf.")],
    board: Annotated[str, typer.Option(help="A board of firmware/boards, such as nucleo_f446re.")],
    probe: Annotated[
        str | None, typer.Option(help="The probe's serial number; needed when several are attached.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds until it gives up.", min=1.0)] = 180.0,
) -> None:
    """Flash a real board through its debug probe. Checks the chip first, verifies what was written, resets."""
    from hilgate.bench.flash import flash_image
    from hilgate.project import project_root

    done = flash_image(image, board, project_root(), probe=probe, timeout_s=timeout)
    port = f"; next: hilgate run CELL --on {done.probe.port}" if done.probe.port else ""
    typer.echo(
        f"{done.board}: {done.flash_bytes} B written and verified by {done.probe.serial} in {done.seconds:.1f} s{port}"
    )
