"""The firmware for this computer: a program that speaks the protocol, for tests and campaigns."""

from __future__ import annotations

from pathlib import Path

from hilgate.hostc import WARNINGS, run_tool
from hilgate.tools import find_tool


def build_host_firmware(model: Path, firmware: Path, out: Path, *, sanitize: bool = False) -> Path:
    """The firmware's portable part around `model` as a program of this computer; `sanitize`: with ASan and UBSan.

    It speaks the protocol on stdin and stdout, on a terminal given as its argument, or with --pty on a pseudo-terminal
    whose name it prints. Raises ToolMissingError, BuildError.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    folders = (firmware / "src", firmware / "port" / "host")
    sources = [str(path) for folder in folders for path in sorted(folder.glob("*.c"))]
    sources += [str(model / name) for name in ("model.c", "weights.c")]
    includes = [f"-I{folder}" for folder in (*folders, model)]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"] if sanitize else []
    options = [*WARNINGS, "-Werror", "-O1", "-g", *sanitizers, *includes]
    run_tool([str(find_tool("gcc")), *options, *sources, "-o", str(out)], out.with_name("build.log"))
    return out
