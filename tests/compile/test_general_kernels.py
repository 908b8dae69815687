"""Fast kernels of the shapes that fewer networks have equal the definition to the bit: wide, dilated, multiplied and
one-line depthwise convolutions, narrow first layers, transposed convolutions, pools of any channel count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hilgate.compile.cases import Case, graph_of
from hilgate.compile.compile import allocate
from hilgate.compile.graph import Graph
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference

OWN = Options(without=("share_kernels",))
RELU = [0.0, float("inf")]
VECTORS = 2


def layer(kind: str, seed: int, image: list[int], weights: list[int], **attributes: Any) -> Graph:
    """A layer with random weights, a bias, and one scale per channel; seeds take both roundings and zero points."""
    relu, axis = seed % 3 == 0, 3 if kind == "depthwise_conv2d" else 0
    scales = [0.004 + 0.0007 * (i % 7) for i in range(weights[axis])]
    taps, biases = int(np.prod(weights)) // weights[axis], [0.02 * s for s in scales]
    facts = {
        "name": f"{seed}_" + "x".join(map(str, [*image, *weights])),
        "rounding": "double" if seed % 2 else "single",
        "attributes": {**attributes, **({"activation": RELU} if relu else {})},
        "inputs": [
            {"shape": [1, *image], "scale": 0.02, "zero_point": (seed * 37) % 256 - 128},
            {"shape": weights, "constant": "random", "scale": scales, "axis": axis},
            {"shape": weights[axis : axis + 1], "constant": "random", "dtype": "int32", "scale": biases, "axis": 0},
        ],
        "output": {"scale": 0.006 * float(np.sqrt(taps)), "zero_point": -128 if relu else -3},
    }
    return graph_of(Case(kind, facts))


def depthwise(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    way = ("wide", "line", "dilated", "multiplied")[seed % 4]
    kernel, size = (
        [int(rng.integers(1, 8)), int(rng.integers(2, 10))],
        [int(rng.integers(9, 16)), int(rng.integers(11, 34))],
    )
    stride, dilation, multiplier = [int(s) for s in rng.integers(1, 3, 2)], [1, 1], 1
    pad = [int(p) for p in rng.integers(0, kernel[1], 4)]
    if way == "line":
        kernel, size, pad = [1, int(rng.integers(4, 16))], [1, int(rng.integers(24, 60))], [0, 3, 0, 4]
    if way == "dilated":
        kernel, stride, size = [int(rng.integers(1, 4)), int(rng.integers(2, 6))], [1, 1], [12, 24]
        dilation = [int(rng.integers(1, 4)), int(rng.integers(2, 5))]
    if way == "multiplied" or seed % 5 == 0:
        multiplier = int(rng.integers(2, 4))
    channels = int(rng.integers(1, 6))
    window = {"kernel": kernel, "stride": stride, "dilation": dilation, "pad": pad}
    return layer("depthwise_conv2d", seed, [*size, channels], [1, *kernel, channels * multiplier], window=window)


def transposed(seed: int) -> Graph:
    """Strides of 1 to 3, kernels as large and larger, cut and extended outputs."""
    rng = np.random.default_rng(200 + seed)
    stride = [int(s) for s in rng.integers(1, 4, 2)]
    kernel = [int(s + rng.integers(0, 3)) for s in stride]
    size, pad = (
        [int(rng.integers(2, 7)), int(rng.integers(4, 9))],
        [int(rng.integers(0, k)) for k in (*kernel, *kernel)],
    )
    whole = [(size[i] - 1) * stride[i] + kernel[i] - pad[i] - pad[i + 2] for i in (0, 1)]
    reached = [max(1, n + int(rng.integers(0, s))) for n, s in zip(whole, stride, strict=True)]
    channels, outputs = int(rng.integers(1, 14)), int(rng.integers(1, 9))
    window = {"kernel": kernel, "stride": stride, "pad": pad}
    return layer("conv_transpose2d", seed, [*size, channels], [outputs, *kernel, channels], window=window, size=reached)


def narrow(seed: int) -> Graph:
    """First layers of one to three channels."""
    rng = np.random.default_rng(300 + seed)
    kernel = [int(rng.integers(1, 11)), int(rng.integers(2, 8))]
    stride, channels = [int(rng.integers(1, 3)), int(rng.integers(1, min(3, kernel[1])))], seed % 3 + 1
    window = {"kernel": kernel, "stride": stride, "pad": [int(p) for p in rng.integers(0, 3, 4)]}
    size, outputs = [int(rng.integers(10, 15)), int(rng.integers(9, 20))], int(rng.integers(1, 9))
    return layer("conv2d", seed, [*size, channels], [outputs, *kernel, channels], window=window)


def pool(seed: int) -> Graph:
    """Every third one with a clamp; one in four means has more pixels than a halfword can sum."""
    rng = np.random.default_rng(400 + seed)
    kind, large = ("max_pool2d", "avg_pool2d")[seed % 2], seed % 4 == 1
    kernel = [16, 17] if large else [int(k) for k in rng.integers(1, 4, 2)]
    pad = [0] * 4 if large else [int(rng.integers(0, k)) for k in (*kernel, *kernel)]
    window = {"kernel": kernel, "stride": [int(s) for s in rng.integers(1, 4, 2)], "pad": pad}
    channels = 11 if large else int(rng.integers(1, 12))
    source = {"shape": [1, 18, 19, channels], "scale": 0.02, "zero_point": -5}
    facts = {
        "name": f"pool_{seed}",
        "rounding": "single" if large or seed % 3 == 0 else "double",
        "attributes": {"window": window, "activation": [-0.7, 2.2] if seed % 3 == 2 else [-9.0, 9.0]},
        "inputs": [source],
        "output": {"scale": 0.002 if large else 0.02, "zero_point": -5},
    }
    return graph_of(Case(kind, facts))


SETS = {
    "depthwise": [depthwise(seed) for seed in range(20)],
    "transposed": [transposed(seed) for seed in range(10)],
    "narrow": [narrow(seed) for seed in range(6)],
    "pools": [pool(seed) for seed in range(10)],
}


@pytest.fixture(scope="module", params=list(SETS))
def bundle(request, make_bundle):
    return make_bundle(SETS[request.param], OWN)


def check(bundle, run) -> None:
    for index, built in enumerate(bundle.built):
        inputs = random_inputs(built.graph, VECTORS, seed=index)
        wanted = run_reference(built.graph, inputs)
        for one, other in zip(run(index, inputs), wanted, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=f"graph {index}: {built.graph.nodes[0].op}")
            assert len(np.unique(other)) > 3, f"case {built.graph.name} says too little"


def test_general_kernels_equal_the_reference_on_the_host(bundle) -> None:
    check(bundle, bundle.host)


@pytest.mark.arm
@pytest.mark.parametrize("cpu", ["cortex-m4", "cortex-m3"])
def test_general_kernels_equal_the_reference_on_cores(bundle, cpu: str) -> None:
    check(bundle, lambda index, inputs: bundle.core(cpu, index, inputs))


def chosen(graph: Graph, attribute: str) -> Any:
    allocate(graph, OWN, "0" * 64)
    return getattr(graph.nodes[0].op, attribute)


def test_the_cases_reach_the_general_kernels() -> None:
    planes = [kernel for kernel in (chosen(depthwise(seed), "kernel") for seed in range(20)) if kernel]
    assert len(planes) >= 18
    assert all(kernel.general for kernel in planes)
    assert {(k.outputs, k.stride) for k in planes if k.taps > 3} >= {(6, 1), (4, 2), (2, 1)}
    assert {kernel.taps for kernel in planes} >= {3, 5, 7, 9, 13}
    phases = [chosen(transposed(seed), "phases") for seed in range(10)]
    assert {len(found) for found in phases if found} >= {1, 2, 6}
    assert sum(found is not None for found in phases) >= 8
    assert all(chosen(narrow(seed), "kernel").mode in ("narrow", "rgb") for seed in range(6))
