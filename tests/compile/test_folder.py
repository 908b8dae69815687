"""The emitted folder: compiles alone without warnings, checks its weights, profiles, and depends on nothing but its
model.
"""

from __future__ import annotations

import ctypes
import json
import re
import shlex
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from hilgate.artifacts import read_json
from hilgate.compile.compile import compile_model
from hilgate.compile.options import Options
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.errors import ArtifactError

HOSTILE_NAME = "*/ int main(void){} /*??/"


@pytest.fixture(scope="module")
def compiled(models, tmp_path_factory: pytest.TempPathFactory):
    """(folder, Compiled) of the softmax model."""
    folder = tmp_path_factory.mktemp("out")
    return folder, compile_model(models["softmax"], folder)


@pytest.fixture(scope="module")
def library(compiled, warnings_flags) -> ctypes.CDLL:
    folder, _ = compiled
    path = folder.parent / "libmodel.so"
    command = ["gcc", "-O2", "-shared", "-fPIC", *warnings_flags, "-o", str(path)]
    subprocess.run([*command, str(folder / "model.c"), str(folder / "weights.c")], check=True)
    return ctypes.CDLL(str(path))


def aligned(content: bytes, at: int = 0) -> tuple[ctypes.Array, int]:
    """A copy of `content` whose address is 16-byte aligned plus `at`; the array keeps it alive."""
    room = ctypes.create_string_buffer(len(content) + 64)
    address = (ctypes.addressof(room) + 15) // 16 * 16 + at
    ctypes.memmove(address, content, len(content))
    return room, address


