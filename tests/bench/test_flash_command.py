"""The command line: where to go next, and the exit code of each failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hilgate import cli
from hilgate.bench import flash as flash_module
from hilgate.bench.probes import Probe


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
