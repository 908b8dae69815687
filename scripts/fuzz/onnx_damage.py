"""Damage to an ONNX model that stays a readable protobuf: shapes, constants, attributes, edges, external data."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fuzz.byte_damage import EXTREMES

FLOATS = (0.0, -0.0, -1.0, math.nan, math.inf, -math.inf, 1e-45, 1e-38, 3e38, 1e-9, 1e9, 0.5, 1.0)
OPERATORS = (
    "Conv ConvTranspose Gemm MatMul Add Sub Mul Concat MaxPool AveragePool GlobalAveragePool Relu Clip Softmax Sigmoid "
    "Tanh LeakyRelu HardSwish Reshape Flatten Squeeze Unsqueeze Transpose Pad Resize Slice Split QuantizeLinear "
    "DequantizeLinear ReduceMean BatchNormalization ArgMax Identity Constant Loop If Einsum"
).split()
Damage = Callable[[random.Random, Any], None]


def value_shape(chance: random.Random, model: Any) -> None:
    dims = chance.choice([*model.graph.input, *model.graph.output]).type.tensor_type.shape.dim
    if dims and chance.random() < 0.7:
        chance.choice(dims).dim_value = chance.choice(EXTREMES)
    elif dims and chance.random() < 0.5:
        del dims[chance.randrange(len(dims))]
    else:
        dims.add().dim_value = chance.choice(EXTREMES)


def value_type(chance: random.Random, model: Any) -> None:
    chance.choice([*model.graph.input, *model.graph.output]).type.tensor_type.elem_type = chance.randint(-1, 30)


def constant_shape(chance: random.Random, model: Any) -> None:
    tensor = chance.choice(model.graph.initializer)
    if tensor.dims and chance.random() < 0.6:
        tensor.dims[chance.randrange(len(tensor.dims))] = chance.choice(EXTREMES)
    elif chance.random() < 0.5:
        tensor.dims.append(chance.choice(EXTREMES))
    else:
        del tensor.dims[:]


def constant_numbers(chance: random.Random, model: Any) -> None:
    """New values of the same type and shape: scales, zero points, shapes, pads, weights."""
    tensor = chance.choice(model.graph.initializer)
    data = numpy_helper.to_array(tensor).copy()
    if not data.size:
        return
    at = slice(None) if chance.random() < 0.3 else chance.randrange(data.size)
    if data.dtype.kind == "f":
        data.reshape(-1)[at] = chance.choice(FLOATS)
    elif data.dtype.kind in "iu":
        info = np.iinfo(data.dtype)
        data.reshape(-1)[at] = min(max(chance.choice(EXTREMES), info.min), info.max)
    tensor.CopyFrom(numpy_helper.from_array(data, tensor.name))


def constant_type(chance: random.Random, model: Any) -> None:
    chance.choice(model.graph.initializer).data_type = chance.randint(-1, 30)


def constant_bytes(chance: random.Random, model: Any) -> None:
    tensor = chance.choice(model.graph.initializer)
    raw = tensor.raw_data
    tensor.raw_data = raw[: chance.randrange(len(raw) + 1)] if chance.random() < 0.5 else raw * chance.randint(2, 9)


def constant_elsewhere(chance: random.Random, model: Any) -> None:
    tensor = chance.choice(model.graph.initializer)
    tensor.data_location = 1
    places = ("weights.data", "../weights.data", "/etc/passwd", "/dev/zero", "", ".", "a\0b", "x" * 5000)
    for key, value in (
        ("location", chance.choice(places)),
        ("offset", str(chance.choice(EXTREMES))),
        ("length", chance.choice(("", "nan", str(chance.choice(EXTREMES))))),
    ):
        tensor.external_data.add(key=key, value=value)


def attribute(chance: random.Random, model: Any) -> None:
    nodes = [node for node in model.graph.node if node.attribute]
    if not nodes:
        return
    node = chance.choice(nodes)
    index = chance.randrange(len(node.attribute))
    old, pick = node.attribute[index], chance.random()
    if pick < 0.1:
        del node.attribute[index]
    elif pick < 0.2:
        old.type = chance.randint(0, 15)
    elif pick < 0.3:
        old.name = chance.choice(("axis", "pads", "group", "strange", "strides", "perm"))
    elif pick < 0.5:
        value = chance.choice((1.5, math.nan, 3, "text", [1, 2], [0.5], [], [chance.choice(EXTREMES)] * 40))
        if value == []:
            del old.ints[:]
        else:
            old.CopyFrom(helper.make_attribute(old.name, value))
    elif old.ints:
        old.ints[chance.randrange(len(old.ints))] = chance.choice(EXTREMES)
    else:
        old.i, old.f = chance.choice(EXTREMES), chance.choice(FLOATS)


def new_attribute(chance: random.Random, model: Any) -> None:
    name = chance.choice("axis pads group strides dilations auto_pad ceil_mode transA alpha axes perm mode".split())
    value = chance.choice((chance.choice(EXTREMES), [chance.choice(EXTREMES) for _ in range(4)], 2.5, "SAME_LOWER"))
    chance.choice(model.graph.node).attribute.append(helper.make_attribute(name, value))


def operator(chance: random.Random, model: Any) -> None:
    chance.choice(model.graph.node).op_type = chance.choice(OPERATORS)


def edge(chance: random.Random, model: Any) -> None:
    """An input or output becomes another name: cycles, two producers, other shapes."""
    node = chance.choice(model.graph.node)
    names = [name for other in model.graph.node for name in (*other.input, *other.output)] + ["", "nowhere"]
    ends = node.input if chance.random() < 0.7 else node.output
    if ends:
        ends[chance.randrange(len(ends))] = chance.choice(names)


def ends(chance: random.Random, model: Any) -> None:
    node, pick = chance.choice(model.graph.node), chance.random()
    if pick < 0.3 and node.input:
        node.input.pop()
    elif pick < 0.6:
        node.input.append(chance.choice([*node.input, ""]))
    elif pick < 0.8 and node.output:
        node.output.pop()
    else:
        node.output.append(f"extra_{chance.randrange(9)}")


def node_count(chance: random.Random, model: Any) -> None:
    nodes, pick = model.graph.node, chance.random()
    if pick < 0.4:
        del nodes[chance.randrange(len(nodes))]
    elif pick < 0.8:
        nodes.add().CopyFrom(chance.choice(nodes))
    elif pick < 0.95:
        chain(chance, model, chance.choice((10, 100, 900)))
    else:
        chain(chance, model, 5000)


def chain(chance: random.Random, model: Any, count: int) -> None:
    name = model.graph.output[0].name if model.graph.output else "x"
    kind = chance.choice(("Relu", "Identity", "Sigmoid"))
    for index in range(count):
        model.graph.node.append(helper.make_node(kind, [name], [f"chain_{index}"]))
        name = f"chain_{index}"
    model.graph.output.append(onnx.ValueInfoProto(name=name))


def order(chance: random.Random, model: Any) -> None:
    nodes = list(model.graph.node)
    chance.shuffle(nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def edges_of_graph(chance: random.Random, model: Any) -> None:
    side = chance.choice((model.graph.input, model.graph.output))
    names = [name for node in model.graph.node for name in (*node.input, *node.output)] or ["x"]
    if side and chance.random() < 0.4:
        del side[chance.randrange(len(side))]
    else:
        side.append(helper.make_tensor_value_info(chance.choice(names), chance.choice((1, 3)), [1, 4]))


def header(chance: random.Random, model: Any) -> None:
    if model.opset_import:
        model.opset_import[0].version = chance.choice(EXTREMES)
    else:
        model.opset_import.add(version=20)


def subgraph(chance: random.Random, model: Any) -> None:
    """Graphs within graphs, far deeper than any real one."""
    inner = onnx.GraphProto()
    for _ in range(chance.choice((1, 10, 25))):
        outer = onnx.GraphProto()
        outer.node.add(op_type="If").attribute.append(helper.make_attribute("then_branch", inner))
        inner = outer
    chance.choice(model.graph.node).attribute.append(helper.make_attribute("body", inner))


DAMAGES: tuple[Damage, ...] = (
    value_shape,
    value_type,
    constant_shape,
    constant_numbers,
    constant_numbers,
    constant_numbers,
    constant_type,
    constant_bytes,
    constant_elsewhere,
    attribute,
    attribute,
    attribute,
    new_attribute,
    operator,
    operator,
    edge,
    edge,
    ends,
    node_count,
    order,
    edges_of_graph,
    header,
    subgraph,
)


def damage(chance: random.Random, content: bytes) -> bytes | None:
    """One to three kinds of damage; None when the damage cannot be written as a protobuf."""
    model = onnx.ModelProto.FromString(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        try:
            chance.choice(DAMAGES)(chance, model)
        except Exception:  # damage to what was damaged before: onnx raises whatever that leads to
            break
    try:
        result: bytes = model.SerializeToString(deterministic=True)
    except Exception:  # deeper than protobuf writes
        return None
    return result
