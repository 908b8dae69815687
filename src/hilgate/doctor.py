"""What is installed, which version, what it is for, and what to do about what is missing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from hilgate import tools
from hilgate.project import find_root

PACKAGES = {  # extra of the hilgate package -> what it is for, and whether a user can go without
    "": ("compile, the virtual board, run and gate", True),
    "pipeline": ("DVC stages, export, quantize and plots", True),
    "train": ("training and export with PyTorch", True),
    "dev": ("hilgate's own tests", False),
}
OTHER_COMPILER = (
    f"not the pinned {tools.PINNED_ARM_GCC} (Debian 12, .github/container/Dockerfile): sizes and cycles may differ "
    "from the committed ones, and tests compare them with bounds"
)


@dataclass(frozen=True)
class Finding:
    """One line of `hilgate doctor`. state: ok, note (works, but read todo), missing, absent (missing, but optional)."""

    group: str
    name: str
    state: str
    version: str
    purpose: str
    todo: str = ""


def examine() -> list[Finding]:
    """Look at everything; changes nothing and needs no project."""
    return [*_interpreter(), *_project(), *_programs(), *_c_library(), *_newlib(), *_packages(), *_ports()]


def healthy(findings: list[Finding]) -> bool:
    """Whether nothing that the arrow needs is missing."""
    return not any(finding.state == "missing" for finding in findings)


def as_document(findings: list[Finding]) -> dict[str, object]:
    """The same for other programs."""
    return {"schema": "doctor", "version": 1, "healthy": healthy(findings), "findings": [asdict(f) for f in findings]}


def as_text(findings: list[Finding]) -> str:
    """The same for people: one block per group, what to do under what needs it."""
    lines: list[str] = []
    name_width = max(len(f.name) for f in findings)
    version_width = max(len(f.version) for f in findings)
    group = ""
    for finding in findings:
        if finding.group != group:
            group = finding.group
            lines += ["", group]
        row = f"  {finding.state:<8}{finding.name:<{name_width}}  {finding.version:<{version_width}}  {finding.purpose}"
        lines.append(row.rstrip())
        lines += [f"  {'':<8}-> {finding.todo}"] if finding.todo else []
    verdict = "everything that the arrow needs is here" if healthy(findings) else "something is missing: see the arrows"
    return "\n".join([*lines[1:], "", verdict])


def _interpreter() -> Iterator[Finding]:
    root = find_root()
    in_project = root is not None and Path(sys.prefix).resolve() == (root / ".venv").resolve()
    todo = "" if in_project else "not the project's .venv: `make setup` makes it, `. .venv/bin/activate` enters it"
    state = "ok" if in_project else "note"
    yield Finding("Python", "python", state, platform.python_version(), "runs hilgate", todo)


def _project() -> Iterator[Finding]:
    root = find_root()
    if root is None:
        todo = "change to a project made from the hilgate template; `hilgate compile` works without one"
        yield Finding("Python", "project", "note", "none", "the folder with params.yaml", todo)
    else:
        yield Finding("Python", "project", "ok", "", f"the folder with params.yaml: {root}")


def _programs() -> Iterator[Finding]:
    for tool in tools.TOOLS.values():
        if shutil.which(tool.program) is None:
            state = "absent" if tool.optional else "missing"
            todo = tools.install_line(tool) + (f" ({tool.optional})" if tool.optional else "")
            yield Finding("Programs", tool.program, state, "-", tool.purpose, todo)
            continue
        version = tools.tool_version(tool.program)
        state, purpose, todo = "ok", tool.purpose, ""
        if tool.program == "arm-none-eabi-gcc":
            purpose += " (this is the pinned version)" if tools.has_pinned_compiler() else ""
            state, todo = ("ok", "") if tools.has_pinned_compiler() else ("note", OTHER_COMPILER)
        if version == "unknown":
            state, todo = "note", f"`{tool.program} --version` says no version: is {shutil.which(tool.program)} whole?"
        yield Finding("Programs", tool.program, state, version, purpose, todo)


def _c_library() -> Iterator[Finding]:
    """The headers of this computer's C library: gcc's own package only recommends them."""
    if shutil.which("gcc") is None:
        return
    found = _says("gcc", "-E", "-x", "c", "-", source="#include <stdlib.h>\n") is not None
    todo = "" if found else "sudo apt-get install libc6-dev"
    purpose = "the C library's headers, for gcc"
    yield Finding("Programs", "libc", "ok" if found else "missing", "" if found else "-", purpose, todo)


def _newlib() -> Iterator[Finding]:
    """The C library of the firmware; its package is another one than the compiler's."""
    if shutil.which("arm-none-eabi-gcc") is None:
        return
    found = Path((_says("arm-none-eabi-gcc", "-print-file-name=nano.specs") or "").strip()).is_absolute()
    todo = "" if found else "sudo apt-get install libnewlib-arm-none-eabi"
    purpose = "the firmware's C library (memcpy, memset)"
    yield Finding("Programs", "newlib", "ok" if found else "missing", "" if found else "-", purpose, todo)


def _says(program: str, *arguments: str, source: str = "") -> str | None:
    """What a compiler prints; None where it refuses or cannot be started."""
    command = [shutil.which(program) or program, *arguments]
    try:
        answer = subprocess.run(command, input=source, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None


def _packages() -> Iterator[Finding]:
    wanted = _wanted_packages()
    for extra, (purpose, is_needed) in PACKAGES.items():
        names = wanted.get(extra, [])
        missing = [name for name in names if not _is_installed(name)]
        state = "ok" if not missing else "missing" if is_needed else "absent"
        target = "make setup" if find_root() else f'pip install "hilgate[{extra}]"' if extra else "pip install hilgate"
        todo = f"{', '.join(missing)}: {target}" if missing else ""
        count = f"{len(names) - len(missing)} of {len(names)}"
        yield Finding("Python packages", extra or "core", state, count, purpose, todo)


def _wanted_packages() -> dict[str, list[str]]:
    """Extra ("" for none) -> names of the distributions that hilgate's metadata asks for."""
    wanted: dict[str, list[str]] = {}
    for line in metadata.requires("hilgate") or []:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"extra == ['\"](\w+)['\"]", line)
        wanted.setdefault(extra.group(1) if extra else "", []).append(name.group(0) if name else line)
    return wanted


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _ports() -> Iterator[Finding]:
    """Serial ports of USB probes, and whether we may open them."""
    try:
        from serial.tools.list_ports import comports
    except ImportError:
        return
    ports = [port for port in sorted(comports()) if port.vid is not None]
    if not ports:
        yield Finding("Boards", "serial ports", "ok", "none", "no USB probe is attached; the virtual boards need none")
    for port in ports:
        may_open = os.access(port.device, os.R_OK | os.W_OK)
        todo = "" if may_open else "no permission: sudo usermod -aG dialout $USER, then log in again"
        version = f"{port.vid:04x}:{port.pid:04x}"
        yield Finding("Boards", port.device, "ok" if may_open else "note", version, port.description, todo)
