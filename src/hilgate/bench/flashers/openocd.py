"""OpenOCD 0.12 with an ST-LINK: the probe by its serial number; chip and read-out protection checked before a write.

No board has been on our desk: the command and openocd.tcl run on the real OpenOCD in tests/bench, up to where a probe
would answer; texts marked [source] below are OpenOCD 0.12.0's own, from its source code, not seen on hardware.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from hilgate.bench.flashers import Job, probe_facts
from hilgate.bench.probes import SERIAL
from hilgate.catalogue import Board
from hilgate.errors import ParamsError, ProbeError
from hilgate.tools import find_tool

UDEV = "give your user the probe: ST's udev rules (package stlink-tools), then unplug it and plug it in again"
WIRES = "is the board powered, and are the jumpers between ST-LINK and chip set?"
UNLOCK = "only its owner should lift that: it erases the whole flash (STM32CubeProgrammer, option bytes, RDP)"
# What OpenOCD says -> what it means, what to do. The first that is found counts; {0} is the pattern's group.
REASONS = [
    (r"hilgate: device: (.*)", "the chip behind this probe is another one: device id {0}", "is it the right probe?"),
    (r"hilgate: locked: (.*)", "the chip is read-out protected (RDP byte {0})", UNLOCK),
    (r"(?:stm32x|\bis) device protected|device protected", "the chip is read-out protected", UNLOCK),  # [source]
    (r"LIBUSB_ERROR_ACCESS|Permission denied", "no permission to use this probe", UDEV),  # [source]
    (
        r"LIBUSB_ERROR_BUSY|already used",
        "another program uses this probe",
        "end it (gdb, CubeIDE, openocd)",
    ),  # [source]
    (r"Can't find (\S+)", "this OpenOCD has no file {0}", "install OpenOCD 0.12, or correct [probe] in board.toml"),
    (r"invalid command name \"(\S+)\"", "this OpenOCD is too old: it lacks {0}", "install 0.12 or later"),
    (r"doesn't support '(\w+)' transport", "this OpenOCD lacks the transport {0}", "install 0.12 or later"),
    (r"UNEXPECTED idcode: (\S+)", "another kind of core answers: IDCODE {0}", "is it the right probe?"),  # [source]
    (r"Cannot identify target as (.*)", "the chip is not {0}", "is it the right probe?"),  # [source]
    (r"target voltage may be too low", "the board has no power", WIRES),  # [source]
    (r"init mode failed|examination failed", "the probe reaches no chip", WIRES),  # [source]
    (r"Error: open failed", "the probe does not open: it went away, or another program holds it", "plug it in again"),
    (r"flash memory write protected|WRPERR", "flash sectors are write protected (option bytes)", UNLOCK),  # [source]
    (r"hilgate: verify", "what was read back is not what was written", "try again; then suspect cable or flash"),
    (r"hilgate: write: (.*)", "writing failed: {0}", "try again; then suspect power or flash"),
    (r"hilgate: (?:halt|examine|reset): (.*)", "the chip does not obey: {0}", WIRES),
]


@dataclass(frozen=True)
class Facts:
    """[probe] of board.toml. device: DBGMCU_IDCODE's address, its low 12 bits; rdp: option register, bit position."""

    target: str
    device_address: int
    device_id: int
    rdp_address: int
    rdp_shift: int
    reset: str = "srst_only"


def facts_of(board: Board) -> Facts:
    """Read and check, because they become commands. Raises ProbeError, ParamsError."""
    table = {key: value for key, value in probe_facts(board).items() if key != "flasher"}
    where = f"{board.folder / 'board.toml'}: [probe]"
    try:
        facts = Facts(**table)
    except TypeError as error:
        names = ", ".join(Facts.__dataclass_fields__)
        raise ParamsError(f"unknown or missing key: {error}", where=where, hint=f"keys: flasher, {names}") from error
    if not re.fullmatch(r"target/[\w-]+\.cfg", str(facts.target), re.ASCII):
        raise ParamsError(f"target is {facts.target!r}", where=where, hint="such as target/stm32f4x.cfg of OpenOCD")
    if not re.fullmatch(r"[a-z_]+( [a-z_]+)*", str(facts.reset), re.ASCII):
        raise ParamsError(f"reset is {facts.reset!r}", where=where, hint="words of OpenOCD's reset_config")
    numbers = (facts.device_address, facts.device_id, facts.rdp_address, facts.rdp_shift)
    if not all(type(number) is int and 0 <= number < 1 << 32 for number in numbers):
        raise ParamsError(f"addresses and ids must be numbers of 32 bits: {numbers}", where=where)
    return facts


def command(openocd: Path, facts: Facts, serial: str) -> list[str]:
    """The whole command line; the working directory holds firmware.elf and openocd.tcl. No port is opened."""
    if not SERIAL.fullmatch(serial):
        raise ProbeError("a probe's serial number has letters and digits only", where=repr(serial))
    sets = {
        "IMAGE": "firmware.elf",
        "DEVICE_ADDRESS": f"{facts.device_address:#x}",
        "DEVICE_ID": f"{facts.device_id:#x}",
        "RDP_ADDRESS": f"{facts.rdp_address:#x}",
        "RDP_SHIFT": str(facts.rdp_shift),
    }
    words = [
        str(openocd),
        "-f",
        "interface/stlink.cfg",
        "-c",
        f"adapter serial {serial}",
        "-c",
        "transport select hla_swd",
    ]
    words += ["-f", facts.target, "-c", f"reset_config {facts.reset}"]
    words += ["-c", "gdb_port disabled", "-c", "tcl_port disabled", "-c", "telnet_port disabled"]
    words += [word for name, value in sets.items() for word in ("-c", f"set {name} {value}")]
    return [*words, "-f", "openocd.tcl", "-c", "flash_image"]


def flash(job: Job) -> None:
    """Write the image, verify it, reset the chip. Raises ProbeError, ToolMissingError, ParamsError."""
    facts = facts_of(job.board)
    openocd = find_tool("openocd")
    with tempfile.TemporaryDirectory(prefix="hilgate-flash-") as folder:
        shutil.copyfile(job.image, Path(folder) / "firmware.elf")  # a fixed name, which no Tcl has to quote
        script = resources.files("hilgate").joinpath("bench/flashers/openocd.tcl").read_bytes()
        (Path(folder) / "openocd.tcl").write_bytes(script)
        code, said = run_bounded(command(openocd, facts, job.probe.serial), Path(folder), job)
    if code != 0 or "hilgate: done" not in said:
        raise reason(said, f"{job.board.name} behind probe {job.probe}")


def run_bounded(words: list[str], folder: Path, job: Job) -> tuple[int, str]:
    """Exit code and everything said. The whole process group ends at the time-out. Raises ProbeError."""
    with subprocess.Popen(
        words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True, encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        try:
            said, _ = process.communicate(timeout=job.timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            what = f"OpenOCD had not finished after {job.timeout_s:.0f} s"
            raise ProbeError(what, where=str(job.probe), hint="unplug the probe and plug it in again") from None
    return process.returncode, said


def reason(said: str, where: str) -> ProbeError:
    """What OpenOCD's words mean."""
    for pattern, what, hint in REASONS:
        if found := re.search(pattern, said):
            return ProbeError(what.format(*(_tame(group) for group in found.groups())), where=where, hint=hint)
    last = (
        [line for line in said.splitlines() if line.startswith("Error")][-1:] or said.splitlines()[-1:] or ["nothing"]
    )
    return ProbeError(f"OpenOCD failed: {_tame(last[0])}", where=where, hint="its manual explains the message")


def _tame(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text.strip()[:120])
