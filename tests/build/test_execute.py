"""The room from end to end: a cell's artifacts, and cells that do not disturb each other."""

from __future__ import annotations

import shutil
import threading

import pytest

from hilgate import params
from hilgate.artifacts import artifact, read_json
from hilgate.build.build import build_image, execute, summary
from hilgate.build.workplace import workplace
from hilgate.catalogue import load_board
from hilgate.errors import BuildError, DoesNotFitError, ParamsError
from hilgate.hashing import image_hashes

pytestmark = pytest.mark.arm
PARAMS = """
cells:
  small_nucleo: { task: small, board: nucleo_f446re }
  huge_nucleo: { task: huge, board: nucleo_f446re }
  small_nowhere: { task: small, board: nowhere }
build:
  nucleo_f446re: { optimize: Os }
  nowhere: {}
"""


@pytest.fixture(scope="module")
def project(root, model, tmp_path_factory):
    """A project with one task that fits and one that does not."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "firmware").symlink_to(root / "firmware")
    (folder / "params.yaml").write_text(PARAMS, "utf-8")
    for task in ("small", "huge"):
        shutil.copytree(model, artifact(folder, "compile.folder", task))
    header = artifact(folder, "compile.folder", "huge") / "model.h"
    header.write_text(header.read_text("utf-8").replace("MODEL_ARENA_BYTES 16u", "MODEL_ARENA_BYTES 900000u"), "utf-8")
    return folder


def test_a_cell_that_does_not_fit_stops_no_other(project):
    settings = params.load_params(project)
    with pytest.raises(DoesNotFitError, match="131,072"):
        execute("huge_nucleo", settings, project)
    assert not artifact(project, "build.elf", "huge_nucleo").exists()
    execute("small_nucleo", settings, project)
    sizes = read_json(artifact(project, "build.sizes", "small_nucleo"), "sizes")
    assert (sizes["cell"], sizes["task"], sizes["board"]) == ("small_nucleo", "small", "nucleo_f446re")
    assert sizes["hashes"]["image"] == image_hashes(artifact(project, "build.elf", "small_nucleo")).image.hex()
    assert sizes["toolchain"]["flags"].startswith("-Os ")
    files = [artifact(project, f"build.{name}", "small_nucleo") for name in ("elf", "sizes")]
    before = [path.read_bytes() for path in files]
    execute("small_nucleo", settings, project)
    assert [path.read_bytes() for path in files] == before, "building again changed a file"


def test_a_second_build_of_the_same_cell_waits_for_the_first(project, monkeypatch):
    settings, waits = params.load_params(project), threading.Event()
    monkeypatch.setattr("hilgate.locks.say", lambda text: waits.set())
    second = threading.Thread(target=execute, args=("small_nucleo", settings, project))
    out = project / ".cache/build/small_nucleo"
    with workplace(out):
        mark = out / "of the first build"
        out.mkdir(parents=True, exist_ok=True)
        mark.touch()
        second.start()
        assert waits.wait(60) and mark.exists()
    second.join(120)
    assert not second.is_alive() and not mark.exists()
    assert artifact(project, "build.elf", "small_nucleo").is_file()


def test_a_folder_that_cannot_be_written_is_no_defect(project, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "artifacts").symlink_to(project / "artifacts")
    for name in ("firmware", "params.yaml"):
        (tmp_path / name).symlink_to(project / name)
    (tmp_path / ".cache").symlink_to(tmp_path / "file")
    with pytest.raises(BuildError, match="cannot be written") as error:
        execute("small_nucleo", params.load_params(tmp_path), tmp_path)
    assert ".cache" in error.value.where and "writable" in error.value.hint


def test_the_summary_names_another_compiler():
    flash, ram = {"total_bytes": 8804, "capacity_bytes": 524288}, {"total_bytes": 7472, "capacity_bytes": 131072}
    sizes = {"cell": "c", "flash": flash, "ram": ram, "hashes": {"image": "ab" * 32}}
    line = summary({**sizes, "toolchain": {"version": "13.2.1", "pinned": False}})
    assert "flash 8,804 of 524,288" in line and "13.2.1 is not the pinned compiler" in line
    assert "pinned" not in summary({**sizes, "toolchain": {"version": "12", "pinned": True}})


def test_a_new_board_from_the_template_builds(root, model, tmp_path):
    shutil.copytree(root / "firmware/boards/TEMPLATE", tmp_path / "firmware/boards/my_board")
    (tmp_path / "firmware/port").symlink_to(root / "firmware/port")
    path = tmp_path / "firmware/boards/my_board/board.toml"
    path.write_text(path.read_text("utf-8").replace("TEMPLATE", "my_board"), "utf-8")
    built = build_image(load_board("my_board", tmp_path), model, tmp_path / "out", firmware=root / "firmware")
    assert built.sizes["board"] == "my_board"


def test_unknown_cell_and_board(project):
    settings = params.load_params(project)
    with pytest.raises(ParamsError, match="no cell `other`"):
        execute("other", settings, project)
    with pytest.raises(ParamsError, match="no board `nowhere`") as error:
        execute("small_nowhere", settings, project)
    assert "nucleo_f446re" in error.value.hint
