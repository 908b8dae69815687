"""firmware/README.md against protocol.toml and the board: its figures are computed again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hilgate.catalogue import load_board

BAUD, BITS = 921600, 10


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "firmware/README.md").read_text("utf-8")


def milliseconds(count: int) -> float:
    return count * BITS / BAUD * 1000


def row(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_frames_on_the_wire(text, protocol):
    limits = protocol["limits"]
    frame = limits["frame_bytes"]
    assert row(text, "longest frame")[1:] == [str(frame), f"{milliseconds(frame):.2f} ms"]
    answer = 3 + 1 + 4 + 4 + 1 + 1  # header, status, loaded, CRC-32, COBS, zero
    assert row(text, "answer to `load`")[1:] == [str(answer), f"{milliseconds(answer):.2f} ms"]
    ring = limits["ring_bytes"]
    assert row(text, f"receive ring, {ring} bytes")[2] == f"{milliseconds(ring):.1f} ms until it is full"
    in_flight = limits["window"] * frame
    assert row(text, f"window, {limits['window']} load frames")[1:] == [
        str(in_flight),
        f"{milliseconds(in_flight):.1f} ms",
    ]
    assert in_flight < ring
    assert f"{limits['window']} × {frame} = {in_flight} < {ring}, with {ring - in_flight} bytes to spare" in text
    assert f"{limits['quiesce_us']} µs of silence" in text and f"within {limits['baud_confirm_ms']} ms" in text


def test_dividers(text, root):
    clock = load_board("nucleo_f446re", root).tables["clock"]
    apb1 = clock["hz"] // clock["apb1_divider"]

    def off(bus_hz: int, baud: int) -> float:
        divider = round(bus_hz / baud)
        return abs(divider * baud - bus_hz) / bus_hz * 100

    fast, first = row(text, "`hse_bypass_pll`")[2:]
    assert (
        fast == f"divider {round(apb1 / BAUD)}, {off(apb1, BAUD):.2f} % off"
        and first == f"{off(apb1, 115200):.2f} % off"
    )
    slow = row(text, "`reset_default`")[2]
    assert slow == f"divider 17, {off(clock['hsi_hz'], BAUD):.1f} % off: refused" and off(clock["hsi_hz"], BAUD) > 2


def test_dividers_of_the_h7(text, root):
    clock = load_board("stm32h747i_disco", root).tables["clock"]
    apb2 = clock["hz"] // clock["ahb_divider"] // clock["apb2_divider"]
    for bus_hz in (apb2, clock["hsi_hz"]):
        divider = round(bus_hz / BAUD)
        assert f"divider {divider}, {abs(divider * BAUD - bus_hz) / bus_hz * 100:.2f} % off" in text


def test_lpuart_dividers(text, root):
    clock = load_board("nucleo_l4r5zi", root).tables["clock"]
    for hz, digits in ((clock["hz"], 3), (clock["reset_hz"], 2)):
        divider = round(256 * hz / BAUD)
        off = abs(256 * hz / divider - BAUD) / BAUD * 100
        assert re.search(rf"\b{divider}\s+at {hz // 10**6} MHz\s+\({off:.{digits}f} % off\)", text)


def test_every_state_and_folder_is_described(text, protocol, root):
    table = re.findall(r"^\| (\w+) \|", text, re.M)
    assert [name for name in table if name in protocol["states"]] == list(protocol["states"])
    for folder in ("src", "port/cortex_m", "port/host", "boards"):
        assert (root / "firmware" / folder).is_dir() and f"`{folder}/" in text
