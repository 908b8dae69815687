"""Convolutional networks from torch: each layer within one step of ONNX Runtime, C equal to the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilgate.compile.arithmetic import quantize
from hilgate.compile.compile import load, lower
from hilgate.compile.graph import Graph
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.vectors import in_device_order

SHAPES = {
    "resnet": (1, 3, 12, 12),
    "mobile": (1, 3, 16, 16),
    "row": (1, 4, 32),
    "pools": (1, 2, 11, 9),
    "flatten": (1, 3, 6, 5),
    "gates": (1, 4, 8, 6),
    "pieces": (1, 6, 5, 7),
    "upward": (1, 3, 4, 5),
    "normed": (1, 3, 8, 8),
    "tails": (1, 4, 9, 7),
    "causal": (1, 3, 20),
}


def residual():
    """Convolutions with batch norms and two shortcuts."""
    import torch
    from torch import nn

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
            self.one = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8))
            self.skip = nn.Conv2d(8, 12, 1, stride=2)
            self.two = nn.Conv2d(8, 12, 3, stride=2, padding=1)
            self.head = nn.Linear(12, 5)

        def forward(self, x):
            x = self.stem(x)
            x = torch.relu(x + self.one(x))
            x = torch.relu(self.skip(x) + self.two(x))
            return self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))

    return Residual()


def mobile():
    """Depthwise blocks with ReLU6."""
    from torch import nn

    def block(i: int, o: int, stride: int) -> list[nn.Module]:
        depthwise = nn.Conv2d(i, i, 3, stride, 1, groups=i, bias=False)
        return [depthwise, nn.BatchNorm2d(i), nn.ReLU6(), nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU6()]

    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1),
        nn.ReLU6(),
        *block(8, 16, 1),
        *block(16, 12, 2),
        nn.AvgPool2d(4),
        nn.Flatten(),
        nn.Linear(12, 4),
        nn.Softmax(-1),
    )

    return network


def gates():
    """Squeeze and excite, two branches joined, and the activations that become tables."""
    import torch
    from torch import nn

    class Gates(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.squeeze, self.excite = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)
            self.left, self.right = nn.Conv2d(4, 3, 3, padding=1), nn.Conv2d(4, 5, 1)
            self.last = nn.Conv2d(8, 6, 3, padding=1)

        def forward(self, x):
            gate = nn.functional.adaptive_avg_pool2d(x, 1)
            x = x * torch.sigmoid(self.excite(nn.functional.leaky_relu(self.squeeze(gate), 0.1)))
            both = torch.cat([torch.tanh(self.left(x)), nn.functional.hardswish(self.right(x))], dim=1)
            return self.last(nn.functional.interpolate(both, scale_factor=2, mode="nearest"))

    return Gates()


def pieces():
    """Pads, slices, splits and differences."""
    import torch
    from torch import nn

    class Pieces(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(6, 6, 3), nn.Conv2d(3, 4, (1, 3))

        def forward(self, x):
            x = self.first(nn.functional.pad(x, (2, 1, 0, 1)))
            a, b = torch.split(x, 3, dim=1)
            return self.last((a - b)[:, :, 1:, ::2])

    return Pieces()


def tails():
    """Functions and means that ONNX Runtime leaves in float one after the other, and a mean over one axis."""
    import torch
    from torch import nn

    class Tails(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.rows = nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(6, 6, (1, 3), padding=(0, 1), groups=6)
            self.head = nn.Linear(6, 3)

        def forward(self, x):
            x = nn.functional.hardswish(self.first(x))
            x = x + self.rows(x.mean(2, keepdim=True))
            y = torch.tanh(nn.functional.hardswish(x).mean((2, 3)))
            return self.head(y + torch.relu(x).amax((2, 3)) / 4)

    return Tails()


def causal():
    """Dilated convolutions in time, of which the last step is taken, and a part of the channels."""
    from torch import nn

    class Causal(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv1d(3, 8, 3, padding=2)
            self.second = nn.Conv1d(8, 8, 3, padding=4, dilation=2, groups=8)
            self.head = nn.Linear(4, 2)

        def forward(self, x):
            x = self.first(x)[:, :, :-2]
            x = x + self.second(x)[:, :, :-4]
            return self.head(x[:, ::2, -1])

    return Causal()


def plain():
    """Networks that are mere sequences, by name."""
    from torch import nn

    row = nn.Sequential(
        nn.Conv1d(4, 8, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(8, 6, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    )
    pools = nn.Sequential(
        nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(2, 4, (3, 1), dilation=(1, 2), padding=(2, 0)),
        nn.AvgPool2d(2, 1, 1),
        nn.Conv2d(4, 6, 2, groups=2),
        nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    )
    flatten = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 5))
    upward = nn.Sequential(
        nn.ConvTranspose2d(3, 5, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(5, 4, (2, 3), stride=(1, 3), dilation=(2, 1)),
        nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2, bias=False),
    )
    normed = nn.Sequential(nn.BatchNorm2d(3), nn.MaxPool2d(2), nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3))
    return {"row": row, "pools": pools, "flatten": flatten, "upward": upward, "normed": normed}


@pytest.fixture(scope="module")
def networks(make_quantized) -> dict[str, Path]:
    """Int8 QDQ files by name."""
    import torch
    from torch import nn

    made = {
        "resnet": residual(),
        "mobile": mobile(),
        "gates": gates(),
        "pieces": pieces(),
        "tails": tails(),
        "causal": causal(),
        **plain(),
    }
    generator = torch.Generator().manual_seed(3)
    for network in made.values():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.copy_(torch.randn(module.running_mean.shape, generator=generator) * 0.1)
                module.running_var.copy_(torch.rand(module.running_var.shape, generator=generator) + 0.5)
    return {name: make_quantized(network, SHAPES[name], name) for name, network in made.items()}


def lowered(path: Path) -> Graph:
    graph = load(path)
    lower(graph, Options())
    return graph


@pytest.mark.parametrize("name", SHAPES)
def test_each_layer_is_within_one_step_of_onnxruntime(name: str, networks, ort_tensors) -> None:
    """Our layers run on ONNX Runtime's own inputs; tensors are compared in the device's order."""
    graph = lowered(networks[name])
    compared = 0
    for seed in range(4):
        real = np.random.default_rng(seed).random(SHAPES[name], np.float32)
        theirs = ort_tensors(networks[name], real)
        values = {graph.inputs[0]: as_input(graph, real)}
        for site in graph.sites():
            arrays = []
            for tensor in site.inputs:
                if tensor.constant:
                    arrays.append(tensor.data[None])
                elif tensor.name in theirs:
                    arrays.append(as_stored(theirs[tensor.name], tensor.shape))
                else:
                    arrays.append(values[tensor.name])
            ours = values[site.output.name] = site.node.op.reference(site, arrays)
            if site.output.name in theirs:
                compared += 1
                wanted = as_stored(theirs[site.output.name], site.output.shape)
                assert np.abs(ours.astype(int) - wanted).max() <= 1, site.where
    assert compared >= 4 * 2


def as_input(graph: Graph, real: np.ndarray) -> np.ndarray:
    """A real sample as the device's input."""
    tensor = graph.tensors[graph.inputs[0]]
    return quantize(in_device_order(real, graph, tensor), tensor.quant.only_scale, tensor.quant.zero_point)