def test_example_builds_and_is_equal_to_the_reference(compiled, tmp_path: Path, warnings_flags) -> None:
    folder, _ = compiled
    sources = [str(folder / name) for name in ("example/main.c", "model.c", "weights.c")]
    flags = [*warnings_flags, "-fsanitize=address,undefined", "-I", str(folder)]
    subprocess.run(["gcc", *flags, "-o", str(tmp_path / "example"), *sources], check=True)
    done = subprocess.run([str(tmp_path / "example")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "equal to the reference\n")


def test_the_command_of_the_readme_works_as_it_stands(models, tmp_path: Path) -> None:
    """With the compiler that is here, as `cc`, in the folder, and without any flag of ours."""
    compile_model(models["digits"], tmp_path)
    (line,) = re.findall(r"^ {4}(cc .*)$", (tmp_path / "README.md").read_text(), re.MULTILINE)
    for words in line.split(" && "):
        done = subprocess.run(shlex.split(words), cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert done.stdout == "equal to the reference\n"


CPP_MAIN = """
#include "model.h"
static void after(void *, uint32_t, const uint8_t *, uint32_t) {}
alignas(16) static uint8_t arena[MODEL_ARENA_BYTES];
int main() {
    if (model_check(model_weights, MODEL_WEIGHTS_BYTES) != MODEL_OK) return 1;
    model_run(model_weights, arena);
    model_profile(model_weights, arena, after, nullptr);
    return model_architecture_hash[0] == model_weights[8] ? 0 : 2;
}
"""


@pytest.mark.skipif(not shutil.which("g++"), reason="no g++: a C++ firmware cannot be tried")
def test_a_firmware_in_cpp_can_use_it(compiled, tmp_path: Path, warnings_flags) -> None:
    folder, _ = compiled
    (tmp_path / "main.cpp").write_text(CPP_MAIN)
    for name in ("model", "weights"):
        command = ["gcc", *warnings_flags, "-c", str(folder / f"{name}.c"), "-o", str(tmp_path / f"{name}.o")]
        subprocess.run(command, check=True)
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror", "-I", str(folder)]
    sources = [str(tmp_path / name) for name in ("main.cpp", "model.o", "weights.o")]
    subprocess.run(["g++", *flags, *sources, "-o", str(tmp_path / "main")], check=True)
    subprocess.run([str(tmp_path / "main")], check=True)


def test_the_header_declares_everything_as_c(compiled) -> None:
    """The same where there is no C++ compiler: every declaration stands within extern "C"."""
    header = (compiled[0] / "model.h").read_text().replace("#include <stdint.h>", "")
    command = ["gcc", "-E", "-P", "-D__cplusplus=201103L", "-x", "c", "-"]
    found = subprocess.run(command, input=header, capture_output=True, text=True, check=True).stdout.strip()
    assert found.startswith('extern "C" {') and found.endswith("}")
    assert all(f"model_{name}" in found for name in ("check", "run", "profile", "weights", "architecture_hash"))


@pytest.mark.arm
@pytest.mark.parametrize("cpu", ["cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7"])
def test_every_file_compiles_alone_without_warnings(cpu: str, compiled, tmp_path: Path, warnings_flags) -> None:
    folder, _ = compiled
    for source in sorted(folder.glob("*.c")):
        flags = [f"-mcpu={cpu}", "-mthumb", "-O2", *warnings_flags]
        subprocess.run(["arm-none-eabi-gcc", *flags, "-c", str(source), "-o", str(tmp_path / "o.o")], check=True)


def test_nothing_is_called_from_outside(compiled, tmp_path: Path, warnings_flags) -> None:
    folder, _ = compiled
    subprocess.run(
        ["gcc", "-O2", *warnings_flags, "-c", str(folder / "model.c"), "-o", str(tmp_path / "m.o")], check=True
    )
    undefined = subprocess.run(["nm", "-u", str(tmp_path / "m.o")], capture_output=True, text=True, check=True).stdout
    assert undefined.strip() == "", "neither malloc nor libm nor anything else"


def test_only_used_kernels_are_emitted(compiled) -> None:
    folder, _ = compiled
    wanted = {"model.c", "weights.c", "fully_connected_wide.c", "softmax.c"}  # every layer is large enough for it
    assert {p.name for p in folder.glob("*.c")} == wanted


def test_model_json_agrees_with_the_header_and_the_files(compiled) -> None:
    folder, made = compiled
    model = read_json(folder / "model.json", "model")
    defines = dict(re.findall(r"#define (MODEL_\w+) (\d+)u", (folder / "model.h").read_text()))
    blob = (folder / "weights.bin").read_bytes()
    assert int(defines["MODEL_ARENA_BYTES"]) == model["arena_bytes"]
    assert int(defines["MODEL_WEIGHTS_BYTES"]) == model["weights_bytes"] == len(blob)
    assert int(defines["MODEL_LAYERS"]) == len(model["layers"]) == 4
    assert int(defines["MODEL_OUTPUT_OFFSET"]) == model["output"][0]["offset"]
    assert model["macs"] == 784 * 128 + 128 * 128 + 128 * 10
    assert set(model["files"]) == {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {
        "model.json"
    }
    assert made.model["weights_hash"] == model["weights_hash"]


def test_blob_header_is_as_documented(compiled) -> None:
    folder, made = compiled
    blob = (folder / "weights.bin").read_bytes()
    magic, version, header, architecture, payload, crc = struct.unpack_from("<4sHH16sII", blob)
    assert (magic, version, header, payload) == (b"HGW1", 1, 64, len(blob) - 64)
    assert architecture.hex() == made.model["architecture_hash"]
    assert crc == zlib.crc32(blob[64:])
    assert blob[32:64] == bytes(32)


def test_model_check_names_each_broken_rule(compiled, library: ctypes.CDLL) -> None:
    blob = (compiled[0] / "weights.bin").read_bytes()

    def check(content: bytes, size: int | None = None, at: int = 0) -> int:
        room, address = aligned(content, at)
        result = library.model_check(ctypes.c_void_p(address), ctypes.c_uint32(len(content) if size is None else size))
        del room
        return result

    def broken(at: int) -> bytes:
        return blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]

    assert check(blob) == 0
    assert check(blob, at=4) == 1
    assert check(blob, size=len(blob) - 1) == 2
    assert check(broken(0)) == 3
    assert check(broken(4)) == 4
    assert check(broken(6)) == 4
    assert check(broken(23)) == 5
    assert check(broken(24)) == 2
    assert check(broken(28)) == 6
    assert check(broken(64)) == 6
    assert check(broken(len(blob) - 1)) == 6


def test_profile_shows_every_layers_output(compiled, library: ctypes.CDLL) -> None:
    folder, made = compiled
    inputs = random_inputs(made.graph, 1, seed=11)
    wanted: list[bytes] = []
    views = {node.name for node in made.graph.nodes if node.op.view}
    run_reference(made.graph, inputs, lambda name, out: None if name in views else wanted.append(out.tobytes()))
    seen: list[tuple[int, bytes]] = []
    callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32)
    after = callback(lambda context, layer, output, size: seen.append((layer, ctypes.string_at(output, size))))
    room, weights = aligned((folder / "weights.bin").read_bytes())
    arena_room, arena = aligned(bytes(made.model["arena_bytes"]))
    data = next(iter(inputs.values())).tobytes()
    ctypes.memmove(arena + made.model["input"][0]["offset"], data, len(data))
    library.model_profile(ctypes.c_void_p(weights), ctypes.c_void_p(arena), after, None)
    assert seen == list(enumerate(wanted))
    del room, arena_room


def test_two_compilations_are_equal_to_the_byte(compiled, models, tmp_path: Path) -> None:
    folder, _ = compiled
    compile_model(models["softmax"], tmp_path / "again")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes(), path.name


def test_retrained_weights_change_the_blob_and_not_the_code(models, tmp_path: Path) -> None:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(models["softmax"])
    for tensor in model.graph.initializer:
        data = numpy_helper.to_array(tensor)
        if data.dtype == np.int8 and data.ndim == 2:
            tensor.CopyFrom(numpy_helper.from_array(-data // 2, tensor.name))
        elif data.dtype == np.float32 and "relu" in tensor.name:
            tensor.CopyFrom(numpy_helper.from_array((data * np.float32(1.7)).astype(np.float32), tensor.name))
    (tmp_path / "new").mkdir()
    onnx.save(model, tmp_path / "new/softmax.onnx")
    old = compile_model(models["softmax"], tmp_path / "a").model
    new = compile_model(tmp_path / "new/softmax.onnx", tmp_path / "b").model
    assert new["architecture_hash"] == old["architecture_hash"]
    assert new["weights_hash"] != old["weights_hash"]
    assert (tmp_path / "a/model.c").read_bytes() == (tmp_path / "b/model.c").read_bytes()


def test_another_architecture_has_another_hash(models, tmp_path: Path) -> None:
    hashes = {
        compile_model(models[name], tmp_path / name, name="same").model["architecture_hash"]
        for name in ("digits", "softmax", "relu6")
    }
    hashes.add(
        compile_model(models["digits"], tmp_path / "f", Options(io="float32"), "same").model["architecture_hash"]
    )
    assert len(hashes) == 4


def test_stale_files_go_and_foreign_files_stay(models, tmp_path: Path) -> None:
    compile_model(models["softmax"], tmp_path)
    (tmp_path / "mine.txt").write_text("keep")
    compile_model(models["digits"], tmp_path)
    assert not (tmp_path / "softmax.c").exists()
    assert (tmp_path / "mine.txt").read_text() == "keep"
    listed = json.loads((tmp_path / "model.json").read_text())
    listed["files"]["../outside.txt"] = "0" * 64
    (tmp_path / "model.json").write_text(json.dumps(listed))
    outside = tmp_path.parent / "outside.txt"
    outside.write_text("keep")
    compile_model(models["digits"], tmp_path)
    assert outside.exists()
    outside.unlink()


@pytest.mark.parametrize("case", ["a file", "below a file", "a folder of that name", "nowhere"])
def test_a_folder_that_cannot_be_written(case: str, models, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    if case == "a folder of that name":
        (taken / "model.c" / "inner").mkdir(parents=True)
    else:
        taken.touch()
    folder = {"below a file": taken / "out", "nowhere": Path("/proc/nowhere/out")}.get(case, taken)
    with pytest.raises(ArtifactError, match=r"cannot be written: .*name another folder") as caught:
        compile_model(models["gemm_alone"], folder)
    assert str(folder.parts[1]) in caught.value.where


def test_hostile_names_stay_inside_comments(models, tmp_path: Path, warnings_flags) -> None:
    import onnx

    model = onnx.load(models["digits"])
    for node in model.graph.node:
        node.name = f"{HOSTILE_NAME}\n{node.output[0]}"
    onnx.save(model, tmp_path / "hostile.onnx")
    compile_model(tmp_path / "hostile.onnx", tmp_path / "c", name=HOSTILE_NAME)
    command = ["gcc", *warnings_flags, "-c", str(tmp_path / "c/model.c"), "-o", str(tmp_path / "m.o")]
    subprocess.run(command, check=True)
