"""`hilgate identify`: what a person with a board on the desk asks first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from hilgate.artifacts import artifact
from hilgate.bench import identify as module
from hilgate.bench.identify import identify, lines
from hilgate.cli import main
from hilgate.link.contact import Options
from hilgate.link.frames import Frame, encode
from hilgate.link.protocol import Op
from hilgate.link.session import Session
from hilgate.link.timing import Timing
from hilgate.link.transports import open_port

NUCLEO, QEMU = "blobs_nucleo_f446re", "blobs_qemu_stm32f405"


@pytest.fixture
def ask(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`hilgate identify ...` in the project: exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(["identify", *words])
        return int(caught.value.code or 0), *capsys.readouterr()

    return run


def image_of(project: Path, cell: str) -> str:
    return f"virtual://{cell.removeprefix('blobs_')}?image={artifact(project, 'build.elf', cell).relative_to(project)}"


@pytest.mark.arm
def test_a_board_with_an_image_of_this_project(ask, project: Path) -> None:
    code, out, err = ask("--on", image_of(project, NUCLEO))
    assert (code, err) == (0, "")
    said = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert said["board"].startswith("nucleo_f446re (virtual board 5649525455414c")
    assert said["image"].endswith(f": cell {NUCLEO}")
    assert said["model"] == "24 bytes in, 3 out, 2 layers"
    assert said["clock"] == "180 MHz from hse_bypass_pll, cycles by dwt"
    assert said["reset"] == "power_on"
    assert said["link"] == "115200 baud, 9 frames sent, none repeated"
    assert said["next"] == f"hilgate run {NUCLEO}"


@pytest.mark.arm
def test_the_same_for_programs(ask, project: Path) -> None:
    code, out, _ = ask("--json", "--on", image_of(project, NUCLEO))
    found = json.loads(out)
    assert code == 0
    assert found["board"] == {"id": 1, "name": "nucleo_f446re"}
    assert found["image"]["cell"] == NUCLEO
    assert found["image"]["hash"] == module.image_hashes(artifact(project, "build.elf", NUCLEO)).image.hex()
    assert (found["virtual"], found["probe"], found["crash"]) == (True, None, None)
    assert found["memory"]["stack_seen_bytes"] <= found["memory"]["stack_bytes"]
    assert (found["link"]["echoed"], found["link"]["retried"]) == (True, 0)
    documented = (Path(__file__).parents[2] / "docs/link.md").read_text("utf-8")
    assert all(f"`{key}`" in documented for key in found)


@pytest.mark.arm
def test_an_image_that_no_cell_has_and_one_with_other_weights(ask, project: Path) -> None:
    """The weights are no part of the image's hash: they can be changed without it."""
    elf = artifact(project, "build.elf", NUCLEO)
    other = project / "other.elf"
    content = bytearray(elf.read_bytes())
    blob = (artifact(project, "compile.folder", "blobs") / "weights.bin").read_bytes()
    content[content.index(blob) + len(blob) - 1] ^= 1
    other.write_bytes(content)
    code, out, _ = ask("--on", f"virtual://nucleo_f446re?image={other.name}")
    assert code == 0
    assert f": cell {NUCLEO}, but with other weights" in out
    for known in project.glob("artifacts/build/*/firmware.elf"):
        known.write_bytes(b"not an image")
    code, out, _ = ask("--on", f"virtual://nucleo_f446re?image={other.name}")
    assert code == 0
    assert ": no cell of this project has it" in out
    assert "next" not in out


@pytest.mark.arm
@pytest.mark.qemu
def test_an_emulator_without_an_id(ask, project: Path) -> None:
    url = f"qemu://netduinoplus2?image={artifact(project, 'build.elf', QEMU)}"
    code, out, _ = ask("--on", url)
    assert code == 0
    assert "qemu_stm32f405 (no unique id: no chip)" in out
    assert "cycles by none" in out
    assert out.splitlines()[-1] == f"next     hilgate run {QEMU} --on qemu://netduinoplus2"


