"""MLPerf Tiny's image classifier, visual wake words and anomaly detector equal LiteRT's reference kernels to the bit.

The models cannot be in the repository: HILGATE_PEER_MODELS names their folder, or they lie in ../shared/models.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from hilgate.compile.compile import compile_model, load, lower
from hilgate.compile.graph import Graph
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference

BESIDE = Path(__file__).resolve().parents[4] / "shared" / "models"  # beside the checkout, where somebody put them
PEERS = Path(os.environ.get("HILGATE_PEER_MODELS") or BESIDE)


MODELS = ["ic", "vww", "ad"]
COUNT = 100
ON_CORE = 2  # inputs: a virtual core is slower than a host
UPDATABLE, BY_WEIGHTS = Options(), Options(updatable=False)
SECONDS = 20  # of processor time, which a compilation of VWW may take

needs_models = pytest.mark.skipif(not PEERS.is_dir(), reason="HILGATE_PEER_MODELS names no folder with the models")


@pytest.fixture(scope="module")
def expected(litert):
    """expected(name, input's name) -> (inputs, LiteRT's outputs), computed once a model."""
    known = {}

    def get(name: str, graph: Graph) -> tuple[dict[str, np.ndarray], np.ndarray]:
        if name not in known:
            inputs = random_inputs(graph, COUNT, seed=1)
            known[name] = inputs[graph.inputs[0]], litert(PEERS / f"{name}.tflite", [inputs[graph.inputs[0]]])[0]
        return {graph.inputs[0]: known[name][0]}, known[name][1]

    return get


def lowered(name: str, options: Options) -> Graph:
    graph = load(PEERS / f"{name}.tflite")
    lower(graph, options)
    return graph


@needs_models
@pytest.mark.parametrize("name", MODELS)
def test_mlperf_tiny_equals_litert(name: str, expected) -> None:
    graph = lowered(name, BY_WEIGHTS)
    inputs, theirs = expected(name, graph)
    np.testing.assert_array_equal(run_reference(graph, inputs)[0], theirs)


@needs_models
@pytest.mark.arm
@pytest.mark.parametrize("options", [UPDATABLE, BY_WEIGHTS], ids=["updatable", "by_weights"])
@pytest.mark.parametrize("name", MODELS)
def test_mlperf_tiny_in_c_equals_litert(name: str, options: Options, expected, make_bundle) -> None:
    """The generated code: on the host under sanitizers with every input, on the virtual Cortex-M4 with the first."""
    graph = lowered(name, options)
    inputs, theirs = expected(name, graph)
    bundle = make_bundle([graph], options)
    np.testing.assert_array_equal(bundle.host(0, inputs)[0], theirs)
    first = {key: array[:ON_CORE] for key, array in inputs.items()}
    np.testing.assert_array_equal(bundle.core("cortex-m4", 0, first)[0], theirs[:ON_CORE])


@needs_models
def test_vww_compiles_in_seconds(tmp_path: Path) -> None:
    """Processor time, which other jobs on the machine do not change; it takes a fraction of a second."""
    began = time.process_time()
    compile_model(PEERS / "vww.tflite", tmp_path, BY_WEIGHTS)
    assert time.process_time() - began < SECONDS
