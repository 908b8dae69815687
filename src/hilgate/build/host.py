"""The model's C folder as a shared library of this computer: same sources, same outputs to the bit."""

from __future__ import annotations

from pathlib import Path

from hilgate.build.cmake import run_tool
from hilgate.tools import find_tool

FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")


def build_host_library(model: Path, out: Path) -> Path:
    """libmodel.so with model_check, model_run and model_profile. Raises ToolMissingError, BuildError."""
    out.parent.mkdir(parents=True, exist_ok=True)
    sources = [str(model / name) for name in ("model.c", "weights.c")]
    prefix = f"-ffile-prefix-map={model}=model"
    run_tool(
        [str(find_tool("gcc")), *FLAGS, prefix, "-Wl,--build-id=none", *sources, "-o", str(out)],
        out.with_name("build.log"),
    )
    return out
