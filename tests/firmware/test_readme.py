"""firmware/README.md against protocol.toml and the board: its figures are computed again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hilgate.build.image import segments
from hilgate.catalogue import load_board
from hilgate.virtual.board import VirtualBoard

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


def on_the_wire(body: int) -> int:
    """Bytes of a frame: opcode, sequence, body, CRC-32; COBS adds one for each 254 begun, and the zero ends it."""
    plain = 1 + 2 + body + 4
    return plain + -(-plain // 254) + 1


def test_what_an_inference_and_a_turn_cost(text, protocol):
    limits, status = protocol["limits"], 1
    assert on_the_wire(limits["body_bytes"]) == limits["frame_bytes"]
    load, infer = on_the_wire(4 + 784), on_the_wire(0)
    loaded, output = on_the_wire(status + 4), on_the_wire(status + 4 + 10)
    both = milliseconds(load + infer + loaded + output)
    assert f"costs {load} + {infer} bytes out and {loaded} + {output} back: about {both:.1f} ms" in text
    frame, answer = milliseconds(limits["frame_bytes"]), milliseconds(loaded)
    shares = [100 * frame / (frame + answer + turn_ms) for turn_ms in (2, 1)]
    assert f"a USB turn per kilobyte: {shares[0]:.0f}-{shares[1]:.0f} % of\n  the line" in text
    assert f"more than {limits['body_bytes'] - status - 4} bytes does not fit the answer to `infer`" in text
    assert f"{limits['body_bytes'] - status} bytes at a time" in text


def test_every_limit_of_the_protocol_is_somebodys(protocol, root):
    """None may be dead: the device takes them as PROTOCOL_LIMIT_..., the host by their own name."""
    device = "".join(
        path.read_text("utf-8") for path in (root / "firmware").rglob("*.[ch]") if path.name != "protocol.h"
    )
    host = "".join(p.read_text("utf-8") for p in (root / "src/hilgate/link").rglob("*.py") if p.name != "protocol.py")
    for name in protocol["limits"]:
        assert f"PROTOCOL_LIMIT_{name.upper()}" in device or re.search(rf"\b{name.upper()}\b", host), name


def test_the_watchdog_bites_within_the_tolerance_of_its_oscillator(text, root):
    """The STM32F4's LSI makes 17 to 47 kHz instead of 32: the widest of the families, as port/stm32/start.c says."""
    low_khz, high_khz = map(
        int, re.findall(r"(\d+) to (\d+) kHz", (root / "firmware/port/stm32/start.c").read_text())[0]
    )
    assert (low_khz, high_khz) == (17, 47)
    seconds = load_board("nucleo_f446re", root).tables["watchdog"]["timeout_ms"] / 1000
    span = f"{seconds * 32 / high_khz:.1f} to {seconds * 32 / low_khz:.1f} s"
    assert f"watchdog after {seconds:.0f} s (LSI tolerance: {span})" in text


@pytest.mark.arm
def test_sizes_of_parts(text, root, virtual_image):
    second = next(s for s in segments(virtual_image("stm32h747i_disco").elf) if s.load == 0x0810_0000)
    assert f"`port/stm32h7/second_core.c`, {second.file_bytes} bytes" in text
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in (root / "firmware/port/stm32f4").glob("*.[ch]"))
    assert abs(lines - int(re.search(r"`port/stm32f4/` is (\d+) lines", text)[1])) <= 10


@pytest.mark.arm
def test_how_long_the_hashes_take(text, root, virtual_image):
    """SHA-256 over image and weights, and model_check's CRC-32 over the weights, before the first answer."""
    powered = VirtualBoard("nucleo_f446re", virtual_image("nucleo_f446re").elf, root=root)
    powered.run_us(20_000)
    cycles = {cost.name: cost.cycles for cost in powered.profile()}
    hashed = sum(segment.file_bytes for segment in segments(virtual_image("nucleo_f446re").elf))
    per_byte = cycles["sha256_update"] / hashed
    stated, kilobytes = map(int, re.search(r"\((\d+) ms for digits' (\d+) KB, predicted\)", text).groups())
    sha_ms = per_byte * kilobytes * 1000 / 180_000
    assert 0.7 * stated < sha_ms < stated, "the rest is the CRC"


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
