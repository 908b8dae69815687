"""Run generated C folders: on the host under ASan and UBSan, and cross-compiled on a bare virtual core."""

from __future__ import annotations

import logging
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hilgate.compile import emit
from hilgate.compile.compile import allocate
from hilgate.compile.graph import Graph
from hilgate.compile.options import Options

WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
CORES = {"cortex-m4": ["-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16"], "cortex-m3": [], "cortex-m0": []}
RENAMED = ("model_run", "model_profile", "model_check", "model_architecture_hash", "model_weights")

HOST_MAIN = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
typedef void (*run_fn)(const uint8_t *, uint8_t *);
%(declarations)s
static const struct { run_fn run; uint32_t arena, inputs, outputs, place[256]; } table[] = {%(rows)s};
static void fill(uint8_t *to, uint32_t bytes) { if (fread(to, 1, bytes, stdin) != bytes) exit(9); }
int main(int count, char **arguments) {
    (void)count;
    const uint32_t index = (uint32_t)atoi(arguments[1]), bytes = (uint32_t)atoi(arguments[2]), n =
    (uint32_t)atoi(arguments[3]); uint8_t *weights = aligned_alloc(16, (bytes + 15u) / 16u * 16u), *arena =
    malloc(table[index].arena); fill(weights, bytes);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *place = table[index].place;
        memset(arena, 0xa5, table[index].arena);
        for (uint32_t k = 0; k < table[index].inputs; k++, place += 2) fill(arena + place[0], place[1]);
        table[index].run(weights, arena);
        for (uint32_t k = 0; k < table[index].outputs; k++, place += 2) fwrite(arena + place[0], 1, place[1], stdout);
    }
    free(weights);
    free(arena);
    return 0;
}
"""


@dataclass
class Built:
    """One compiled graph in a bundle. blob: weights.bin; places: (offset, bytes) of inputs, then of outputs."""

    graph: Graph
    made: emit.Emission
    blob: bytes

    @property
    def places(self) -> list[tuple[int, int]]:
        names = [*self.graph.inputs, *self.graph.outputs]
        return [(self.made.plan.offset[name], self.graph.tensors[name].bytes) for name in names]


def run_quietly(command: list[str]) -> None:
    """Run a compiler; what it says is the failure."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


