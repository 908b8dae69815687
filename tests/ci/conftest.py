"""A product in a repository of its own: the digits network on one board, built once, with 300 made-up test images."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from hilgate.arrays import fingerprint, read_npz, write_npz
from hilgate.artifacts import artifact, write_json
from hilgate.build.build import execute as build
from hilgate.ci.claims.pack import PackOptions, pack
from hilgate.ci.judging.context import Asked
from hilgate.ci.judging.recompute import recompute
from hilgate.compile.compile import execute as compile_task
from hilgate.gate.verdict import Verdict
from hilgate.params import load_params
from hilgate.run.run import execute as run

CELL, TASK, BOARD = "digits_nucleo_f446re", "digits", "nucleo_f446re"
SAMPLES, WRONG = 300, 6
PARAMS = {
    "cells": {CELL: {"task": TASK, "board": BOARD}},
    "data": {TASK: {"validation": 100}},
    "train": {TASK: {"layers": [784, 128, 128, 10], "seed": 1}},
    "export": {TASK: {"opset": 20, "golden": 64}},
    "quantize": {TASK: {"calibration": 64, "method": "minmax", "max_drop": 0.01}},
    "compile": {TASK: {"optimize": "speed", "updatable": True}},
    "build": {BOARD: {"optimize": "O2"}},
    "run": {TASK: {"vectors": 12, "warmup": 1, "runs": 5}},
    "gate": {
        CELL: {
            "accuracy": {"min": 0.9, "worse_warn": 0.001, "worse_fail": 0.003},
            "flash_bytes": {"max": 180000, "worse_warn": "0.5%", "worse_fail": "2%"},
            "ram_bytes": {"max": 32768, "worse_warn": "0.5%", "worse_fail": "2%"},
            "latency_us": {"max": 2500, "worse_warn": "1%", "worse_fail": "3%"},
        }
    },
}
IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Repository:
    """A clone, and the folder that main's own build packed."""

    root: Path
    base: Path

    def git(self, *words: str) -> str:
        command = ["git", *IDENTITY, *words]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, message: str = "change") -> str:
        """Everything that git would take; gives the SHA."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def change(self, edit: Callable[[dict], None]) -> str:
        """Commit another params.yaml."""
        path = self.root / "params.yaml"
        content = yaml.safe_load(path.read_text())
        edit(content)
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return self.commit("params")

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def pack(self, out: Path, **options) -> Path:
        pack(self.root, out, PackOptions(**{"base": "main", "repository": "o/r", **options}))
        return out

    def judge(self, claim: Path | None, out: Path, *, base: Path | None = None, **asked) -> Verdict:
        """As the trusted job does: in a checkout of main, which has the head as git objects only."""
        head = self.git("rev-parse", "HEAD")
        trusted = out.with_name(f"{out.name}-main")
        shutil.copytree(self.root, trusted, symlinks=True)
        Repository(trusted, self.base).git("checkout", "--quiet", "--force", "main")
        known = {"head_sha": head, "repository": "o/r", "event": "pull_request", "pull_request": 7, **asked}
        return recompute(trusted, claim, base or self.base, out, Asked(**known))


@pytest.fixture(scope="session")
def product(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Made once: read it, or take `repository`."""
    folder = tmp_path_factory.mktemp("ci") / "product"
    for name in ("firmware", "src/tasks/digits"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "src/tasks/__init__.py").touch()
    for name in ("dvc.yaml", ".gitignore", "artifacts/.gitignore", "artifacts/quantize/digits/model.onnx"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, folder / name)
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    (folder / "artifacts/train/digits").mkdir(parents=True)
    (folder / "artifacts/train/digits/weights.safetensors").write_text("weights")
    _make_data(folder)
    params = load_params(folder)
    build(CELL, params, folder)
    run(CELL, params, folder)
    repository = Repository(folder, folder.with_name("base"))
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.commit("First")
    repository.pack(repository.base, base=None, event="push")
    return repository


def _make_data(folder: Path) -> None:
    """Noise, labelled by what the network itself says, but for the first few, which it gets wrong."""
    params = load_params(folder)
    x = np.random.default_rng(5).integers(0, 256, (SAMPLES, 28, 28), dtype=np.uint8)
    y = np.zeros(SAMPLES, np.uint8)
    for again in (True, False):
        write_npz(artifact(folder, "data.test", TASK), {"x": x, "y": y})
        one = {"n": SAMPLES, "x_shape": [28, 28], "x_type": "uint8", "y_shape": [], "y_type": "uint8"}
        split = {**one, "sha256": fingerprint(x, y)}
        facts = {"task": TASK, "files": {}, "splits": dict.fromkeys(("train", "validation", "test"), split)}
        write_json(artifact(folder, "data.facts", TASK), "facts", facts)
        compile_task(TASK, params, folder)
        if again:
            said = read_npz(artifact(folder, "compile.vectors", TASK), ("expected",))["expected"].argmax(axis=1)
            y = said.astype(np.uint8)
            y[:WRONG] = (y[:WRONG] + 1) % 10


@pytest.fixture
def repository(product: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A copy on a branch `change`, which the test may spoil; it is the current folder."""
    folder = tmp_path / "product"
    shutil.copytree(product.root, folder, symlinks=True)
    monkeypatch.chdir(folder)
    mine = Repository(folder, product.base)
    mine.git("checkout", "--quiet", "-b", "change")
    return mine


@pytest.fixture(scope="session")
def liar(product: Repository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree whose firmware halves the cycles that it reports, and works in RAM that it does not declare."""
    folder = tmp_path_factory.mktemp("liar") / "product"
    shutil.copytree(product.root, folder, symlinks=True)
    source = folder / "firmware/src/runner.c"
    text = source.read_text()
    assert text.count("return cycles;") == 1, "runner.c reads otherwise now; let this fixture change it again"
    hidden = "for (uint32_t i = 0; i < 1024u; i++) ((volatile uint32_t *)0x2001e000u)[i] = ~cycles;\n"
    source.write_text(text.replace("return cycles;", f"{hidden}    return cycles / 2u;"))
    build(CELL, load_params(folder), folder)
    return folder


@pytest.fixture(scope="session")
def image(product: Repository) -> Path:
    """An honest ELF: copy it."""
    return artifact(product.root, "build.elf", CELL)


@pytest.fixture
def claim(product: Repository, tmp_path: Path) -> Path:
    """A whole claim, which the test may spoil."""
    return Path(shutil.copytree(product.base, tmp_path / "claim"))
