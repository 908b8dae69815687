"""The C folder: model.h, model.c, the kernels in use, weights, model.json, README and a runnable example."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hilgate.compile.graph import Graph, Site, Tensor
from hilgate.compile.ops.base import Call, Pointer
from hilgate.compile.options import Options
from hilgate.compile.plan import Plan
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.weights import Blob

HERE = Path(__file__).parent
COMMON = ("arithmetic.h", "dsp.h")
TEST_VECTOR_SEED = 1


@dataclass(frozen=True)
class Emission:
    """Everything that the files are made from. layers: the nodes that have a call, in order."""

    graph: Graph
    layers: list[Site]
    plan: Plan
    blob: Blob
    options: Options
    source_hash: str


def files(made: Emission) -> dict[str, bytes]:
    """Name -> content of every file of the folder but model.json."""
    kernels = _kernels(made.layers)
    context = _context(made, sorted(name for name in kernels if name.endswith(".c")))
    architecture = architecture_hash(
        [*kernels.values(), _render("model.h.j2", context), _render("model.c.j2", context)]
    )
    context["architecture_bytes"] = _c_bytes(architecture)
    blob = made.blob.with_header(architecture)
    result = dict(kernels)
    result["weights.bin"] = blob
    for name in ("model.h", "model.c", "README.md", "example/main.c"):
        result[name] = _render(f"{name}.j2", context)
    result["weights.c"] = _render("weights.c.j2", {**context, "weights_rows": _c_rows(blob)})
    vector = {"input_rows": _c_rows(context["vector_input"]), "output_rows": _c_rows(context["vector_output"])}
    result["example/test_vector.h"] = _render("example/test_vector.h.j2", vector)
    return result


def architecture_hash(code: Iterable[bytes]) -> bytes:
    """The first 16 bytes of SHA-256 over the generated code (its own hash slot empty) and the kernels."""
    digest = hashlib.sha256()
    for content in code:
        digest.update(hashlib.sha256(content).digest())
    return digest.digest()[:16]


def description(made: Emission, written: dict[str, bytes]) -> dict[str, Any]:
    """The content of model.json."""
    blob = written["weights.bin"]
    views = [
        {"tensor": v.tensor, "offset": v.offset, "bytes": v.bytes, "first_layer": v.first, "last_layer": v.last}
        for v in made.plan.views
    ]
    return ({"views": views} if views else {}) | {
        "name": made.graph.name,
        "source_hash": made.source_hash,
        "architecture_hash": blob[8:24].hex(),
        "input": [_edge(made, name) for name in made.graph.inputs],
        "output": [_edge(made, name) for name in made.graph.outputs],
        "arena_bytes": made.plan.arena_bytes,
        "weights_bytes": len(blob),
        "weights_hash": hashlib.sha256(blob).hexdigest(),
        "macs": sum(site.node.op.macs(site) for site in made.layers),
        "layers": [_layer(made, index, site) for index, site in enumerate(made.layers)],
        "arena": [
            {
                "tensor": ", ".join(b.tensors),
                "offset": b.offset,
                "bytes": b.bytes,
                "first_layer": b.first,
                "last_layer": b.last,
            }
            for b in made.plan.buffers
        ],
        "options": _options(made.options),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(written.items())},
    }


def _options(options: Options) -> dict[str, Any]:
    """The choices; those that came later are named only where they are made."""
    default, later = asdict(Options()), ("layers", "max_arena_bytes", "max_slowdown")
    chosen = {**asdict(options), "without": list(options.without)}
    return {key: value for key, value in chosen.items() if key not in later or value != default[key]}


def _edge(made: Emission, name: str) -> dict[str, Any]:
    tensor = made.graph.tensors[name]
    quant = tensor.quantization
    return {
        "name": name,
        "shape": list(tensor.shape),
        "scale": quant.only_scale if quant else 1.0,
        "zero_point": quant.zero_point if quant else 0,
        "offset": made.plan.offset[name],
        "bytes": tensor.bytes,
    }


def _layer(made: Emission, index: int, site: Site) -> dict[str, Any]:
    call = _call(site)
    strip = {"strip_of": site.node.origin} if site.node.origin else {}
    return {
        **strip,
        "name": site.node.name,
        "op": site.node.op.kind,
        "kernel": call.function,
        "input_shapes": [list(t.shape) for t in site.inputs if not t.constant],
        "output_shape": list(site.output.shape),
        "macs": site.node.op.macs(site),
        "weights_bytes": made.blob.layer_bytes[index],
        "output_offset": made.plan.offset[site.output.name],
        "output_bytes": site.output.bytes,
    }


def _call(site: Site) -> Call:
    call = site.node.op.call(site)
    if call is None:
        raise site.refuse("has no kernel")
    return call


def _kernels(layers: list[Site]) -> dict[str, bytes]:
    """The C files of the operators in use, and what they include."""
    result = {name: (HERE / name).read_bytes() for name in COMMON}
    for source in {source for site in layers for source in site.node.op.sources(site)}:
        result[Path(source).name] = (HERE / source).read_bytes()
    return dict(sorted(result.items()))


def _context(made: Emission, kernel_sources: list[str]) -> dict[str, Any]:
    vector = random_inputs(made.graph, 1, TEST_VECTOR_SEED)
    outputs = run_reference(made.graph, vector)
    return {
        "name": comment(made.graph.name),
        "inputs": _edges(made, made.graph.inputs),
        "outputs": _edges(made, made.graph.outputs),
        "arena_bytes": made.plan.arena_bytes,
        "weights_bytes": made.blob.total_bytes,
        "payload_bytes": len(made.blob.payload),
        "kernels": kernel_sources,
        "preamble": list(dict.fromkeys(text for site in made.layers for text in _call(site).preamble)),
        "layers": _layers_code(made),
        "macs": sum(site.node.op.macs(site) for site in made.layers),
        "architecture_bytes": _c_bytes(bytes(16)),
        "vector_input": b"".join(vector[name].tobytes() for name in made.graph.inputs),
        "vector_output": b"".join(array.tobytes() for array in outputs),
    }


def _edges(made: Emission, names: list[str]) -> list[dict[str, Any]]:
    """For each edge the suffix of its macros (the first has none), place and meaning."""
    return [
        {**_edge(made, name), "suffix": f"_{index}" if index else "", "what": describe(made.graph.tensors[name])}
        for index, name in enumerate(names)
    ]


def _layers_code(made: Emission) -> list[dict[str, Any]]:
    """Each layer is a function. Strips of one layer that differ only in where they read and write share the first's."""
    first: dict[tuple[object, ...], int] = {}
    layers = []
    for index, site in enumerate(made.layers):
        code = _layer_code(made, index, site)
        if site.node.origin:
            places = [p for p in _call(site).pointers if p.kind != "section"]
            code |= {"parameters": [f"at_{i}" for i in range(len(places))]}
            code["arguments"] = [_offset(made, index, site, p) for p in places]
            names = iter(code["parameters"])
            code["pointers"] = [
                text if p.kind == "section" else _at(p, next(names))
                for p, text in zip(_call(site).pointers, code["pointers"], strict=True)
            ]
            key = site.node.origin, code["function"], *code["pointers"], *code["constants"]
            code["code"] = first.setdefault(key, index)
        layers.append(code)
    return layers