def as_stored(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """ONNX's (1, C, ...) as the device's (1, ..., C)."""
    if array.ndim >= 3:
        array = np.moveaxis(array, 1, -1)
    return array.reshape(1, *shape)


@pytest.mark.parametrize("name", SHAPES)
def test_whole_network_is_near_onnxruntime(name: str, networks, ort_tensors) -> None:
    graph = lowered(networks[name])
    output = graph.tensors[graph.outputs[0]]
    for seed in range(4):
        real = np.random.default_rng(50 + seed).random(SHAPES[name], np.float32)
        theirs = ort_tensors(networks[name], real)["output"]
        ours = run_reference(graph, {graph.inputs[0]: as_input(graph, real)})[0].astype(float)
        found = (ours - output.quant.zero_point) * output.quant.only_scale
        assert np.abs(found - as_stored(theirs, output.shape)).max() <= 6 * output.quant.only_scale


@pytest.mark.parametrize("name", SHAPES)
def test_host_c_equals_reference(name: str, networks, make_bundle) -> None:
    graph = lowered(networks[name])
    inputs = random_inputs(graph, 6, seed=3)
    np.testing.assert_array_equal(make_bundle([graph]).host(0, inputs)[0], run_reference(graph, inputs)[0])


@pytest.mark.arm
@pytest.mark.parametrize("cpu", ["cortex-m4", "cortex-m3"])
@pytest.mark.parametrize("name", ["resnet", "mobile"])
def test_cores_equal_reference(name: str, cpu: str, networks, make_bundle) -> None:
    graph = lowered(networks[name])
    inputs = random_inputs(graph, 2, seed=3)
    np.testing.assert_array_equal(make_bundle([graph]).core(cpu, 0, inputs)[0], run_reference(graph, inputs)[0])


def test_nothing_is_transposed_on_the_way(networks) -> None:
    for name in ("resnet", "mobile", "row"):
        assert "transpose" not in {node.op.kind for node in lowered(networks[name]).nodes}, name
    assert [n.op.kind for n in lowered(networks["flatten"]).nodes].count("transpose") == 1
