"""`hilgate flash`: the real OpenOCD as far as it goes without a probe, its words by what it really says, and limits.

What no probe can show here (texts that only hardware provokes) is fed from a program that says them; they are
OpenOCD 0.12.0's own, from its source code, and marked so in openocd.py: not verified on hardware.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hilgate.bench import flash as flash_module
from hilgate.bench.flash import flash_image
from hilgate.bench.flashers import Job, names, openocd
from hilgate.bench.probes import Probe
from hilgate.catalogue import board_names, load_board
from hilgate.errors import ArtifactError, HilgateError, ParamsError, ProbeError, ToolMissingError

PROBE = Probe("0668FF", "ST-LINK/V2-1", "/dev/ttyACM0")
BOARDS = ["nucleo_f401re", "nucleo_f446re", "nucleo_l4r5zi", "stm32h747i_disco"]


@pytest.fixture
def one_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flash_module, "attached_probes", lambda: [PROBE])


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a program called openocd into PATH that says this, ends so, and keeps its command line."""

    def make(text: str, code: int = 1, then: str = "") -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "said").write_text(text)
        script = f'#!/bin/bash\nprintf "%s\\n" "$@" >"{folder}/words"\ncat "{folder}/said" >&2\n{then}\nexit {code}\n'
        (folder / "openocd").write_text(script)
        (folder / "openocd").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return folder / "words"

    return make


