"""An operator started with `hilgate new op` is whole: known to the compiler, and its case runs in C at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hilgate.scaffold import create

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from hilgate.compile import emit, ops
from hilgate.compile.cases import cases_of, graph_of
from hilgate.compile.compile import allocate
from hilgate.compile.options import Options

assert "backwards" in ops.operators()
(case,) = cases_of("backwards")
for name, content in emit.files(allocate(graph_of(case), Options(), "0" * 64)).items():
    path = Path(sys.argv[1]) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
"""


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A copy of the engine with a new operator in it."""
    for name in ("params.yaml", "src/hilgate"):
        source, target = root / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    create("op", "backwards", tmp_path)
    return tmp_path


def test_the_new_operator_compiles_and_equals_its_reference(project: Path, tmp_path: Path, warnings_flags) -> None:
    folder = tmp_path / "c"
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(folder)]
    subprocess.run(command, check=True, env={"PYTHONPATH": str(project / "src"), "PATH": "/usr/bin:/bin"})
    sources = [str(folder / name) for name in ("example/main.c", "model.c", "weights.c")]
    subprocess.run(["gcc", *warnings_flags, "-I", str(folder), "-o", str(tmp_path / "example"), *sources], check=True)
    assert subprocess.run([str(tmp_path / "example")], check=False).returncode == 0
    assert "backwards_s8(" in (folder / "model.c").read_text()
