"""Damage to a TFLite model that stays a readable flatbuffer: shapes, quantization, edges, options, constants."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np

from fuzz.byte_damage import EXTREMES
from fuzz.onnx_damage import FLOATS

SMALL = [v for v in EXTREMES if -(2**31) <= v < 2**31]
BYTES = [v for v in EXTREMES if -128 <= v < 128]
Damage = Callable[[random.Random, Any], None]


def pick_tensor(chance: random.Random, model: Any) -> Any:
    return chance.choice(model.subgraphs[0].tensors)


def pick_operator(chance: random.Random, model: Any) -> Any:
    return chance.choice(model.subgraphs[0].operators)


def changed(chance: random.Random, values: Any, choices: list[int] | tuple[float, ...]) -> list[Any]:
    """A list with one element changed, added or taken away."""
    result, pick = [] if values is None else list(values), chance.random()
    if result and pick < 0.7:
        result[chance.randrange(len(result))] = chance.choice(choices)
    elif result and pick < 0.85:
        result.pop()
    else:
        result.append(chance.choice(choices))
    return result


def shape(chance: random.Random, model: Any) -> None:
    tensor = pick_tensor(chance, model)
    if chance.random() < 0.85:
        tensor.shape = changed(chance, tensor.shape, SMALL)
    else:
        tensor.shapeSignature = changed(chance, tensor.shapeSignature, SMALL)


def every_shape(chance: random.Random, model: Any) -> None:
    """One size replaced wherever it stands, so that shapes still agree."""
    tensors = model.subgraphs[0].tensors
    sizes = [int(d) for t in tensors if t.shape is not None for d in t.shape]
    old, new = chance.choice(sizes), chance.choice([v for v in SMALL if v > 0])
    for tensor in tensors:
        if tensor.shape is not None:
            tensor.shape = [new if int(d) == old else int(d) for d in tensor.shape]


def kind(chance: random.Random, model: Any) -> None:
    pick_tensor(chance, model).type = chance.choice((0, 1, 2, 3, 4, 7, 9, 17, 99))


def buffer_index(chance: random.Random, model: Any) -> None:
    pick_tensor(chance, model).buffer = chance.choice([*range(len(model.buffers)), 99999, 2**32 - 1])


def quantization(chance: random.Random, model: Any) -> None:
    quant, pick = pick_tensor(chance, model).quantization, chance.random()
    if quant is None:
        return
    if pick < 0.5:
        quant.scale = changed(chance, quant.scale, FLOATS)
    elif pick < 0.8:
        quant.zeroPoint = changed(chance, quant.zeroPoint, list(EXTREMES))
    else:
        quant.quantizedDimension = chance.choice(SMALL)


def edges(chance: random.Random, model: Any) -> None:
    operator = pick_operator(chance, model)
    there = list(range(len(model.subgraphs[0].tensors)))
    if chance.random() < 0.7:
        operator.inputs = changed(chance, operator.inputs, there + SMALL)
    else:
        operator.outputs = changed(chance, operator.outputs, there + SMALL)


def graph_edges(chance: random.Random, model: Any) -> None:
    graph = model.subgraphs[0]
    there = list(range(len(graph.tensors)))
    if chance.random() < 0.5:
        graph.inputs = changed(chance, graph.inputs, there + SMALL)
    else:
        graph.outputs = changed(chance, graph.outputs, there + SMALL)


def operator_code(chance: random.Random, model: Any) -> None:
    if chance.random() < 0.3:
        pick_operator(chance, model).opcodeIndex = chance.choice([0, 1, 99, 2**32 - 1])
        return
    code = chance.choice(model.operatorCodes)
    code.builtinCode = chance.randrange(210)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)


def options(chance: random.Random, model: Any) -> None:
    operator = pick_operator(chance, model)
    table = operator.builtinOptions
    if table is None or chance.random() < 0.15:
        operator.builtinOptionsType = chance.randrange(120)
        return
    field = chance.choice(sorted(vars(table)))
    old = getattr(table, field)
    if isinstance(old, bool):
        setattr(table, field, not old)
    elif isinstance(old, int):
        setattr(table, field, chance.choice(SMALL if chance.random() < 0.6 else BYTES))
    elif isinstance(old, float):
        setattr(table, field, chance.choice(FLOATS))
    else:
        setattr(table, field, changed(chance, old, SMALL))


def constant(chance: random.Random, model: Any) -> None:
    """Values of a constant: weights, shapes, axes, paddings."""
    holder = chance.choice(model.buffers)
    if holder.data is None or not len(holder.data):
        return
    data, pick = np.array(holder.data, np.uint8), chance.random()
    if pick < 0.2:
        data = data[: chance.randrange(len(data))]
    elif pick < 0.7 and len(data) % 4 == 0:
        data.view("<i4")[chance.randrange(len(data) // 4)] = chance.choice(SMALL)
    else:
        data[:] = chance.choice((0x80, 0x7F, 0xFF, 0))
    holder.data = data


def operator_count(chance: random.Random, model: Any) -> None:
    operators = model.subgraphs[0].operators
    if chance.random() < 0.5:
        operators.append(chance.choice(operators))
    elif len(operators) > 1:
        operators.pop(chance.randrange(len(operators)))
    chance.shuffle(operators)


def header(chance: random.Random, model: Any) -> None:
    if chance.random() < 0.5:
        model.version = chance.choice((0, 1, 2, 4, 99, 2**32 - 1))
    else:
        model.subgraphs = model.subgraphs * chance.choice((0, 2, 5))


DAMAGES: tuple[Damage, ...] = (
    shape,
    shape,
    every_shape,
    every_shape,
    kind,
    buffer_index,
    quantization,
    quantization,
    edges,
    edges,
    graph_edges,
    operator_code,
    options,
    options,
    options,
    constant,
    constant,
    operator_count,
    header,
)


def damage(chance: random.Random, content: bytes) -> bytes | None:
    """One to three kinds of damage; None when the damage cannot be written as a flatbuffer."""
    from ai_edge_litert.schema_py_generated import ModelT

    model = ModelT.InitFromPackedBuf(content, 0)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        try:
            chance.choice(DAMAGES)(chance, model)
        except Exception:  # damage to what was damaged before
            break
    builder = flatbuffers.Builder(len(content))
    try:
        builder.Finish(model.Pack(builder), b"TFL3")
    except Exception:  # a number that its field cannot hold
        return None
    return bytes(builder.Output())
