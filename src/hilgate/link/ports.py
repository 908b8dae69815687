"""What is attached to this computer: serial ports, and the debug probes that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.errors import PortMissingError, UsageError

# USB ids from ST's own udev rules (stlink-tools, 49-stlinkv*.rules)
ST_VENDOR = 0x0483
PROBES = {
    0x374B: "ST-LINK/V2-1",
    0x3752: "ST-LINK/V2-1",
    0x374E: "STLINK-V3",
    0x374F: "STLINK-V3",
    0x3753: "STLINK-V3",
    0x3754: "STLINK-V3",
}


@dataclass(frozen=True)
class AttachedPort:
    """One serial port. `probe` and `serial_number` are empty when it does not belong to a known debug probe."""

    device: str
    description: str
    probe: str
    serial_number: str


def attached_ports() -> list[AttachedPort]:
    """Every serial port of this computer that has hardware behind it, by name."""
    from serial.tools import list_ports

    found = []
    for port in sorted(list_ports.comports(), key=lambda p: p.device):
        if port.hwid == "n/a":
            continue
        probe = PROBES.get(port.pid or 0, "") if port.vid == ST_VENDOR else ""
        found.append(AttachedPort(port.device, port.description or "", probe, port.serial_number or ""))
    return found


def probe_of(port: str) -> str | None:
    """The serial number of the debug probe whose port it is; None behind a plain cable or a network."""
    return next((found.serial_number for found in attached_ports() if found.device == port and found.probe), None)


def only_port() -> str:
    """The one port that is attached; with several none is guessed. Raises PortMissingError, UsageError."""
    ports = attached_ports()
    if not ports:
        hint = "plug the board in, or name another way to one with --on: docs/link.md"
        raise PortMissingError("no serial port is attached", where="USB", hint=hint)
    if len(ports) > 1:
        names = ", ".join(port.device + (f" ({port.probe})" if port.probe else "") for port in ports)
        hint = f"name one: --on {ports[0].device}"
        raise UsageError(f"{len(ports)} serial ports are attached: {names}", where="USB", hint=hint)
    return ports[0].device
