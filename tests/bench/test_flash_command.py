"""The command line: where to go next, and the exit code of each failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hilgate import cli
from hilgate.bench import desk as desk_module
from hilgate.bench import flash as flash_module
from hilgate.bench.desk import Desk
from hilgate.bench.image import checked_image
from hilgate.bench.probes import Probe
from hilgate.bench.seam import Request
from hilgate.build.build import build_image
from hilgate.catalogue import load_board
from hilgate.errors import ArtifactError
from hilgate.virtual.elf import load_image


def hilgate(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(["flash", *words])
    return int(caught.value.code or 0)


def test_exit_codes_and_the_next_command(
    project: Path,
    image: Path,
    make_elf: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr(flash_module, "attached_probes", lambda: [])
    assert hilgate(str(image), "--board", "nucleo_f446re") == 32
    assert "no debug probe is attached" in capsys.readouterr().err
    assert hilgate(str(image), "--board", "nucleo_f447re") == 3
    assert hilgate(str(project / "none.elf"), "--board", "nucleo_f446re") == 9
    assert hilgate(str(make_elf((0x1FFF_C000, b"x"), name="o.elf")), "--board", "nucleo_f446re") == 9
    assert hilgate(str(image)) == 2

    class Good:
        def flash(self, job: object) -> None: ...

    monkeypatch.setattr(flash_module, "attached_probes", lambda: [Probe("1", "ST-LINK/V2-1", "/dev/ttyACM3")])
    monkeypatch.setattr(flash_module, "flasher_of", lambda board: Good())
    capsys.readouterr()
    assert hilgate(str(image), "--board", "nucleo_f446re") == 0
    said = capsys.readouterr().out
    assert said.startswith("nucleo_f446re: 256 B written and verified by 1 in ")
    assert said.endswith("next: hilgate run CELL --on /dev/ttyACM3\n")


@pytest.mark.parametrize("case", [(2, "qemu_stm32f405"), (250, "board 250")])
def test_an_image_of_another_board_is_refused_before_any_probe_is_looked_for(
    project: Path,
    make_elf: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[int, str],
) -> None:
    """Both chips have flash at the same address: nothing else would notice before the wrong firmware runs."""

    def probes() -> list[Probe]:
        raise AssertionError("it looked for probes")

    monkeypatch.chdir(project)
    monkeypatch.setattr(flash_module, "attached_probes", probes)
    elf = make_elf((0x0800_0000, bytes(64)), symbols={"main": 0x0800_0001, "board_id": case[0]})
    assert hilgate(str(elf), "--board", "nucleo_f446re") == 9
    said = capsys.readouterr().err
    assert f"firmware.elf: this image is for {case[1]}, not for nucleo_f446re (flash a nucleo_f446re cell's" in said


def test_the_desk_refuses_it_as_well(
    project: Path, make_elf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "attached_probes", lambda: pytest.fail("it looked for probes"))
    elf = make_elf((0x0800_0000, bytes(64)), symbols={"board_id": 2})
    with pytest.raises(ArtifactError, match="for qemu_stm32f405, not for nucleo_f446re"):
        Desk(project, lambda *_: None).measure(Request(elf, "nucleo_f446re", (), 0, 1))


def test_an_image_of_this_board_and_one_that_does_not_say(project: Path, make_elf: Callable[..., Path]) -> None:
    board = load_board("nucleo_f446re", project)
    for symbols in (None, {"main": 1}, {"board_id": 1}):
        assert checked_image(make_elf((0x0800_0000, bytes(64)), symbols=symbols), board, project) == 64


@pytest.mark.arm
@pytest.mark.parametrize("name", ["nucleo_f446re", "qemu_stm32f405"])
def test_a_built_image_says_for_which_board_it_is(root: Path, tmp_path: Path, name: str) -> None:
    board = load_board(name, root)
    built = build_image(board, root / "tests/link/model", tmp_path / "out", firmware=root / "firmware")
    assert load_image(built.elf).symbols["board_id"] == board.board_id
    assert checked_image(built.elf, board, root) > 0
    for other in ("nucleo_f446re", "nucleo_l4r5zi", "qemu_stm32f405", "stm32h747i_disco"):
        if other != name:
            with pytest.raises(ArtifactError, match=f"this image is for {name}, not for {other}"):
                checked_image(built.elf, load_board(other, root), root)
