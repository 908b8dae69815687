"""hilgate doctor and the shelf of external programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hilgate import doctor, tools
from hilgate.errors import ToolMissingError


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH that holds nothing; the folder, to put fakes into."""
    monkeypatch.setenv("PATH", str(tmp_path))
    tools.tool_version.cache_clear()
    yield tmp_path
    tools.tool_version.cache_clear()


def fake(folder: Path, name: str, answer: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)


def by_name() -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine()}


def test_missing_tool_says_what_it_is_for_and_how_to_get_it(bare_path: Path) -> None:
    with pytest.raises(ToolMissingError) as error:
        tools.find_tool("arm-none-eabi-gcc")
    assert str(error.value) == (
        "arm-none-eabi-gcc: this program is not installed (it builds the firmware; get it with "
        "`sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi`)"
    )


@pytest.mark.parametrize(
    ("program", "answer", "version"),
    [
        ("arm-none-eabi-gcc", "arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205", "12.2.1 20221205"),
        ("arm-none-eabi-gcc", "arm-none-eabi-gcc (Arm GNU Toolchain 13.3.Rel1) 13.3.1 20240614", "13.3.1 20240614"),
        ("gcc", "gcc (Debian 12.2.0-14+deb12u1) 12.2.0", "12.2.0"),
        ("qemu-system-arm", "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", "7.2.22"),
        ("ninja", "1.11.1", "1.11.1"),
        ("ninja", "no number", "unknown"),
    ],
)
def test_versions_are_read_from_what_programs_say(bare_path: Path, program: str, answer: str, version: str) -> None:
    fake(bare_path, program, answer)
    assert tools.tool_version(program) == version


def test_pinned_compiler_is_recognised_and_others_are_not(bare_path: Path) -> None:
    assert not tools.has_pinned_compiler()
    fake(bare_path, "arm-none-eabi-gcc", f"arm-none-eabi-gcc (Debian) {tools.PINNED_ARM_GCC}")
    assert tools.has_pinned_compiler()
    tools.tool_version.cache_clear()
    fake(bare_path, "arm-none-eabi-gcc", "arm-none-eabi-gcc (Arm) 13.3.1 20240614")
    assert not tools.has_pinned_compiler()
    assert by_name()["arm-none-eabi-gcc"].state == "note"
    assert tools.PINNED_ARM_GCC in by_name()["arm-none-eabi-gcc"].todo


def test_pinned_compiler_is_the_one_of_the_container(root: Path) -> None:
    dockerfile = (root / ".github/container/Dockerfile").read_text()
    assert "gcc-arm-none-eabi=15:12.2.rel1-1" in dockerfile
    assert tools.PINNED_ARM_GCC.startswith("12.2.1 ")


def test_everything_missing_is_unhealthy_and_optional_things_alone_are_not(bare_path: Path) -> None:
    found = by_name()
    assert found["cmake"].state == "missing" and found["cmake"].todo == "sudo apt-get install cmake"
    assert found["openocd"].state == "absent"
    assert not doctor.healthy(list(found.values()))
    assert doctor.healthy([found["openocd"]])
    assert "-> sudo apt-get install cmake" in doctor.as_text(list(found.values()))


@pytest.mark.parametrize(("exit_code", "state"), [(0, "ok"), (1, "missing")])
def test_gcc_without_headers_of_a_c_library_is_unhealthy(bare_path: Path, exit_code: int, state: str) -> None:
    (bare_path / "gcc").write_text(f"#!/bin/sh\n[ $1 = --version ] && echo gcc 12.2.0 || exit {exit_code}\n")
    (bare_path / "gcc").chmod(0o755)
    found = by_name()
    assert found["gcc"].state == "ok" and found["libc"].state == state
    assert found["libc"].todo == ("sudo apt-get install libc6-dev" if exit_code else "")


def test_program_that_says_no_version_is_not_called_well(bare_path: Path) -> None:
    fake(bare_path, "cmake", "Illegal instruction")
    assert by_name()["cmake"].state == "note"
    assert f"is {bare_path}/cmake whole?" in by_name()["cmake"].todo


def test_damaged_compilers_are_findings_and_no_crash(bare_path: Path) -> None:
    for name in ("gcc", "arm-none-eabi-gcc"):
        (bare_path / name).write_bytes(b"\x7fELF")
        (bare_path / name).chmod(0o755)
    found = by_name()
    assert [found[name].state for name in ("gcc", "libc", "arm-none-eabi-gcc", "newlib")] == ["note", "missing"] * 2


def test_only_the_projects_own_environment_is_called_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("mine", "other"):
        (tmp_path / name / ".venv").mkdir(parents=True)
    monkeypatch.setattr(doctor, "find_root", lambda: tmp_path / "mine")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "mine/.venv"))
    assert by_name()["python"].state == "ok"
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "other/.venv"))
    assert by_name()["python"].state == "note" and "make setup" in by_name()["python"].todo


def test_missing_python_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.metadata, "requires", lambda _: ["no-such-package>=1", 'other-one; extra == "dev"'])
    found = by_name()
    assert found["core"].state == "missing" and "no-such-package: make setup" in found["core"].todo
    assert found["dev"].state == "absent"


def test_port_without_permission_says_dialout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from serial.tools import list_ports, list_ports_common

    port = list_ports_common.ListPortInfo(str(tmp_path / "ttyACM0"))
    port.vid, port.pid, port.description = 0x0483, 0x374B, "STM32 STLink"
    monkeypatch.setattr(list_ports, "comports", lambda: [port])
    found = by_name()[port.device]
    assert found.state == "note" and found.version == "0483:374b" and "usermod -aG dialout" in found.todo
    (tmp_path / "ttyACM0").touch()
    assert by_name()[port.device].state == "ok"


def test_command_prints_json_and_its_exit_code_tells(bare_path: Path) -> None:
    command = [sys.executable, "-m", "hilgate.cli", "doctor", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PATH": str(bare_path)}, timeout=60
    )
    document = json.loads(done.stdout)
    assert done.returncode == 8
    assert document["healthy"] is False
    states = {finding["name"]: finding["state"] for finding in document["findings"]}
    assert states["git"] == "missing"
