"""External programs: what each is for, where it is, which version, and how to get it. Nothing else looks in PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hilgate.errors import ToolMissingError, UsageError

PINNED_ARM_GCC = "12.2.1 20221205"  # exact counts and sizes in tests hold for it; .github/container/Dockerfile has it


@dataclass(frozen=True)
class Tool:
    """One program. package: for apt-get; version: a pattern with one group; optional: what works without it."""

    program: str
    package: str
    purpose: str
    version: str = r"(\d+(?:\.\d+)+)"
    optional: str = ""


TOOLS = {
    tool.program: tool
    for tool in (
        Tool("git", "git", "reads the committed results that a change is compared with"),
        Tool("gcc", "gcc libc6-dev", "builds the model for this computer, to compare with the board to the bit"),
        Tool(
            "arm-none-eabi-gcc",
            "gcc-arm-none-eabi libnewlib-arm-none-eabi",
            "builds the firmware",
            version=r"\) (\d+\.\d+\.\d+ \d{8}|\d+\.\d+\.\d+)",
        ),
        Tool("cmake", "cmake", "configures the firmware build"),
        Tool("ninja", "ninja-build", "runs the firmware build"),
        Tool(
            "qemu-system-arm",
            "qemu-system-arm",
            "the independent referee of the virtual board",
            optional="only the referee tests and the board qemu_stm32f405's QEMU run need it",
        ),
        Tool(
            "npm",
            "npm",
            "fetches a data set from a registry when its own host does not answer",
            optional="not needed where the data set's host answers, or when it is in the cache",
        ),
        Tool(
            "openocd",
            "openocd",
            "flashes a real board",
            optional="only needed with a board on the desk",
        ),
    )
}


def find_tool(program: str) -> Path:
    """Absolute path of a program of TOOLS. Raises ToolMissingError that says what to install."""
    path = shutil.which(program)
    if path is None:
        tool = TOOLS[program]
        hint = f"it {tool.purpose}; get it with `{install_line(tool)}`"
        raise ToolMissingError("this program is not installed", where=program, hint=hint)
    return Path(path)


def run_git(
    folder: Path, *arguments: str, give: bytes = b"", env: Mapping[str, str] | None = None, timeout_s: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """git in a folder, whatever it answers: no hook or monitor of the repository runs, and nobody is asked anything.

    give: its standard input; env: on top of ours. Raises UsageError: it took longer than `timeout_s`.
    """
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
    command = [str(find_tool("git")), *quiet, *arguments]
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(env or {})}
    try:
        return subprocess.run(
            command, cwd=folder, input=give, capture_output=True, timeout=timeout_s, check=False, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git {arguments[0]} took more than {timeout_s:g} s", where=str(folder)) from error


def install_line(tool: Tool) -> str:
    """The command that installs it on Debian and Ubuntu."""
    return f"sudo apt-get install {tool.package}"


@cache
def tool_version(program: str) -> str:
    """What `program --version` says, such as `12.2.1 20221205`, or "unknown". Raises ToolMissingError."""
    command = [str(find_tool(program)), "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    found = re.search(TOOLS[program].version, answer.stdout + answer.stderr)
    return found.group(1) if found else "unknown"


def has_pinned_compiler() -> bool:
    """Whether exact sizes and cycle counts can be expected: arm-none-eabi-gcc is the pinned one."""
    return shutil.which("arm-none-eabi-gcc") is not None and tool_version("arm-none-eabi-gcc") == PINNED_ARM_GCC
