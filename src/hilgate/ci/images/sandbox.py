"""Run strangers' images in processes of their own: several at once, with time and output bounded, without secrets."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.errors import ClaimError, VirtualFault

if TYPE_CHECKING:
    import numpy as np

KEPT_VARIABLES = ("PATH", "HOME", "XDG_CACHE_HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
LONGEST_CELL_S = 1800  # of one cell, all its processes together
LARGEST_ANSWER_BYTES = 64 * 1024 * 1024
LEAST_SLICE = 256  # samples; below it another process costs more than it saves


@dataclass(frozen=True)
class Image:
    """What is to run: an admitted ELF, its board in the project `root`, the samples, and how the model is spoken to."""

    cell: str
    elf: Path
    board: str
    root: Path
    inputs: np.ndarray  # int8 (N, bytes)
    input: dict[str, int]
    output: dict[str, int]
    layers: int


def outputs_of(image: Image) -> tuple[bytes, dict[str, int]]:
    """Outputs of all samples, one after another, and what memory was used without being declared. Raises ClaimError."""
    count = len(image.inputs)
    workers = max(1, min(os.cpu_count() or 1, count // LEAST_SLICE))
    edges = [count * index // workers for index in range(workers + 1)]
    slices = [{"slice": [low, high]} for low, high in itertools.pairwise(edges)]
    with tempfile.TemporaryDirectory(prefix="hilgate-") as folder:
        outs = _run(image, slices, Path(folder))
        content = b"".join(_content(out / "outputs.bin") for out in outs)
        if len(content) != count * image.output["bytes"]:
            raise ClaimError(
                f"{len(content)} bytes of outputs, {count * image.output['bytes']} are due", where=image.cell
            )
        touched = [json.loads(_content(out / "touched.json")) for out in outs]
    return content, {kind: max(int(one[kind]) for one in touched) for kind in ("ram", "flash")}


def session_of(image: Image, plan: dict[str, Any]) -> dict[str, Any]:
    """What a session of the image said and what was counted meanwhile (emulate.py). Raises ClaimError."""
    with tempfile.TemporaryDirectory(prefix="hilgate-") as folder:
        (out,) = _run(image, [{"session": plan}], Path(folder))
        found: dict[str, Any] = json.loads(_content(out / "session.json"))
    return found


def _run(image: Image, jobs: list[dict[str, Any]], folder: Path) -> list[Path]:
    """All jobs at once; gives their folders in order. Raises ClaimError with the first that failed."""
    inputs = folder / "inputs.bin"
    inputs.write_bytes(image.inputs.tobytes())
    common = {
        "cell": image.cell,
        "elf": str(image.elf.resolve()),
        "board": image.board,
        "root": str(image.root.resolve()),
        "inputs": str(inputs),
        "input": image.input,
        "output": image.output,
        "layers": image.layers,
    }
    running, outs, deadline = [], [], time.monotonic() + LONGEST_CELL_S
    for number, job in enumerate(jobs):
        out = folder / str(number)
        out.mkdir()
        (out / "job.json").write_text(json.dumps({**common, **job, "out": str(out)}))
        running.append(_start(out))
        outs.append(out)
    try:
        for process, out in zip(running, outs, strict=True):
            _wait(process, out, deadline, image.cell)
    finally:
        for process in running:
            process.kill()
            process.wait()
    return outs


def _start(out: Path) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    command = [sys.executable, "-m", "hilgate.ci.images.emulate", str(out / "job.json")]
    log = (out / "log.txt").open("wb")
    with log:
        return subprocess.Popen(command, env=environment, cwd=out, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _wait(process: subprocess.Popen[bytes], out: Path, deadline: float, cell: str) -> None:
    try:
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise ClaimError(f"its image ran for more than {LONGEST_CELL_S} s", where=cell) from error
    if code == 3 and (out / "error.json").is_file():
        said = json.loads(_content(out / "error.json"))
        raise (VirtualFault if said["ours"] else ClaimError)(str(said["what"])[:1000], where=cell)
    if code != 0:
        lines = (out / "log.txt").read_bytes()[-2000:].decode("utf-8", "replace").strip().splitlines()
        raise ClaimError(f"the virtual board ended with {code}: {lines[-1][:300] if lines else 'no word'}", where=cell)


def _content(path: Path) -> bytes:
    if not path.is_file() or path.stat().st_size > LARGEST_ANSWER_BYTES:
        raise ClaimError("the virtual board left no answer, or too much of it", where=path.name)
    return path.read_bytes()
