"""Every operator's named cases on every runtime: reference, host C under sanitizers, and virtual Cortex-M4, M3 and
M0.
"""

from __future__ import annotations

import numpy as np
import pytest

from hilgate.compile import ops
from hilgate.compile.cases import cases_of, graph_of
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.verify import verify

VECTORS = 6
CASES = [(kind, index) for kind in ops.operators() for index in range(len(cases_of(kind)))]
# every case on the M4 with its DSP instructions and on the M0; on the M3, which takes the M0's C, one in three
ON_CORES = [
    (kind, str(index), cpu)
    for kind, index in CASES
    for cpu in ("cortex-m4", "cortex-m3", "cortex-m0")
    if cpu != "cortex-m3" or index % 3 == 0
]
IDS = [cases_of(kind)[index].name for kind, index in CASES]


@pytest.fixture(scope="module")
def bundles(make_bundle):
    """One bundle per operator, built when its first case runs."""
    made = {}

    def get(kind: str):
        if kind not in made:
            made[kind] = make_bundle([graph_of(case) for case in cases_of(kind)])
        return made[kind]

    return get


def expected(bundle, index: int):
    graph = bundle.built[index].graph
    inputs = random_inputs(graph, VECTORS, seed=index)
    return inputs, run_reference(graph, inputs)


def assert_same(found: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("kind", "index"), CASES, ids=IDS)
def test_host_equals_reference(kind: str, index: int, bundles) -> None:
    inputs, wanted = expected(bundles(kind), index)
    assert_same(bundles(kind).host(index, inputs), wanted)


@pytest.mark.arm
@pytest.mark.parametrize(("kind", "index", "cpu"), ON_CORES, ids="-".join)
def test_core_equals_reference(kind: str, index: str, cpu: str, bundles) -> None:
    index = int(index)
    inputs, wanted = expected(bundles(kind), index)
    assert_same(bundles(kind).core(cpu, index, inputs), wanted)


@pytest.mark.arm
def test_only_the_m4_image_uses_dsp_instructions(bundles) -> None:
    import subprocess

    def disassembly(cpu: str) -> str:
        image = str(bundles("fully_connected").image(cpu))
        return subprocess.run(["arm-none-eabi-objdump", "-d", image], capture_output=True, text=True, check=True).stdout

    assert "smlad" in disassembly("cortex-m4")
    assert "smmlar" in disassembly("cortex-m4")
    assert "smlad" not in disassembly("cortex-m3")


@pytest.mark.parametrize("kind", ops.operators())
def test_cases_are_legal_and_named_once(kind: str) -> None:
    cases = cases_of(kind)
    assert len({case.name for case in cases}) == len(cases) > 0
    for case in cases:
        verify(graph_of(case))


@pytest.mark.parametrize("kind", ops.operators())
def test_every_operator_folder_is_complete(kind: str) -> None:
    folder = ops.FOLDER / kind
    assert {f"{kind}.c", f"{kind}.h", "op.py", "cases.toml"} <= {path.name for path in folder.iterdir()}
    assert ops.operators()[kind].kind == kind