def _layer_code(made: Emission, index: int, site: Site) -> dict[str, Any]:
    """code: the layer whose function it is; parameters, arguments: of strips, where in the arena."""
    call = _call(site)
    return {
        "code": index,
        "parameters": [],
        "arguments": [],
        "index": index,
        "title": comment(f"{site.node.op.kind} `{site.node.name}` to {describe(site.output)}"),
        "macs": site.node.op.macs(site),
        "function": call.function,
        "pointers": [_pointer(made, index, site, pointer) for pointer in call.pointers],
        "constants": [f"/* {name} */ {_constant(value)}" for name, value in call.constants.items()],
        "uses_weights": any(p.kind == "section" for p in call.pointers),
        "offset": made.plan.offset[site.output.name],
        "bytes": site.output.bytes,
    }


def _constant(value: int | str) -> str:
    return value if isinstance(value, str) else f"{value}{'u' if value >= 0 else ''}"


def _pointer(made: Emission, index: int, site: Site, pointer: Pointer) -> str:
    if pointer.kind == "section":
        return f"(const {pointer.c_type} *)(weights + {made.blob.offset[index, str(pointer.key)]}u)"
    return _at(pointer, f"{_offset(made, index, site, pointer)}u")


def _at(pointer: Pointer, place: str) -> str:
    const = "const " if pointer.kind == "input" else ""
    return f"({const}{pointer.c_type} *)(arena + {place})"


def _offset(made: Emission, index: int, site: Site, pointer: Pointer) -> int:
    """Where in the arena an input, an output or scratch lies."""
    if pointer.kind == "scratch":
        return made.plan.scratch[index]
    tensors = site.inputs if pointer.kind == "input" else site.outputs
    return made.plan.offset[tensors[int(pointer.key)].name]


def describe(tensor: Tensor) -> str:
    """Such as `int8 (1, 28, 28, 1)`."""
    return f"{tensor.dtype} ({', '.join(map(str, tensor.shape))})"


def comment(text: str) -> str:
    """Text from the model file made harmless inside a C comment or Markdown: names are hostile too."""
    return re.sub(r"[^A-Za-z0-9_.,:()\[\]` -]|\?\?", "_", text)[:200]


def _c_bytes(content: bytes) -> str:
    return ", ".join(f"0x{b:02x}" for b in content)


def _c_rows(content: bytes) -> str:
    """Bytes as decimal C array rows; 24 a row keep weights.c small enough to open."""
    return ",\n    ".join(",".join(map(str, content[i : i + 24])) for i in range(0, len(content), 24))


def _render(template: str, context: dict[str, Any]) -> bytes:
    import jinja2

    environment = jinja2.Environment(  # noqa: S701  the templates make C, not HTML; names pass comment()
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(context).encode()
