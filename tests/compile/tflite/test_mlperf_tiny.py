"""MLPerf Tiny's image classifier, visual wake words and anomaly detector equal LiteRT's reference kernels to the bit.

The models cannot be in the repository: HILGATE_PEER_MODELS names their folder, or they lie in ../shared/models.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hilgate.compile.compile import load, lower
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference

BESIDE = Path(__file__).resolve().parents[4] / "shared" / "models"  # beside the checkout, where somebody put them
PEERS = Path(os.environ.get("HILGATE_PEER_MODELS", BESIDE))


@pytest.mark.skipif(not PEERS.is_dir(), reason="HILGATE_PEER_MODELS names no folder with ic, vww and ad.tflite")
@pytest.mark.parametrize("name", ["ic", "vww", "ad"])
def test_mlperf_tiny_equals_litert(name: str, litert) -> None:
    graph = load(PEERS / f"{name}.tflite")
    lower(graph, Options(updatable=False))
    inputs = random_inputs(graph, 100, seed=1)
    theirs = litert(PEERS / f"{name}.tflite", [inputs[graph.inputs[0]]])
    np.testing.assert_array_equal(run_reference(graph, inputs)[0], theirs[0])


@pytest.mark.arm
@pytest.mark.skipif(not PEERS.is_dir(), reason="HILGATE_PEER_MODELS names no folder with ic, vww and ad.tflite")
@pytest.mark.parametrize("name", ["ic", "vww", "ad"])
def test_mlperf_tiny_in_c_equals_litert(name: str, litert, make_bundle) -> None:
    """The generated code on the host under sanitizers, and on the virtual Cortex-M4."""
    graph = load(PEERS / f"{name}.tflite")
    lower(graph, Options(updatable=False))
    inputs = random_inputs(graph, 4, seed=9)
    theirs = litert(PEERS / f"{name}.tflite", [inputs[graph.inputs[0]]])[0]
    bundle = make_bundle([graph], Options(updatable=False))
    np.testing.assert_array_equal(bundle.host(0, inputs)[0], theirs)
    first = {key: array[:2] for key, array in inputs.items()}
    np.testing.assert_array_equal(bundle.core("cortex-m4", 0, first)[0], theirs[:2])