@pytest.mark.arm
def test_a_crash_is_told_once_with_its_function(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The board crashed while nobody listened, and was reset; its record waits."""
    port = open_port(image_of(project, NUCLEO))
    close, port.close = port.close, lambda: None  # it stays powered
    session = Session(port, "board", Options(timing=Timing(boot_s=0.5), first_sequence=0))
    crash = Frame(Op.RESET, session.contact.exchange._sequence + 1, b"\1")
    port.write(encode(crash))
    session.wire.pause(1.0)
    monkeypatch.setattr(module, "connect", lambda url, options: Session(port, "/dev/ttyACM0", options))
    first, second = (identify("/dev/ttyACM0", project, Timing()) for _ in range(2))
    assert first["crash"].startswith("the firmware crashed: usage_fault [UNDEFINSTR]; pc 0x080")
    assert "(port_crash+0x" in first["crash"]
    assert any("port_crash" in line for line in lines(first))
    assert second["crash"] is None
    close()


def test_a_port_that_is_not_named(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only one is taken; of none or several nobody guesses."""

    def attached(*names: str) -> None:
        ports = [
            SimpleNamespace(device=n, description="STLink", hwid="USB", vid=0x0483, pid=0x374B, serial_number="0669FF")
            for n in names
        ]
        monkeypatch.setattr(list_ports, "comports", lambda: ports)

    attached()
    code, _, err = ask()
    assert (code, "no serial port is attached" in err) == (21, True)
    attached("/dev/ttyACM98", "/dev/ttyACM99")
    code, _, err = ask()
    assert code == 2
    assert "2 serial ports are attached: /dev/ttyACM98 (ST-LINK/V2-1), /dev/ttyACM99 (ST-LINK/V2-1)" in err
    assert "name one: --on /dev/ttyACM98" in err
    attached("/dev/ttyACM99")
    code, _, err = ask()
    assert (code, "/dev/ttyACM99: there is no such port" in err) == (21, True)


def facts(**other: object) -> dict:
    """What identify gives of a board on a desk that works."""
    return {
        "port": "/dev/ttyACM0", "probe": "0669FF", "board": {"id": 1, "name": "nucleo_f446re"},
        "uid": "00112233445566778899aabb", "virtual": False, "protocol": 1,
        "clock": {"hz": 16_000_000, "source": "reset_default"}, "counter": "dwt", "baud": 115200,
        "reset_cause": "watchdog", "crash": None,
        "image": {"hash": "ab" * 32, "intact": True, "cell": "c", "same_weights": True},
        "model": {"architecture": "cd" * 16, "weights": "ef" * 32, "input_bytes": 1, "output_bytes": 2, "layers": 3},
        "memory": {"arena_bytes": 1, "static_bytes": 2, "stack_bytes": 3, "stack_seen_bytes": 2, "overruns": 0},
        "link": {"echoed": True, "sent": 3, "retried": 0, "damaged": 0, "refused": 0},
    } | other  # fmt: skip


FLASH = "next     hilgate flash artifacts/build/CELL/firmware.elf --board nucleo_f446re"
DAMAGED = {"hash": "ab" * 32, "intact": False, "cell": None, "same_weights": None}
BAD_LINK = {"echoed": False, "sent": 9, "retried": 4, "damaged": 2, "refused": 1}


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({}, "port     /dev/ttyACM0, probe 0669FF"),
        ({}, "next     hilgate run c --on /dev/ttyACM0"),
        ({}, "16 MHz from reset_default"),
        ({"board": {"id": 77, "name": None}}, "unknown here, number 77 (chip 001122"),
        ({"image": DAMAGED}, "damaged, it does not match its own hash"),
        ({"image": DAMAGED}, FLASH),
        ({"link": BAD_LINK}, "9 frames sent, 4 repeated, 2 damaged, 1 refused by the board, an echo came back changed"),
    ],
)
def test_what_a_person_reads(other: dict, says: str) -> None:
    assert says in "\n".join(lines(facts(**other)))
