"""The F4's console driver on plain memory: what it writes into registers, and that its ring notices what it loses."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

import pytest

from hilgate.build import board_header, registers
from hilgate.catalogue import load_board

APB1_HZ = 45_000_000


@pytest.fixture(scope="module")
def library_path(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("console")
    board = load_board("nucleo_f446re", root)
    facts = registers.load(root / "firmware/port/stm32f4/registers.toml")
    (folder / "registers.h").write_text(registers.render(facts, "stm32f446re"), "utf-8")
    (folder / "board.h").write_text(board_header.render(board), "utf-8")
    firmware = root / "firmware"
    ports = (firmware / "port" / name for name in ("stm32", "stm32f4", "host", "cortex_m"))
    folders = (folder, firmware / "src", *ports)
    out = folder / "console.so"
    casts = ("-Wno-int-to-pointer-cast", "-Wno-pointer-to-int-cast")
    source = root / "tests/firmware/console/harness.c"
    command = ["gcc", "-std=c11", "-O1", "-fPIC", "-shared", *casts, *(f"-I{f}" for f in folders), str(source)]
    subprocess.run([*command, "-o", str(out)], check=True)
    return out


@pytest.fixture
def in_child(library_path, root):
    """Run code with the library `lib` in a process of its own, where the registers' addresses are free."""

    def run(code: str) -> object:
        start = (
            "import ctypes, json, sys\n"
            f"lib = ctypes.CDLL({str(library_path)!r})\n"
            "lib.harness_register.restype = lib.port_console_baud_error_ppm.restype = ctypes.c_uint32\n"
            "assert lib.harness_open() == 0, 'the addresses are taken'\n"
            f"lib.console_start({APB1_HZ})\n"
        )
        answer = subprocess.run(
            [sys.executable, "-c", f"{start}{code}\nprint(json.dumps(result))"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    return run


READ = """
def read():
    got = []
    while (byte := lib.harness_read()) >= 0:
        got.append(byte)
    return bytes(got)
"""


def test_bytes_come_out_in_order_over_many_wraps(in_child):
    code = f"""{READ}
import random
rng, sent, got = random.Random(8), b'', b''
for _ in range(200):
    data = rng.randbytes(rng.randrange(1, 4096))
    lib.harness_dma(data, len(data))
    sent += data
    got += read()
result = [sent == got, len(sent), lib.port_console_overruns()]
"""
    same, count, overruns = in_child(code)
    assert same and count > 300_000 and overruns == 0


@pytest.mark.parametrize("start", [0, 1, 4000, 4095])
def test_a_full_ring_is_no_overrun_one_byte_more_is(in_child, start):
    code = f"""{READ}
result = []
lib.harness_dma(b'x' * {start}, {start}); read()
for count in (4096, 4097):
    data = bytes(n % 251 for n in range(count))
    lib.harness_dma(data, count)
    got = read()
    result.append([got == data, len(got), lib.port_console_overruns()])
lib.harness_dma(b'after', 5)
result.append(read().decode())
"""
    full, over, after = in_child(code)
    assert full == [True, 4096, 0]
    if start != 4095:  # from there 4097 bytes pass the ring's end twice, which the one flag cannot tell from once
        assert over == [False, 0, 1]
        assert after == "after"


@pytest.mark.parametrize("left", [4096, 0])
@pytest.mark.parametrize("taken", [4090, 1])
def test_a_turn_whose_flag_is_late_is_no_overrun(in_child, taken, left):
    """No manual says that counter and flag change together: RM0390 9.3.15 flags what has reached the memory."""
    code = f"""{READ}
lib.harness_dma(b'x' * {taken}, {taken}); read()
rest = bytes(n % 251 for n in range({4096 - taken}))
lib.harness_dma(rest, len(rest))
early = lib.harness_read_before_the_flag({left})
result = [early, lib.port_console_overruns(), read() == rest, lib.port_console_overruns()]
"""
    assert in_child(code) == [-1, 0, True, 0]


def test_an_overrun_of_the_uart_is_counted(in_child):
    code = """
lib.harness_set_register(0x40004400, 0xC8)
before = lib.port_console_overruns()
lib.harness_set_register(0x40004400, 0xC0)
result = [before, lib.port_console_overruns()]
"""
    assert in_child(code) == [1, 1]


@pytest.mark.parametrize("baud", [9600, 115200, 230400, 460800, 921600, 1_500_000, 2_812_500])
def test_baud_error(in_child, baud):
    divider = round(APB1_HZ / baud)
    expected = abs(divider * baud - APB1_HZ) / APB1_HZ * 1e6
    code = f"""
ppm = lib.port_console_baud_error_ppm({baud})
lib.port_console_set_baud({baud})
result = [ppm, lib.harness_register(0x40004408)]
"""
    ppm, written = in_child(code)
    assert abs(ppm - expected) <= 1 and written == divider


def test_the_reset_clock_makes_115200_but_not_921600(in_child):
    """`baud` refuses 2 % and more (BAUD_ERROR_LIMIT_PPM of src/command.c), so this link stays at its first rate."""
    code = "lib.console_start(16_000_000)\nresult = [lib.port_console_baud_error_ppm(b) for b in (921600, 115200)]"
    fast, first = in_child(code)
    assert fast == 20800 and first == 800


@pytest.mark.parametrize("baud", [0, 100, 3_000_000, 10_000_000, 0xFFFFFFFF])
def test_baud_beyond_the_divider(in_child, baud):
    assert in_child(f"result = lib.port_console_baud_error_ppm(ctypes.c_uint32({baud}))") == 0xFFFFFFFF


def test_registers_after_start(in_child, root):
    """Bit by bit from ST's names, not from the generated header."""
    facts = tomllib.loads((root / "firmware/port/stm32f4/registers.toml").read_text("utf-8"))

    def field(block: str, register: str, name: str, value: int = 1) -> int:
        low, _ = facts["block"][block][register]["fields"][name]
        return value << low

    addresses = [
        0x40023830,
        0x40023840,
        0x40020000,
        0x40020020,
        0x4002000C,
        0x4000440C,
        0x40004414,
        0x40026088,
        0x4002608C,
        0x40026090,
    ]
    ahb, apb, mode, alternate, pull, cr1, cr3, stream, count, peripheral = in_child(
        f"result = [lib.harness_register(a) for a in {addresses}]"
    )
    assert ahb == field("RCC", "AHB1ENR", "GPIOAEN") | field("RCC", "AHB1ENR", "DMA1EN")
    assert apb == field("RCC", "APB1ENR", "USART2EN")
    assert mode == 0b1010 << 4, "PA2 and PA3: alternate function"
    assert alternate == 0x77 << 8, "AF7"
    assert pull == 0b0101 << 4, "pulled up"
    assert cr1 == sum(field("USART", "CR1", name) for name in ("UE", "TE", "RE"))
    assert cr3 == field("USART", "CR3", "DMAR")
    expected = {"CHSEL": 4, "PL": 3, "MINC": 1, "CIRC": 1, "EN": 1}
    assert stream == sum(field("DMA", "S5CR", name, value) for name, value in expected.items())
    assert (count, peripheral) == (4096, 0x40004404)
