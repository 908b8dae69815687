"""What a legal graph is. Runs before and after every pass, so that a broken pass is caught where it broke something."""

from __future__ import annotations

import math

from hilgate.compile.graph import ITEM_BYTES, Graph, Quantization, Site, Tensor
from hilgate.compile.limits import check_layer_size, check_tensor_size
from hilgate.errors import ModelError


def verify(graph: Graph, *, after: str = "import") -> None:
    """Structure, shapes and quantization of every node. Raises ModelError that names the place and what ran before."""
    known = set(graph.inputs) | {name for name, tensor in graph.tensors.items() if tensor.constant}
    made: set[str] = set()
    for site in graph.sites():
        for name in site.node.inputs:
            if name not in known:
                raise site.refuse(f"reads `{name}` before anything makes it (after {after})")
        for name in site.node.outputs:
            if name in made or name in known:
                raise site.refuse(f"tensor `{name}` has two producers (after {after})")
            made.add(name)
            known.add(name)
        _check_shapes(site, after)
    for name in graph.outputs:
        if name not in known:
            raise ModelError(f"output `{name}` is made by no node (after {after})", where=graph.name)
    for tensor in graph.tensors.values():
        _check_tensor(tensor)


def verify_lowered(graph: Graph, float_edges: bool) -> None:
    """The same, and what holds only when code is about to be made: int8 everywhere, each operator's own rules."""
    verify(graph, after="all passes")
    if not graph.outputs or not graph.inputs:
        raise ModelError("the model needs an input and an output", where=graph.name)
    edges = {*graph.inputs, *graph.outputs} if float_edges else set()
    for site in graph.sites():
        for tensor in (*site.inputs, *site.outputs):
            if not tensor.constant and tensor.dtype != "int8" and tensor.name not in edges:
                raise site.refuse(f"tensor `{tensor.name}` is still {tensor.dtype}", _how_to_quantize(graph, tensor))
        for index, tensor in enumerate(site.inputs):
            per_channel = tensor.quantization is not None and tensor.quantization.per_channel
            if per_channel and index not in site.node.op.per_channel_inputs:
                raise site.refuse(
                    f"per-channel quantization of `{tensor.name}` is not defined here", "quantize per tensor"
                )
        _check_kept_quantization(site)
        _check_operator(site)
    for name in (*graph.inputs, *graph.outputs):
        tensor = graph.tensors[name]
        if tensor.constant:
            raise ModelError(f"`{name}` at the model's edge is a constant", where=graph.name, hint="leave it out")
        if tensor.dtype != "int8" and not (float_edges and tensor.dtype == "float32"):
            raise ModelError(
                f"`{name}` at the model's edge is {tensor.dtype} and has no quantization",
                where=graph.name,
                hint="is this a float model? quantize it to int8 (QDQ) first: `hilgate quantize`",
            )


def _how_to_quantize(graph: Graph, tensor: Tensor) -> str:
    quantized = any(t.dtype == "int8" and not t.constant for t in graph.tensors.values())
    if tensor.name in graph.inputs and tensor.name in graph.outputs:
        return "it is an input and an output of the model: leave that output out"
    if quantized and tensor.name in graph.inputs:
        return (
            "it is computed with before it is quantized: do that in front of the model (a normalisation belongs in the"
            " task's preprocess), or quantize the input itself"
        )
    return "quantize the whole model: each operator between DequantizeLinear and QuantizeLinear (QDQ)"


def _check_shapes(site: Site, after: str) -> None:
    try:
        shapes = site.node.op.output_shapes(site.inputs)
    except ValueError as error:
        raise site.refuse(str(error)) from error
    found = [tensor.shape for tensor in site.outputs]
    if shapes != found:
        raise site.refuse(f"its output should have shape {shapes}, not {found} (after {after})")
    check_layer_size(site)


def _check_tensor(tensor: Tensor) -> None:
    where = f"tensor `{tensor.name}`"
    if any(d <= 0 for d in tensor.shape) and not tensor.constant:
        raise ModelError(f"shape {tensor.shape} has no elements", where=where)
    if not tensor.constant and tensor.dtype not in ITEM_BYTES:
        raise ModelError(f"type {tensor.dtype} is not supported", where=where, hint="quantize the whole model to int8")
    check_tensor_size(tensor)
    if tensor.quantization is not None:
        _check_quantization(tensor.quantization, tensor, where)


def _check_quantization(quantization: Quantization, tensor: Tensor, where: str) -> None:
    if not all(math.isfinite(s) and s > 0 for s in quantization.scale):
        raise ModelError("a scale is zero, negative or not a number", where=where, hint="quantize the model again")
    if not -128 <= quantization.zero_point <= 127:
        raise ModelError(f"zero point {quantization.zero_point} is outside int8", where=where)
    if quantization.axis is None:
        if len(quantization.scale) != 1:
            raise ModelError(f"{len(quantization.scale)} scales without an axis", where=where)
    elif len(tensor.shape) <= quantization.axis or len(quantization.scale) != tensor.shape[quantization.axis]:
        raise ModelError(f"{len(quantization.scale)} scales do not fit shape {tensor.shape}", where=where)
    elif not tensor.constant:
        raise ModelError("per-channel quantization of an activation is not defined", where=where)


def _check_operator(site: Site) -> None:
    try:
        site.node.op.check(site)
    except (ArithmeticError, ValueError) as error:
        raise site.refuse(str(error), "quantize the model again with calibration data of the real range") from error
    call = site.node.op.call(site)
    read = [0] if call is None else [int(p.key) for p in call.pointers if p.kind == "input"]
    for index in read:
        if site.inputs[index].constant:
            raise site.refuse(
                f"input {index} (`{site.inputs[index].name}`) is a constant", "fold constants when exporting the model"
            )


def _check_kept_quantization(site: Site) -> None:
    if not site.node.op.keeps_quantization:
        return
    if any(t.quantization != site.output.quantization for t in site.inputs if not t.constant):
        raise site.refuse("moves numbers from one quantization to another without requantizing")
