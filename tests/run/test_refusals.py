"""What must not be measured is refused in one clear line with its exit code, and what was measured before stays."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hilgate.arrays import read_npz, write_npz
from hilgate.artifacts import artifact
from hilgate.build.build import execute as build
from hilgate.errors import ArtifactError, DeviceError, ParamsError, ParityError, StaleImageError
from hilgate.hashing import image_hashes
from hilgate.hostc import build_host_library
from hilgate.link.protocol import IdentifyAnswer
from hilgate.params import Params, load_params
from hilgate.run.identity import check_identity
from hilgate.run.run import execute
from hilgate.run.settings import settings_of
from hilgate.run.subject import load_subject

pytestmark = pytest.mark.arm
NUCLEO, QEMU = "blobs_nucleo_f446re", "blobs_qemu_stm32f405"


def test_an_image_that_is_not_the_one_under_test(hilgate, project: Path) -> None:
    old = shutil.copy(artifact(project, "build.elf", NUCLEO), project / "old.elf")
    text = (
        (project / "params.yaml")
        .read_text()
        .replace("nucleo_f446re: { optimize: O2 }", "nucleo_f446re: { optimize: Os }")
    )
    (project / "params.yaml").write_text(text)
    build(NUCLEO, load_params(project), project)
    code, line = hilgate("run", NUCLEO, "--on", f"virtual://nucleo_f446re?image={old.name}")
    assert code == 26
    meant = load_subject(NUCLEO, load_params(project), project).hashes.image.hex()
    assert f"the one under test is {meant[:16]}" in line
    assert "flash firmware.elf" in line


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("weights", "the board holds weights "),
        ("slot", "the image on the board is damaged: its hash does not match its header"),
    ],
)
def test_an_image_of_which_one_byte_differs(hilgate, project: Path, part: str, says: str) -> None:
    """The image's hash covers neither the weights, which have one of their own, nor the slot that it is kept in."""
    elf = artifact(project, "build.elf", NUCLEO)
    blob = (artifact(project, "compile.folder", "blobs") / "weights.bin").read_bytes()
    content = bytearray(elf.read_bytes())
    at = {"weights": content.index(blob) + len(blob) - 1, "slot": image_hashes(elf).slot_file_offset}
    content[at[part]] ^= 1
    (project / "other.elf").write_bytes(content)
    code, line = hilgate("run", NUCLEO, "--on", "virtual://nucleo_f446re?image=other.elf")
    assert code == 26
    assert says in line and "flash firmware.elf of cell `blobs_nucleo_f446re` and run again" in line


def test_another_board(hilgate, project: Path) -> None:
    elf = artifact(project, "build.elf", QEMU).relative_to(project)
    code, line = hilgate("run", NUCLEO, "--on", f"virtual://qemu_stm32f405?image={elf}")
    assert code == 26
    assert "the one under test is" in line


def test_a_firmware_of_this_computer_is_no_target(hilgate) -> None:
    code, line = hilgate("run", NUCLEO, "--on", "host://?program=firmware")
    assert code == 2
    assert "not the image under test" in line


def test_an_unknown_cell(hilgate) -> None:
    code, line = hilgate("run", "blobs_on_the_moon")
    assert code == 3
    assert NUCLEO in line


def test_a_missing_file_names_the_command_that_makes_it(hilgate, project: Path) -> None:
    artifact(project, "build.elf", NUCLEO).unlink()
    code, line = hilgate("run", NUCLEO)
    assert code == 9
    assert f"make it with `hilgate build {NUCLEO}`" in line


def test_a_board_id_that_is_not_the_cells(project: Path, params: Params) -> None:
    path = project / "firmware/boards/nucleo_f446re/board.toml"
    path.write_text(path.read_text().replace("board_id = 1 ", "board_id = 77 "))
    with pytest.raises(StaleImageError, match=r"this is board 1, the cell is for nucleo_f446re \(77\)"):
        execute(NUCLEO, params, project)


@pytest.mark.parametrize("field", ["input_bytes", "output_bytes", "layers"])
def test_a_firmware_that_contradicts_its_own_hash(project: Path, params: Params, field: str) -> None:
    """A firmware may say what it likes; the shapes that it says are compared before they are used."""
    subject = load_subject(NUCLEO, params, project)
    said = IdentifyAnswer(
        version=1, board_id=1, state=0, clock_source=1, reset_cause=1, counter=1, clock_hz=1, baud=1,
        input_bytes=24, output_bytes=3, layers=2, image_ok=1, fault_pending=0, uid=bytes(12),
        image_hash=subject.hashes.image, architecture_hash=subject.hashes.architecture,
        weights_hash=subject.hashes.weights,
    )  # fmt: skip
    check_identity(SimpleNamespace(identity=said, name="board"), subject)
    with pytest.raises(DeviceError, match="in, out and layers"):
        check_identity(SimpleNamespace(identity=replace(said, **{field: 99}), name="board"), subject)


