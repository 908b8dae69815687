"""Layers of random shapes, windows, paddings and quantizations: reference, host C under sanitizers, and the virtual
Cortex-M4 with DSP, M3 and M0 agree to the bit. The soak run tries many more.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hilgate.compile import ops
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.verify import verify_lowered

SEEDS = (*range(4), 110, 124, 158)  # the last three showed calls that GCC 12 drops (HILGATE_CALLED, arithmetic.h)
MANY = range(100, 400)
CORES = ("cortex-m4", "cortex-m3", "cortex-m0")
VECTORS = 4


@pytest.fixture(scope="module")
def bundle(make_bundle, random_layers):
    return make_bundle([random_layers(seed) for seed in SEEDS])


def check(bundle, index: int, run) -> None:
    graph = bundle.built[index].graph
    verify_lowered(graph, float_edges=True)
    inputs = random_inputs(graph, VECTORS, seed=index)
    for name, mine, wanted in zip(graph.outputs, run(index, inputs), run_reference(graph, inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted, err_msg=f"{graph.name}: {graph.producer(name).op}")


def test_every_operator_is_drawn(drawn_kinds) -> None:
    assert drawn_kinds == set(ops.operators()), "tests/compile/shapes/conftest.py draws layers of each operator"


def test_layers_are_alive(random_layers) -> None:
    """Outputs that hardly ever change would show nothing."""
    few, total = 0, 0
    for seed in SEEDS:
        graph = random_layers(seed)
        for array in run_reference(graph, random_inputs(graph, 20, seed=1)):
            total += 1
            few += len(np.unique(array)) < 3
    assert few < total / 10


@pytest.mark.parametrize("index", range(len(SEEDS)))
def test_host_equals_reference(index: int, bundle) -> None:
    check(bundle, index, bundle.host)


@pytest.mark.arm
@pytest.mark.parametrize("cpu", CORES)
@pytest.mark.parametrize("index", range(len(SEEDS)))
def test_core_equals_reference(index: int, cpu: str, bundle) -> None:
    check(bundle, index, lambda i, inputs: bundle.core(cpu, i, inputs))


@pytest.mark.arm
@pytest.mark.parametrize("cpu", ["cortex-m4", "cortex-m3"])
def test_nothing_that_writes_counts_as_pure(cpu: str, bundle, tmp_path: Path) -> None:
    """GCC drops calls of functions that it finds pure and whose result nobody needs; its own reports name them."""
    for index, seed in enumerate(SEEDS):
        if seed < MANY.start:
            continue
        source = bundle.folder / f"case_{index}.c"
        dumps = ["-fdump-tree-local-pure-const-details", "-fdump-ipa-pure-const-details"]
        command = ["arm-none-eabi-gcc", f"-mcpu={cpu}", "-mthumb", "-O2", "-std=c11", *dumps, "-c", str(source)]
        subprocess.run([*command, "-o", str(tmp_path / f"{index}.o")], check=True, cwd=tmp_path)
    said = "".join(path.read_text() for path in tmp_path.iterdir() if "pure-const" in path.name)
    pure = set(re.findall(r"Function found to be (?:looping )?(?:pure|const): (\w+)", said))
    writing = set()
    for path in bundle.folder.glob("case_*/*.[ch]"):
        writing |= set(re.findall(r"\bvoid (\w+)\(", path.read_text()))
    assert {"hilgate_requantize", "hilgate_clamp"} <= pure, "the reports are read right"
    assert {"layer_0", "bytes_copy", "lookup_s8"} <= writing
    assert not pure & writing


@pytest.mark.soak
@pytest.mark.arm
@pytest.mark.parametrize("first", range(MANY.start, MANY.stop, 20))
def test_many_shapes(first: int, make_bundle, random_layers) -> None:
    bundle = make_bundle([random_layers(seed) for seed in range(first, first + 20)])
    for index in range(20):
        check(bundle, index, bundle.host)
        for cpu in CORES:
            check(bundle, index, lambda i, inputs, cpu=cpu: bundle.core(cpu, i, inputs))
