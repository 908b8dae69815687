"""The real task digits in a fresh clone: it gives what is committed, and QEMU agrees.

Soak, because it fetches MNIST and streams 500 images three times.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hilgate.artifacts import artifact, read_json
from hilgate.tools import has_pinned_compiler

pytestmark = [pytest.mark.soak, pytest.mark.arm, pytest.mark.qemu]
NUCLEO, QEMU = "digits_nucleo_f446re", "digits_qemu_stm32f405"
RUNS = (f"run@{NUCLEO}", f"run@{QEMU}")


@pytest.fixture(scope="module")
def clone(root, repository_at, tmp_path_factory):
    """A fresh clone of the last commit after `dvc repro` of the cells of digits, and the stages that ran."""
    folder = tmp_path_factory.mktemp("referee") / "clone"
    subprocess.run(["git", "clone", "--quiet", str(root), str(folder)], check=True)
    repository = repository_at(folder)
    lines = repository.run("dvc", "repro", *RUNS, **own_source(folder)).splitlines()
    return repository, [line.split("'")[1] for line in lines if line.startswith("Running stage")]


def own_source(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(folder / "src")}


def test_a_fresh_clone_trains_nothing_and_gives_the_committed_lock(clone):
    """What is not in git is made again; what is in git stays, and so does the lock, measured once more.

    With another compiler than the pinned one images, sizes and cycles are others: then only the stages are compared.
    """
    repository, ran = clone
    made = {"data@digits", "compile@digits", f"build@{NUCLEO}", f"build@{QEMU}"}
    assert set(ran) == (made if has_pinned_compiler() else made.union(RUNS))
    repository.run("dvc", "repro", "--force", "--single-item", *RUNS, **own_source(repository.folder))
    assert not has_pinned_compiler() or repository.dirt() == ""


def test_the_whole_session_passes_on_qemu(clone):
    """500 images over a TCP serial port to a machine that others wrote: every output equal, no frame lost."""
    repository, _ = clone
    repository.run("hilgate", "run", QEMU, "--on", "qemu://netduinoplus2", **own_source(repository.folder))
    path = artifact(repository.folder, "run.measurement", QEMU).parent / "predicted" / "qemu_netduinoplus2.json"
    found = read_json(path, "measurement")
    virtual = read_json(artifact(repository.folder, "run.measurement", QEMU), "measurement")
    assert found["parity"] == {"vectors": 500, "mismatches": 0, "first_layer": None}
    assert found["latency"] is None  # that machine has no cycle counter, and nobody invents one
    assert {name: found[name] for name in ("accuracy", "flash", "hashes")} == {
        name: virtual[name] for name in ("accuracy", "flash", "hashes")
    }
    link = read_json(path.with_name(f"{path.stem}.provenance.json"), "provenance")["link"]
    assert link["sent"] == link["received"] > 500
    assert [link[name] for name in ("lost", "retried", "damaged", "resyncs", "stray")] == [0] * 5
