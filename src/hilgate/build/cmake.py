"""CMake and Ninja: run them, and turn what they say into one clear error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgate.errors import BuildError
from hilgate.hostc import run_tool
from hilgate.tools import find_tool, has_pinned_compiler

# Compiler options by board.toml's `cpu`; -mthumb is in the toolchain file.
CPU_FLAGS = {
    "cortex_m4f": "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard",
    "cortex_m7": "-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard",
}
UNTAKEABLE = ';$[]"\\|\n'  # in a path: CMake's lists, variables and patterns, Ninja's rules
OPTIMIZE = ("O0", "O1", "O2", "O3", "Os", "Og")


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
    for path in (project.firmware, project.model, project.generated, project.board, project.build):
        if refused := sorted(set(UNTAKEABLE) & set(str(path))):
            hint = f"move the project to a folder without any of {' '.join(UNTAKEABLE.strip())}"
            raise BuildError(f"CMake cannot take a path with {' '.join(refused)} in it", where=str(path), hint=hint)
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
