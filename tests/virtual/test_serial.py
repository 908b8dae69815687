"""virtual:// is a pyserial port like any other, in its own time."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import quote

import pytest
import serial

from hilgate.errors import ArtifactError, HilgateError, ParamsError, UsageError
from hilgate.link.transports import open_port
from hilgate.virtual.url import parse_url

arm = pytest.mark.arm


@pytest.fixture
def url(elf, root):
    def make(options: str = "", name: str = "greet", board: str = "qemu_stm32f405") -> str:
        return f"virtual://{board}?image={quote(str(elf(f'elves/{name}.c')))}&root={quote(str(root))}{options}"

    return make


@arm
def test_read_write_timeout_and_buffers(url) -> None:
    with open_port(url()) as port:
        port.timeout = 0.05
        assert port.in_waiting == 0, "nothing runs before somebody reads"
        assert port.read(6) == b"hello\n"
        assert port.write(b"abc") == 3 and port.out_waiting == 3
        port.flush()
        assert port.out_waiting == 0
        before = port.monotonic()
        assert port.read(10) == b"bcd", "the time-out ends it"
        assert port.monotonic() - before == pytest.approx(0.05, rel=0.01)
        port.write(b"x")
        port.timeout = 0.0
        assert port.read(1) == b""
        port.timeout = 0.01
        port.write(b"y")
        port.flush()
        port.read(0)
        port.board.run_us(1000)
        assert port.in_waiting == 2
        port.reset_input_buffer()
        assert port.in_waiting == 0
        assert port.read(1) == b""
    assert not port.is_open
    with pytest.raises(serial.PortNotOpenError):
        port.read(1)


@arm
def test_a_read_without_timeout_waits_for_all_bytes(url) -> None:
    with open_port(url()) as port:
        port.timeout = None
        assert port.read(6) == b"hello\n"
        port.write(b"12")
        assert port.read(2) == b"23"


@arm
def test_the_rate_matters_on_both_ways(url) -> None:
    with open_port(url()) as port:
        port.timeout = 0.05
        assert port.read(6) == b"hello\n"
        port.baudrate = 57600
        port.write(b"abc")
        assert port.read(3) != b"bcd"
        port.read(1000)
        port.baudrate = 115200
        port.write(b"abc")
        assert port.read(3) == b"bcd"


@arm
def test_equal_sessions_are_equal_to_the_cycle(url) -> None:
    found = []
    for _ in range(2):
        with open_port(url()) as port:
            port.timeout = 0.1
            port.write(b"determinism")
            found.append((port.read(17), port.board.cycles, port.board.instructions, port.monotonic()))
    assert found[0] == found[1]


@arm
def test_damage_on_the_wire_can_be_asked_for(url) -> None:
    with open_port(url("&drop=3")) as port:
        port.timeout = 0.05
        assert port.read(6) == b"hello\n"
        port.write(b"abcdef")
        assert port.read(6) == b"bcef"
    with open_port(url("&flip=2")) as port:
        port.timeout = 0.05
        port.read(6)
        port.write(b"aaaa")
        heard = port.read(4)
        assert heard[0::2] == b"bb" and heard != b"bbbb"


@arm
def test_a_port_opens_once_and_each_open_is_a_new_board(url) -> None:
    port = open_port(url())
    with pytest.raises(serial.SerialException, match="already open"):
        port.open()
    with open_port(url()) as other:
        other.timeout = 0.05
        assert other.read(6) == b"hello\n"
        assert port.board is not other.board
    port.close()
    port.open()
    port.timeout = 0.05
    assert port.read(6) == b"hello\n"
    port.close()


@pytest.mark.parametrize(
    ("bad", "kind", "what"),
    [
        ("virtual://nowhere?image=IMAGE", ParamsError, "there is no board `nowhere`"),
        ("virtual://qemu_stm32f405", UsageError, "the option `image` is missing"),
        ("virtual://?image=x", UsageError, "not a virtual board"),
        ("virtual://qemu_stm32f405?image=x&speed=9", UsageError, "unknown option `speed`"),
        ("virtual://qemu_stm32f405?image=x&cycles=2", UsageError, "option `cycles` must be a number from 0 to 1"),
        ("virtual://qemu_stm32f405?image=x&seed=-1", UsageError, "option `seed` must be a number"),
        ("virtual://qemu_stm32f405?image=/nonexistent/a.elf", ArtifactError, "the image cannot be read"),
        ("virtual://qemu_stm32f405?image=TEXT", ArtifactError, "no valid ELF file"),
        ("virtual://qemu_stm32f405?image=HOST", ArtifactError, "a board takes little-endian 32-bit ARM"),
        ("virtual://qemu_stm32f405?image=CUT", ArtifactError, ""),
    ],
)
def test_what_is_wrong_is_said(bad, kind, what, tmp_path, request) -> None:
    text = tmp_path / "text.elf"
    text.write_text("not an ELF")
    cut = tmp_path / "cut.elf"
    if "CUT" in bad:
        image = request.getfixturevalue("elf")("elves/greet.c")
        cut.write_bytes(image.read_bytes()[:300])
    for word, path in (("TEXT", text), ("HOST", sys.executable), ("CUT", cut)):
        bad = bad.replace(word, quote(str(path)))
    if "?" in bad and "root" not in bad:
        bad += f"&root={quote(str(request.getfixturevalue('root')))}"
    with pytest.raises(kind) as caught:
        open_port(bad)
    assert what in caught.value.what
    assert isinstance(caught.value, HilgateError) and "\n" not in str(caught.value)


@arm
def test_an_image_outside_the_boards_memory_is_refused(elf, root, tmp_path) -> None:
    moved = tmp_path / "moved.elf"
    subprocess.run(
        ["arm-none-eabi-objcopy", "--change-section-lma", ".text=0x09000000", str(elf("elves/greet.c")), str(moved)],
        check=True,
    )
    with pytest.raises(ArtifactError, match="are outside qemu_stm32f405's memory"):
        open_port(f"virtual://qemu_stm32f405?image={quote(str(moved))}&root={quote(str(root))}")


def test_urls_are_taken_apart() -> None:
    found = parse_url("virtual://a_board?image=some%20where%2Fx.elf&cycles=0&hse=0&seed=9&native=0&drop=5&flip=7")
    assert (found.board, str(found.image), found.drop, found.flip) == ("a_board", "some where/x.elf", 5, 7)
    assert (found.options.cycles, found.options.hse, found.options.native, found.options.seed) == (
        False,
        False,
        False,
        9,
    )
