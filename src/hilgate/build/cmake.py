"""CMake and Ninja: run them, and turn what they say into one clear error."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hilgate.errors import BuildError
from hilgate.tools import find_tool, has_pinned_compiler

# Compiler options by board.toml's `cpu`; -mthumb is in the toolchain file.
CPU_FLAGS = {"cortex_m4f": "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard"}
OPTIMIZE = ("O0", "O1", "O2", "O3", "Os", "Og")
TIMEOUT_S = 600
# What CMake and GCC would take from a person's environment: it must not decide what is in an image.
FOREIGN = re.compile(
    r"C(PP|XX)?FLAGS|LDFLAGS|ASMFLAGS|CC|CPATH|C_INCLUDE_PATH|LIBRARY_PATH|COMPILER_PATH|GCC_EXEC_PREFIX|CMAKE_.*|NINJA_.*"
    r"|DEPENDENCIES_OUTPUT|SUNPRO_DEPENDENCIES|LANGUAGE|LC_.*|LANG"
)


@dataclass(frozen=True)
class FirmwareProject:
    """What one image is made of. firmware, model, generated, board: folders; build: an empty folder for CMake."""

    firmware: Path
    model: Path
    generated: Path
    board: Path
    build: Path
    family: str
    cpu: str
    optimize: str


def build_elf(project: FirmwareProject) -> Path:
    """Compile and link. Returns the ELF, its hash slot still empty. Raises ToolMissingError, BuildError."""
    find_tool("arm-none-eabi-gcc")
    configure = [
        str(find_tool("cmake")),
        "-G",
        "Ninja",
        f"-DCMAKE_MAKE_PROGRAM={find_tool('ninja')}",
        f"-DCMAKE_TOOLCHAIN_FILE={project.firmware / 'cmake/arm-none-eabi.cmake'}",
        f"-DHILGATE_CPU_FLAGS={CPU_FLAGS[project.cpu]}",
        f"-DHILGATE_MODEL={project.model}",
        f"-DHILGATE_GENERATED={project.generated}",
        f"-DHILGATE_BOARD={project.board}",
        f"-DHILGATE_FAMILY={project.family}",
        f"-DHILGATE_OPTIMIZE={project.optimize}",
        f"-DHILGATE_WARNINGS_ARE_ERRORS={'ON' if has_pinned_compiler() else 'OFF'}",
        "-S",
        str(project.firmware),
        "-B",
        str(project.build),
    ]
    log = project.build.parent / "build.log"
    run_tool(configure, log)
    run_tool([str(find_tool("cmake")), "--build", str(project.build)], log)
    return project.build / "firmware.elf"


def run_tool(command: Sequence[str], log: Path) -> None:
    """Run a build tool; what it prints is added to `log`. Raises BuildError with the line that says what is wrong."""
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env=clean_environment()
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"took longer than {TIMEOUT_S} s", where=Path(command[0]).name) from error
    output = answer.stdout + answer.stderr
    with log.open("a", encoding="utf-8") as file:
        file.write(output)
    if answer.returncode != 0:
        raise BuildError(first_error(output), where=Path(command[0]).name, hint=f"the whole output is in {log}")


def clean_environment() -> dict[str, str]:
    """Today's environment without what would change a build; messages in English, since they are read."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    return {**kept, "LC_ALL": "C"}


def first_error(output: str) -> str:
    """The first line of a tool's output that says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in lines:
        if re.search(r"\berror\b|overflowed|undefined reference|multiple definition", line, re.IGNORECASE):
            return line[:400]
    return lines[-1][:400] if lines else "failed without a word"
