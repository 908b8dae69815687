"""Turns firmware/protocol.toml into the C header, the Python codec and PROTOCOL.md.

`python -m hilgate.link.codegen` writes the three files; `--check` only says whether they are what it would write.
"""

from __future__ import annotations

from pathlib import Path

from hilgate.link.codegen import document, header, python
from hilgate.link.codegen.spec import load_spec

SOURCE = "firmware/protocol.toml"


def generate(root: Path) -> dict[Path, str]:
    """Path and content of every generated file of the project at `root`. Raises ParamsError."""
    spec = load_spec(root / SOURCE)
    return {
        root / "firmware/src/protocol.h": header.render(spec),
        root / "src/hilgate/link/protocol.py": python.render(spec),
        root / "firmware/PROTOCOL.md": document.render(spec),
    }


def stale(root: Path) -> list[Path]:
    """The generated files whose content on disk differs from what protocol.toml says."""
    return [path for path, text in generate(root).items() if not path.is_file() or path.read_text("utf-8") != text]
