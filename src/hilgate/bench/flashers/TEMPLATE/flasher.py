"""Say here which program or protocol this is, which version was tried, and what it needs on the bench.

Copy this file to ../<name>.py; a board whose board.toml says `[probe] flasher = "<name>"` is then flashed by it.
Keys of [probe] that only this way needs are read here (see ../openocd.py). It must leave option bytes alone.
"""

from __future__ import annotations

import subprocess

from hilgate.bench.flashers import Job
from hilgate.errors import ProbeError


def flash(job: Job) -> None:
    """Erase what the image needs, write, verify by reading back, reset. Raises ProbeError with a hint what to do."""
    command = ["my-flasher", "--serial", job.probe.serial, "--verify", "--reset", str(job.image)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=job.timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProbeError(str(error), where=str(job.probe), hint="is it installed? is the cable good?") from error
    if done.returncode != 0:
        raise ProbeError(done.stderr.strip()[-300:], where=str(job.probe), hint="name the usual reasons one by one")
