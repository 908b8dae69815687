"""Which probe is meant: never a guess, and hostile serial numbers never reach a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hilgate.bench import probes
from hilgate.bench.probes import Probe, attached_probes, choose_probe
from hilgate.errors import ProbeError
from hilgate.link.ports import AttachedPort

FIRST, SECOND = Probe("0668FF", "ST-LINK/V2-1", "/dev/ttyACM0"), Probe("002A00", "STLINK-V3")


def test_probes_come_with_their_ports(usb: Callable[..., Path]) -> None:
    folder = usb(("0668FF", "ttyACM0", 0x374B), ("002A00", "", 0x374E), ("X", "ttyUSB0", 0x5740))
    assert attached_probes(folder) == [SECOND, FIRST]


def test_a_serial_number_that_is_no_word_is_not_offered(usb: Callable[..., Path]) -> None:
    assert attached_probes(usb(("; shutdown", "", 0x374B), ("\x7f", "", 0x374B), ("", "", 0x374B))) == []


def test_elsewhere_than_on_linux_ports_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [AttachedPort("COM3", "", "ST-LINK/V2-1", "0668FF"), AttachedPort("COM4", "", "", "7")]
    monkeypatch.setattr(probes, "attached_ports", lambda: ports)
    assert attached_probes(tmp_path / "none") == [Probe("0668FF", "ST-LINK/V2-1", "COM3")]


def test_one_probe_needs_no_name() -> None:
    assert choose_probe(None, [FIRST]) is FIRST
    assert choose_probe("002A00", [FIRST, SECOND]) is SECOND


@pytest.mark.parametrize(
    ("wanted", "attached", "says"),
    [
        (None, [], "no debug probe is attached"),
        (None, [SECOND, FIRST], "2 probes are attached: 002A00 (STLINK-V3); 0668FF (ST-LINK/V2-1, /dev/ttyACM0)"),
        ("0668F", [FIRST], "no probe with this serial number is attached; attached: 0668FF"),
        ("0668FF", [], "attached: none"),
        ("x\x1b[2J", [FIRST], "x?[2J"),
    ],
)
def test_what_is_not_clear_is_refused_with_the_list(wanted: str | None, attached: list[Probe], says: str) -> None:
    with pytest.raises(ProbeError) as caught:
        choose_probe(wanted, attached)
    assert says in str(caught.value) and caught.value.hint and "\x1b" not in str(caught.value)
    if len(attached) > 1:
        assert caught.value.hint == "name one: --probe 002A00"
