"""An .onnx file as hostile data: size, protobuf, opset, external files, order of the nodes, declared shapes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hilgate.compile.graph import ITEM_BYTES, Shape
from hilgate.errors import ModelError

FILE_BYTES_MAX = 256 * 1024 * 1024  # a model for a microcontroller; above it reading alone could exhaust the machine
NODES_MAX = 4096
OPSETS = range(
    13, 24
)  # 13 brought per-channel DequantizeLinear; 23 is the newest that onnx 1.23 calls released and was tried


def read_model(path: Path) -> Any:
    """The parsed file, external data loaded from its own folder only. Raises ModelError."""
    import onnx

    content = _content(path)
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception as error:  # protobuf's DecodeError class depends on its backend
        raise ModelError(
            "not an ONNX file, or a damaged one", where=str(path), hint="export the model again"
        ) from error
    if not model.graph.node and not model.graph.output:
        raise ModelError("not an ONNX file: it holds no graph", where=str(path), hint="export the model again")
    _check_opset(model, path)
    _check_unsupported_parts(model, path)
    _load_external(model, path)
    return model


def _content(path: Path) -> bytes:
    if not file_bytes(path):
        raise ModelError("the file is empty", where=str(path), hint="export the model again")
    return path.read_bytes()


def file_bytes(path: Path) -> int:
    """The size of a file that a model may be in. Raises ModelError: unreadable, too large, a pipe or a device."""
    try:
        facts = path.stat()
        readable = os.access(path, os.R_OK)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not stat.S_ISREG(facts.st_mode):  # reading a pipe could wait for ever
        raise ModelError("is no regular file", where=str(path), hint="give the path of a model file")
    if not readable:
        raise ModelError("cannot be read: Permission denied", where=str(path))
    if facts.st_size > FILE_BYTES_MAX:
        raise ModelError(f"the file is larger than {FILE_BYTES_MAX >> 20} MB", where=str(path))
    return facts.st_size


def _check_opset(model: Any, path: Path) -> None:
    versions = {entry.domain: entry.version for entry in model.opset_import}
    version = versions.get("", versions.get("ai.onnx"))
    if version not in OPSETS:
        raise ModelError(
            "it names no opset of ONNX's own operators" if version is None else f"opset {version} is not supported",
            where=str(path),
            hint=f"export with an opset from {OPSETS[0]} to {OPSETS[-1]}",
        )


def _check_unsupported_parts(model: Any, path: Path) -> None:
    for present, what in (
        (model.functions, "local functions"),
        (model.graph.sparse_initializer, "sparse initializers"),
        (model.training_info, "training information"),
    ):
        if present:
            raise ModelError(f"{what} are not supported", where=str(path), hint="export a plain inference model")


def _load_external(model: Any, path: Path) -> None:
    folder, total = path.resolve().parent, 0
    for tensor in model.graph.initializer:
        if tensor.data_location != 1:  # TensorProto.EXTERNAL
            continue
        facts = {entry.key: entry.value for entry in tensor.external_data}
        try:
            file = (folder / facts.get("location", "")).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle, or a NUL
            raise ModelError(f"external data of `{tensor.name}` has no legal path", where=str(path)) from error
        if not file.is_relative_to(folder) or file == folder:
            raise ModelError(f"external data of `{tensor.name}` lies outside the model's folder", where=str(path))
        tensor.raw_data = _part(file, tensor.name, facts, path)
        total += len(tensor.raw_data)
        if total > FILE_BYTES_MAX:  # many constants may name one large file
            raise ModelError(f"external data is larger than {FILE_BYTES_MAX >> 20} MB", where=str(path))
        tensor.data_location = 0
        del tensor.external_data[:]


def _part(file: Path, name: str, facts: dict[str, str], path: Path) -> bytes:
    try:
        start, length = int(facts.get("offset", 0)), int(facts.get("length", -1))
    except ValueError as error:
        raise ModelError(f"external data of `{name}` is not described in numbers", where=str(path)) from error
    size = file_bytes(file)
    end = size if length < 0 else start + length
    if start < 0 or end > size:
        raise ModelError(f"external data of `{name}` is cut short", where=str(file), hint="copy it again")
    with file.open("rb") as stream:
        stream.seek(start)
        return stream.read(max(0, end - start))


def declared(value: Any) -> tuple[Shape, str]:
    """Shape and dtype that a graph input declares. Raises ModelError for a dynamic shape or a type that no kernel
    takes.
    """
    from onnx import TensorProto, helper

    kind = value.type.tensor_type
    dims = []
    for dim in kind.shape.dim:
        if dim.WhichOneof("value") != "dim_value" or dim.dim_value <= 0:
            size = dim.dim_param or "unknown"
            hint = "export with a fixed shape and batch 1"
            raise ModelError(f"input `{value.name}` has a dynamic shape ({size})", where=value.name, hint=hint)
        dims.append(int(dim.dim_value))
    try:
        string = kind.elem_type == TensorProto.STRING
        dtype = "string" if string else str(helper.tensor_dtype_to_np_dtype(kind.elem_type))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"input `{value.name}` has no tensor type", where=value.name) from error
    if dtype not in ITEM_BYTES:
        raise ModelError(f"input `{value.name}` is {dtype}", where=value.name, hint="supported: float32 and int8")
    return tuple(dims), dtype


def in_order(nodes: Iterable[Any], known: set[str]) -> list[Any]:
    """The nodes so that each comes after what it reads. Raises ModelError: two producers, a cycle, far too many
    nodes.
    """
    waiting, ordered, known = list(nodes), [], set(known)
    if len(waiting) > NODES_MAX:
        raise ModelError(f"{len(waiting)} nodes are more than {NODES_MAX}", where="graph")
    made: set[str] = set()
    for node in waiting:
        for output in filter(None, node.output):
            if output in made or output in known:
                raise ModelError(f"tensor `{output}` has two producers", where=f"node `{node.name}` ({node.op_type})")
            made.add(output)
    while waiting:
        later = []
        for node in waiting:
            if all(not name or name in known or name not in made for name in node.input):
                ordered.append(node)
                known.update(node.output)
            else:
                later.append(node)
        if len(later) == len(waiting):
            names = ", ".join(f"`{n.name}`" for n in waiting[:4])
            raise ModelError("the graph has a cycle", where=f"nodes {names}", hint="a feed-forward graph is needed")
        waiting = later
    return ordered