def test_a_damaged_image(project: Path, params: Params) -> None:
    elf = artifact(project, "build.elf", NUCLEO)
    content = bytearray(elf.read_bytes())
    content[content.index(b"HGI1") + 200] ^= 1
    elf.write_bytes(content)
    with pytest.raises(ArtifactError, match="do not match the hash in its header"):
        execute(NUCLEO, params, project)


@pytest.mark.parametrize("damage", [b"", b"\x7fELF", b"no ELF at all"])
def test_a_file_that_is_no_image(project: Path, params: Params, damage: bytes) -> None:
    artifact(project, "build.elf", NUCLEO).write_bytes(damage)
    with pytest.raises(ArtifactError, match="is no firmware of hilgate"):
        execute(NUCLEO, params, project)


def test_sizes_of_another_build(project: Path, params: Params) -> None:
    shutil.copy(artifact(project, "build.sizes", QEMU), artifact(project, "build.sizes", NUCLEO))
    with pytest.raises(ArtifactError, match=r"sizes.json belongs to another firmware.elf"):
        execute(NUCLEO, params, project)


def test_firmware_of_another_model(project: Path, params: Params) -> None:
    path = artifact(project, "compile.model", "blobs")
    path.write_text(path.read_text().replace('"weights_hash": "', '"weights_hash": "0000')[:-5] + "\n", "utf-8")
    path.write_text(path.read_text(), "utf-8")
    with pytest.raises(ArtifactError):
        execute(NUCLEO, params, project)


def test_a_reference_that_the_compiled_c_contradicts(project: Path, params: Params) -> None:
    path = artifact(project, "compile.vectors", "blobs")
    arrays = read_npz(path, ("input", "expected", "label"))
    arrays["expected"][17, 1] ^= 1
    write_npz(path, arrays)
    with pytest.raises(ParityError, match=r"the compiled C gives \[.*\] for test sample 17, the NumPy reference \["):
        execute(NUCLEO, params, project)


def test_a_board_whose_kernel_is_wrong(project: Path, params: Params) -> None:
    """Here the reference is what is wrong, in its second layer: all that the board can say is that the two differ."""
    folder = project / "other_c"
    shutil.copytree(artifact(project, "compile.folder", "blobs"), folder)
    source = folder / "model.c"
    text = source.read_text()
    call = "layer_1(weights, arena);"
    assert text.count(call) == 2  # in model_run and in model_profile
    source.write_text(text.replace(call, f"{call} arena[MODEL_OUTPUT_OFFSET + 2] ^= 4;"))
    library = build_host_library(folder, load_subject(NUCLEO, params, project).library)
    subject = load_subject(NUCLEO, params, project)
    arrays = {"input": subject.x, "expected": outputs_of(library, subject.model, subject.x), "label": subject.labels}
    write_npz(artifact(project, "compile.vectors", "blobs"), arrays)
    with pytest.raises(
        ParityError, match=r"test sample \d+: output 2 differs; .* layer that differs is 1 \(second\); got"
    ) as caught:
        execute(NUCLEO, params, project)
    assert "expected [" in caught.value.what


def outputs_of(library: Path, model: dict, x: np.ndarray) -> np.ndarray:
    from hilgate.run.hostmodel import HostModel

    host = HostModel(library, model)
    return np.array([np.frombuffer(host.run(row), np.int8) for row in x])


def test_a_layer_that_differs_though_the_output_does_not(project: Path, params: Params) -> None:
    folder = project / "other_c"
    shutil.copytree(artifact(project, "compile.folder", "blobs"), folder)
    text = (folder / "model.c").read_text()
    changed = text.replace("after(context, 0u, arena", "after(context, 0u, 1 + arena")
    assert changed != text
    (folder / "model.c").write_text(changed)
    build_host_library(folder, load_subject(NUCLEO, params, project).library)
    with pytest.raises(ParityError, match=r"layer 0 \(first\) differs .* though the output does not"):
        execute(NUCLEO, params, project)


def test_a_library_that_is_none(project: Path, params: Params) -> None:
    load_subject(NUCLEO, params, project).library.write_bytes(b"not a library")
    with pytest.raises(ArtifactError, match="cannot be loaded"):
        execute(NUCLEO, params, project)


@pytest.mark.parametrize(
    ("old", "new"), [("vectors: 12", "vectors: 0"), ("runs: 5", "runs: -1"), ("warmup: 1", "warmup: 999")]
)
def test_settings_out_of_range(project: Path, old: str, new: str) -> None:
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace(old, new))
    with pytest.raises(ParamsError, match="must lie between"):
        settings_of("blobs", load_params(project))
