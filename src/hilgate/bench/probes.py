"""Debug probes at this computer: their serial numbers, and the serial port that belongs to each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hilgate.errors import ProbeError
from hilgate.link.ports import PROBES, ST_VENDOR, attached_ports

USB_DEVICES = Path("/sys/bus/usb/devices")
# ST-LINK/V2 without a serial port of its own; OpenOCD 0.12, tcl/interface/stlink.cfg, and 49-stlinkv2.rules
WITHOUT_PORT = {0x3748: "ST-LINK/V2", 0x374D: "STLINK-V3"}
SERIAL = re.compile(r"[0-9A-Za-z]{1,64}")  # it becomes part of a command of OpenOCD


@dataclass(frozen=True)
class Probe:
    """One debug probe. `port`: its serial port, such as /dev/ttyACM0, or nothing."""

    serial: str
    kind: str
    port: str = ""

    def __str__(self) -> str:
        return f"{self.serial} ({self.kind}{f', {self.port}' if self.port else ''})"


def attached_probes(usb: Path = USB_DEVICES) -> list[Probe]:
    """All probes, by serial number: on Linux from the kernel's USB devices, elsewhere those with a serial port."""
    if usb.is_dir():
        found = [probe for device in usb.iterdir() if (probe := _probe_of(device))]
    else:
        found = [Probe(p.serial_number, p.probe, p.device) for p in attached_ports() if p.probe]
    return sorted((probe for probe in found if SERIAL.fullmatch(probe.serial)), key=lambda probe: probe.serial)


def choose_probe(wanted: str | None, probes: list[Probe]) -> Probe:
    """The one that is meant; never a guess, because a guess flashes somebody else's board. Raises ProbeError."""
    names = "; ".join(map(str, probes))
    if wanted:
        for probe in probes:
            if probe.serial == wanted:
                return probe
        what = f"no probe with this serial number is attached; attached: {names or 'none'}"
        raise ProbeError(what, where=_printable(wanted), hint="look at its label, its cable, and `hilgate ports`")
    if not probes:
        hint = "plug the board's ST-LINK in (a cable with data lines); a container also needs /dev/bus/usb"
        raise ProbeError("no debug probe is attached", where="USB", hint=hint)
    if len(probes) > 1:
        hint = f"name one: --probe {probes[0].serial}"
        raise ProbeError(f"{len(probes)} probes are attached: {names}", where="USB", hint=hint)
    return probes[0]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:64])


def _probe_of(device: Path) -> Probe | None:
    known = {**PROBES, **WITHOUT_PORT}
    try:
        vendor, product = (int((device / name).read_text(), 16) for name in ("idVendor", "idProduct"))
        serial = (device / "serial").read_text().strip()
    except (OSError, ValueError):  # an interface or a hub, or a device that went away meanwhile
        return None
    if vendor != ST_VENDOR or product not in known:
        return None
    ports = sorted(port.name for port in device.glob(f"{device.name}:*/tty/tty*"))
    return Probe(serial, known[product], f"/dev/{ports[0]}" if ports else "")
