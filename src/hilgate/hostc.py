"""C for this computer, and the build tools that make it: the model as a shared library, errors in one line."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hilgate.errors import BuildError
from hilgate.tools import find_tool

WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow")
TIMEOUT_S = 600
# What CMake and GCC would take from a person's environment: it must not decide what is in an image.
FOREIGN = re.compile(
    r"C(PP|XX)?FLAGS|LDFLAGS|ASMFLAGS|CC|CPATH|C_INCLUDE_PATH|LIBRARY_PATH|COMPILER_PATH|GCC_EXEC_PREFIX|CMAKE_.*|NINJA_.*"
    r"|DEPENDENCIES_OUTPUT|SUNPRO_DEPENDENCIES|LANGUAGE|LC_.*|LANG"
)


def build_host_library(model: Path, out: Path) -> Path:
    """libmodel.so with model_check, model_run and model_profile. Raises ToolMissingError, BuildError.

    It is nobody's artifact: its bytes depend on this computer's compiler, so it is made where it is used.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    sources = [str(model / name) for name in ("model.c", "weights.c")]
    options = [*WARNINGS, "-O2", "-fPIC", "-shared", f"-ffile-prefix-map={model}=model", "-Wl,--build-id=none"]
    run_tool([str(find_tool("gcc")), *options, *sources, "-o", str(out)], out.with_name("build.log"))
    return out


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