def real(words: list[str], folder: Path, *more: str) -> tuple[int, str]:
    """What the installed OpenOCD makes of a command line in this folder."""
    done = subprocess.run([*words, *more], cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def ready(folder: Path, root: Path) -> Path:
    shutil.copy(root / "src/hilgate/bench/flashers/openocd.tcl", folder)
    (folder / "firmware.elf").touch()
    return folder


def test_every_board_with_a_probe_is_known_to_the_tests(root: Path) -> None:
    assert names() == ["openocd"]
    ours = [b for b in board_names(root) if b != "my_board"]  # README's example of a board of one's own
    assert [b for b in ours if "probe" in load_board(b, root).tables] == BOARDS


@pytest.mark.parametrize("board", BOARDS)
def test_the_real_openocd_takes_the_whole_command_and_stops_where_the_probe_is_missing(
    root: Path, tmp_path: Path, board: str
) -> None:
    words = openocd.command(openocd.find_tool("openocd"), openocd.facts_of(load_board(board, root)), PROBE.serial)
    code, said = real(words, ready(tmp_path, root))
    assert code != 0 and "hilgate: connect: " in said
    assert "Error: open failed" in said, said
    assert "Can't find" not in said and "invalid command" not in said and "Listening on port" not in said
    assert openocd.reason(said, "here").what == "the probe does not open: it went away, or another program holds it"


@pytest.mark.parametrize("board", BOARDS)
def test_the_whole_way_ends_in_one_clear_error(root: Path, image: Path, one_probe: None, board: str) -> None:
    with pytest.raises(ProbeError, match="does not open") as caught:
        flash_image(image, board, root)
    assert caught.value.where == f"{board} behind probe {PROBE}" and caught.value.hint == "plug it in again"


# OpenOCD's own `dummy` adapter, `testee` target and `faux` flash bank stand in for a chip; only memory reads are ours.
BENCH_OF_ITS_OWN = """
adapter driver dummy
adapter speed 1000
transport select jtag
jtag newtap t cpu -irlen 4
target create t.cpu testee -chain-position t.cpu
flash bank f faux 0x08000000 0x10000 0 0 t.cpu
rename init openocd_init
proc init {} { openocd_init; overlay }
proc read {address width count} {
    if {$address == 0xE0042000 && $::DEVICE ne "bus fault"} { return $::DEVICE }
    if {$address == 0x40023C14} { return $::OPTIONS }
    error "no memory at $address"
}
proc overlay {} {
    proc read_memory {address width count} { read $address $width $count }
    if {$::VERIFIES} { proc verify_image {name} {} }
}
"""


@dataclass(frozen=True)
class Chip:
    """What a pretended chip answers, and what must come of it."""

    due: str
    device: str = "0x10006421"
    options: str = "0x0fffaaed"
    verifies: int = 1
    writes: bool = False


@pytest.mark.parametrize(
    "chip",
    [
        Chip("hilgate: done", writes=True),
        Chip("what was read back is not what was written", verifies=0, writes=True),
        Chip("device id 0x413 instead of 0x421", device="0x10076413"),
        Chip("read-out protected (RDP byte 0x55)", options="0x0fff55ed"),
        Chip("read-out protected (RDP byte 0xcc)", options="0x0fffcced"),
        Chip("the chip does not obey", device="bus fault"),
    ],
    ids=lambda chip: chip.due,
)
def test_the_script_runs_on_the_real_openocd(root: Path, tmp_path: Path, image: Path, chip: Chip) -> None:
    """openocd.tcl itself: chip check, protection, write (into OpenOCD's pretended flash), verify, reset, in order."""
    folder = tmp_path / "run"
    folder.mkdir()
    ready(folder, root)
    shutil.copy(image, folder / "firmware.elf")
    answers = f"set DEVICE {{{chip.device}}}\nset OPTIONS {chip.options}\nset VERIFIES {chip.verifies}\n"
    (folder / "chip.cfg").write_text(BENCH_OF_ITS_OWN + answers)
    facts = openocd.facts_of(load_board("nucleo_f446re", root))
    words = openocd.command(openocd.find_tool("openocd"), facts, PROBE.serial)
    first = words.index("gdb_port disabled") - 1  # in place of probe and target: the pretended chip
    code, said = real([words[0], "-f", "chip.cfg", *words[first:]], folder)
    assert (code == 0) == (chip.due == "hilgate: done"), said
    assert chip.due in said or chip.due in openocd.reason(said, "x").what, said
    assert ("hilgate: wrote " in said) == chip.writes, said


def test_a_target_file_that_this_openocd_lacks(project: Path, image: Path, one_probe: None) -> None:
    change(project, "target/stm32f4x.cfg", "target/stm32f9x.cfg")
    with pytest.raises(ProbeError, match=r"this OpenOCD has no file target/stm32f9x\.cfg") as caught:
        flash_image(image, "nucleo_f446re", project)
    assert "board.toml" in caught.value.hint


@pytest.mark.parametrize(
    "text_and_due",
    [
        ("Error: libusb_open() failed with LIBUSB_ERROR_ACCESS\nError: open failed", "no permission to use this probe"),
        ("Error: libusb_open() failed with LIBUSB_ERROR_BUSY", "another program uses this probe"),
        ("Error: the selected device is already used", "another program uses this probe"),
        ("Warn : UNEXPECTED idcode: 0x6ba02477\nError: expected 1 of 1: 0x2ba01477", "IDCODE 0x6ba02477"),
        (
            "Warn : Cannot identify target as a STM32 family.\nError: auto_probe failed",
            "the chip is not a STM32 family.",
        ),
        ("Error: target voltage may be too low for reliable debugging", "the board has no power"),
        ("Error: init mode failed (unable to connect to the target)", "the probe reaches no chip"),
        ("Error: stm32x device protected\nError: failed erasing sectors 0 to 1", "the chip is read-out protected"),
        ("Error: flash memory write protected", "flash sectors are write protected"),
        ("Error: timed out waiting for flash\nhilgate: write: failed", "writing failed: failed"),
        ("Error: something new\x1b[2J", "OpenOCD failed: Error: something new?[2J"),
        ("", "OpenOCD failed: nothing"),
    ],
)
def test_what_openocd_says_becomes_what_to_do(
    root: Path, image: Path, one_probe: None, says: Callable[..., Path], text_and_due: tuple[str, str]
) -> None:
    text, due = text_and_due
    says(text)
    with pytest.raises(ProbeError) as caught:
        flash_image(image, "nucleo_f446re", root)
    assert due in caught.value.what and caught.value.hint and PROBE.serial in caught.value.where


def test_success_is_said_by_our_own_last_line_only(
    root: Path, image: Path, one_probe: None, says: Callable[..., Path]
) -> None:
    words = says("** Verified OK **\n", code=0)
    with pytest.raises(ProbeError):
        flash_image(image, "nucleo_f446re", root)
    (words.parent / "said").write_text("hilgate: done\n")
    done = flash_image(image, "nucleo_f446re", root)
    assert (done.flash_bytes, done.probe) == (256, PROBE)
    assert "adapter serial 0668FF" in words.read_text().splitlines()


def test_an_openocd_that_hangs_is_ended_with_all_its_children(
    root: Path, image: Path, says: Callable[..., Path]
) -> None:
    says("", then=f'sleep 600 & echo $! >"{image.parent}/child"; wait')
    for seconds in (1.0, 4.0, 16.0, 64.0):  # on a busy computer the program has not come so far in one
        with pytest.raises(ProbeError, match=f"had not finished after {seconds:.0f} s"):
            openocd.flash(Job(image, load_board("nucleo_f446re", root), PROBE, timeout_s=seconds))
        if (image.parent / "child").is_file():
            break
    child = int((image.parent / "child").read_text())
    for _ in range(1200):
        if not Path(f"/proc/{child}/stat").exists() or " Z " in Path(f"/proc/{child}/stat").read_text():
            return
        time.sleep(0.05)
    pytest.fail("the child lives on")


def test_no_openocd(root: Path, image: Path, one_probe: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="apt-get install openocd"):
        flash_image(image, "nucleo_f446re", root)


@pytest.mark.parametrize("address", [0x1FFF_C000, 0x1FFF_0000, 0x07FF_FFFF, 0x0807_FFFF, 0x2000_0000, 0xFFFF_FFF0])
def test_bytes_outside_flash_are_refused_before_openocd_starts(
    root: Path, make_elf: Callable[..., Path], one_probe: None, says: Callable[..., Path], address: int
) -> None:
    """OpenOCD 0.12 skips a segment without a flash bank and succeeds; option bytes and OTP have banks of their own."""
    words = says("hilgate: done", code=0)
    with pytest.raises(ArtifactError, match="is not flash of ST NUCLEO-F446RE"):
        flash_image(make_elf((0x0800_4000, b"good"), (address, b"evil")), "nucleo_f446re", root)
    assert not words.exists()


def change(project: Path, old: str, new: str) -> None:
    path = project / "firmware/boards/nucleo_f446re/board.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    "case",
    [
        ('flasher = "openocd"', 'flasher = "../x"', "there is no way to flash called '../x'"),
        ('flasher = "openocd"', "flasher = 1", "no way to flash called 1"),
        ('"target/stm32f4x.cfg"', '"target/x.cfg; shutdown"', "target is"),
        ('"target/stm32f4x.cfg"', '"../../etc/x.cfg"', "target is"),
        ('reset = "srst_only"', 'reset = "srst_only; exec x"', "reset is"),
        ("device_id = 0x421", 'device_id = "0x421"', "must be numbers"),
        ("device_id = 0x421", "device_id = true", "must be numbers"),
        ("rdp_shift = 8", "rdp_bits = 8", "unknown or missing key"),
        ("rdp_shift = 8", "", "unknown or missing key"),
    ],
)
def test_wrong_facts_of_a_board_name_file_and_key(
    project: Path, image: Path, one_probe: None, case: tuple[str, str, str]
) -> None:
    change(project, *case[:2])
    with pytest.raises(ParamsError, match=case[2]) as caught:
        flash_image(image, "nucleo_f446re", project)
    assert "nucleo_f446re/board.toml" in caught.value.where


def test_an_emulator_has_no_probe(root: Path, image: Path) -> None:
    with pytest.raises(ProbeError, match=r"has no \[probe\]"):
        flash_image(image, "qemu_stm32f405", root)


def test_no_serial_number_becomes_a_command(root: Path) -> None:
    facts = openocd.facts_of(load_board("nucleo_f446re", root))
    with pytest.raises(HilgateError):
        openocd.command(Path("openocd"), facts, "1; shutdown")
