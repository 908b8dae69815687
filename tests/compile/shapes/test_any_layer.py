"""One layer of any operator, shape, window and quantization: reference, host C and the Cortex-M4 agree to the bit.

hypothesis chooses it, so that one which fails is shown as small as it can be. `make test` draws the same few layers
every time, `make soak` many new ones.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.verify import verify_lowered

VECTORS = 3


def check(make_bundle, graph) -> None:
    verify_lowered(graph, float_edges=True)
    bundle, inputs = make_bundle([graph]), random_inputs(graph, VECTORS, seed=1)
    wanted = run_reference(graph, inputs)[0]
    what = f"{graph.nodes[0].op} of {[t.shape for t in graph.tensors.values()]}"
    np.testing.assert_array_equal(bundle.host(0, inputs)[0], wanted, err_msg=what)
    np.testing.assert_array_equal(bundle.core("cortex-m4", 0, inputs)[0], wanted, err_msg=what)


@pytest.mark.arm
@settings(max_examples=3)
@given(data=st.data())
def test_a_few_layers(make_bundle, chosen_layer, data) -> None:
    check(make_bundle, chosen_layer(data))


@pytest.mark.soak
@pytest.mark.arm
@settings(max_examples=200)
@given(data=st.data())
def test_any_layer(make_bundle, chosen_layer, data) -> None:
    check(make_bundle, chosen_layer(data))