class Bundle:
    """Several graphs compiled into one host program and one image per core; each runs by its index."""

    def __init__(self, graphs: list[Graph], folder: Path, options: Options | None = None) -> None:
        self.folder, self.built = folder, []
        for index, graph in enumerate(graphs):
            made = allocate(graph, options or Options(), "0" * 64)
            written = emit.files(made)
            for name, content in written.items():
                path = folder / f"case_{index}" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self.built.append(Built(graph, made, written["weights.bin"]))
            self._wrap(index)
        self._images: dict[str, Path] = {}
        self._host: Path | None = None

    def _wrap(self, index: int) -> None:
        defines = "".join(f"#define {name} case_{index}_{name}\n" for name in RENAMED)
        (self.folder / f"case_{index}.c").write_text(f'{defines}#include "case_{index}/model.c"\n')

    @property
    def sources(self) -> list[str]:
        return [str(self.folder / f"case_{index}.c") for index in range(len(self.built))]

    def host(self, index: int, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Outputs (N, *shape) of the host program; a sanitizer's report fails."""
        built = self.built[index]
        if self._host is None:
            self._host = self._build_host()
        count = next(iter(inputs.values())).shape[0]
        stream = built.blob + b"".join(inputs[name][i].tobytes() for i in range(count) for name in built.graph.inputs)
        command = [str(self._host), str(index), str(len(built.blob)), str(count)]
        done = subprocess.run(command, input=stream, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        return self._split(built, done.stdout, count)

    def _build_host(self) -> Path:
        rows = ", ".join(
            f"{{case_{i}_model_run, {b.made.plan.arena_bytes}, {len(b.graph.inputs)}, {len(b.graph.outputs)}, "
            f"{{{', '.join(f'{o}, {s}' for o, s in b.places)}}}}}"
            for i, b in enumerate(self.built)
        )
        declarations = "".join(
            f"void case_{i}_model_run(const uint8_t *, uint8_t *);\n" for i in range(len(self.built))
        )
        main = self.folder / "host_main.c"
        main.write_text(HOST_MAIN % {"rows": rows, "declarations": declarations})
        program = self.folder / "host"
        objects = self._objects("gcc", ["-O1", "-g", *WARNINGS, *SANITIZE], "host", [str(main), *self.sources])
        run_quietly(["gcc", *SANITIZE, "-o", str(program), *objects])
        return program

    def core(self, cpu: str, index: int, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The same on a bare virtual core, cross-compiled for `cpu`."""
        from hilgate.virtual.bare import SCRATCH, BareMachine

        built = self.built[index]
        machine = BareMachine(self.image(cpu), cycles=False)
        weights_at, arena_at = SCRATCH, SCRATCH + (1 << 19)
        machine.write(weights_at, built.blob)
        count = next(iter(inputs.values())).shape[0]
        ins = built.places[: len(built.graph.inputs)]
        stream = bytearray()
        for i in range(count):
            for name, (offset, _) in zip(built.graph.inputs, ins, strict=True):
                machine.write(arena_at + offset, inputs[name][i].tobytes())
            machine.call(f"case_{index}_model_run", weights_at, arena_at)
            for offset, size in built.places[len(ins) :]:
                stream += machine.read(arena_at + offset, size)
        return self._split(built, bytes(stream), count)

    def image(self, cpu: str) -> Path:
        """One linked image of all graphs for a core."""
        if cpu not in self._images:
            target = ["-mcpu=" + cpu, "-mthumb", *CORES[cpu], "-ffreestanding"]
            objects = self._objects("arm-none-eabi-gcc", ["-O2", *WARNINGS, *target], cpu, self.sources)
            path = self.folder / f"{cpu}.elf"
            link = [*target, "-nostdlib", "-Wl,-Ttext=0x08000000,-e,0,--no-warn-rwx-segments"]
            # -lc only for memcpy, which gcc may emit even when freestanding
            run_quietly(["arm-none-eabi-gcc", *link, "-o", str(path), *objects, "-lc", "-lgcc"])
            self._images[cpu] = path
        return self._images[cpu]

    def _objects(self, compiler: str, flags: list[str], stem: str, sources: list[str]) -> list[str]:
        """Compile every source, two at a time."""
        objects = [str(self.folder / f"{stem}_{index}.o") for index in range(len(sources))]
        with ThreadPoolExecutor(2) as pool:
            commands = [[compiler, *flags, "-c", s, "-o", o] for s, o in zip(sources, objects, strict=True)]
            list(pool.map(run_quietly, commands))
        return objects

    @staticmethod
    def _split(built: Built, stream: bytes, count: int) -> list[np.ndarray]:
        tensors = [built.graph.tensors[name] for name in built.graph.outputs]
        size = sum(tensor.bytes for tensor in tensors)
        assert len(stream) == size * count
        rows = np.frombuffer(stream, np.uint8).reshape(count, size)
        outputs, at = [], 0
        for tensor in tensors:
            part = np.ascontiguousarray(rows[:, at : at + tensor.bytes]).view(tensor.dtype)
            outputs.append(part.reshape(count, *tensor.shape))
            at += tensor.bytes
        return outputs


@pytest.fixture(scope="session")
def make_bundle(tmp_path_factory: pytest.TempPathFactory):
    """make_bundle(graphs) -> Bundle in a folder of its own, removed at the end of the session."""
    folders: list[Path] = []

    def make(graphs: list[Graph], options: Options | None = None) -> Bundle:
        folders.append(tmp_path_factory.mktemp("bundle"))
        return Bundle(graphs, folders[-1], options)

    yield make
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def quantized(network, shape: tuple[int, ...], folder: Path, name: str, **choices) -> Path:
    """A torch network exported and quantized as the pipeline does it; returns the path of the int8 QDQ file."""
    import torch
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            generator = np.random.default_rng(1)
            self.samples = iter([{"input": generator.random(shape, np.float32)} for _ in range(16)])

        def get_next(self):
            return next(self.samples, None)

    floating, integer = folder / f"{name}_float.onnx", folder / f"{name}.onnx"
    options = {"dynamo": True, "opset_version": 20, "external_data": False, "verbose": False}
    names = {"input_names": ["input"], "output_names": ["output"]}
    torch.onnx.export(network.eval(), (torch.zeros(shape),), str(floating), **options, **names)
    types = {"activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8}
    choices = {"per_channel": True, "quant_format": QuantFormat.QDQ, **types, **choices}
    quantize_static(str(floating), str(integer), Reader(), **choices)
    return integer


@pytest.fixture(scope="session")
def make_quantized(tmp_path_factory: pytest.TempPathFactory):
    """make_quantized(network, shape, name, **choices) -> path of an int8 QDQ file."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    folder = tmp_path_factory.mktemp("networks")

    def make(network, shape: tuple[int, ...], name: str, **choices) -> Path:
        return quantized(network, shape, folder, name, **choices)

    return make


def onnxruntime_tensors(path: Path, real: np.ndarray) -> dict[str, np.ndarray]:
    """Every quantized tensor of one run with graph optimisations off, by the names on both sides of its
    QuantizeLinear, and the outputs.
    """
    import onnx
    import onnxruntime as ort

    model = onnx.load(path)
    quantizers = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    outputs = [node.output[0] for node in quantizers] + [value.name for value in model.graph.output]
    for name in outputs[: len(quantizers)]:
        model.graph.output.append(onnx.ValueInfoProto(name=name))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = dict(zip(outputs, session.run(outputs, {"input": real}), strict=True))
    found.update({node.input[0]: found[node.output[0]] for node in quantizers})
    return found


@pytest.fixture(scope="session")
def ort_tensors():
    return onnxruntime_tensors


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Int8 QDQ files of fully connected networks, by name."""
    import torch
    from torch import nn

    torch.manual_seed(7)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    folder = tmp_path_factory.mktemp("models")

    def digits(*tail: nn.Module) -> nn.Module:
        hidden = [nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)]
        return nn.Sequential(*hidden, *tail)

    class ArgMax(nn.Module):
        def forward(self, x):
            return torch.argmax(x, dim=1)

    small = nn.Sequential(nn.Linear(12, 20), nn.ReLU6(), nn.Linear(20, 7))
    biased = nn.Sequential(nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 7), nn.Softmax(-1))
    made = {
        "digits": quantized(digits(), (1, 784), folder, "digits"),
        "softmax": quantized(nn.Sequential(nn.Flatten(), digits(nn.Softmax(-1))), (1, 1, 28, 28), folder, "softmax"),
        "argmax": quantized(digits(ArgMax()), (1, 784), folder, "argmax"),
        "gemm_alone": quantized(digits(), (1, 784), folder, "gemm_alone", op_types_to_quantize=["Gemm"]),
        "relu6": quantized(small, (1, 12), folder, "relu6"),
        "kept_relu": quantized(
            small, (1, 12), folder, "kept_relu", extra_options={"QDQKeepRemovableActivations": True}
        ),
        "matmul_add": quantized(small, (1, 5, 12), folder, "matmul_add"),
        "matmul_bias": quantized(biased, (1, 5, 12), folder, "matmul_bias", op_types_to_quantize=["MatMul", "Softmax"]),
    }
    normed = nn.Sequential(nn.BatchNorm1d(12), nn.Linear(12, 20), nn.ReLU(), nn.BatchNorm1d(20), nn.Linear(20, 7))
    normed[3].running_mean.copy_(torch.rand(20) - 0.5)
    normed[3].running_var.copy_(torch.rand(20) + 0.5)
    slopes = nn.Sequential(
        nn.Linear(12, 20), nn.PReLU(init=0.2), nn.Linear(20, 7), nn.GELU(approximate="tanh"), nn.Linear(7, 5)
    )
    return made | {
        "normed": quantized(normed, (1, 12), folder, "normed"),
        "slopes": quantized(slopes, (1, 12), folder, "slopes"),
    }


@pytest.fixture(scope="session")
def warnings_flags() -> list[str]:
    return WARNINGS
