"""`hilgate virtual serve`: a real process, real sockets and ttys."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import tty
from threading import Thread

import pytest

from hilgate.virtual.serve import TcpEnd

pytestmark = pytest.mark.arm
SERVE = [sys.executable, "-c", "from hilgate.cli import main; main()", "virtual", "serve"]


@pytest.fixture
def served(elf, root):
    """Start a server of the greeting image; gives (process, address)."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[subprocess.Popen[str], str]:
        image = elf("elves/greet.c")
        command = [*SERVE, "qemu_stm32f405", "--image", str(image), *options]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        line = process.stdout.readline()
        found = re.match(r"qemu_stm32f405 is on (\S+);", line)
        assert found, line + process.stderr.read()
        return process, found[1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def heard(take, count: int) -> bytes:
    data, deadline = b"", time.monotonic() + 20
    while len(data) < count and time.monotonic() < deadline:
        data += take()
    return data


def end(process) -> None:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0 and err == ""
    assert re.fullmatch(r"qemu_stm32f405 is off after \d+\.\d{3} s of its time, \d+ cycles\n", out)


def test_tcp_serves_one_client_after_the_other_and_refuses_a_second(served) -> None:
    process, address = served("--tcp", "0")
    host, port = address.removeprefix("socket://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        assert heard(lambda: client.recv(100), 6) == b"hello\n"
        with socket.create_connection((host, int(port)), timeout=20) as other:
            assert b"busy" in heard(lambda: other.recv(100), 20)
        client.sendall(b"abc")
        assert heard(lambda: client.recv(100), 3) == b"bcd"
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(b"xyz")  # the board went on where it was
        assert heard(lambda: client.recv(100), 3) == b"yz{"
    end(process)


def test_a_client_that_does_not_listen_stops_nobody() -> None:
    """What it does not take is lost, as on a serial line; and it may leave without a word."""
    end_of_board = TcpEnd(0)
    host, port = end_of_board.address.removeprefix("socket://").split(":")
    assert host == "127.0.0.1", "nobody else's computer can connect"
    with socket.create_connection((host, int(port)), timeout=20) as deaf:
        end_of_board.wait()
        writer = Thread(target=lambda: [end_of_board.write(bytes(1 << 20)) for _ in range(64)], daemon=True)
        writer.start()
        writer.join(20)
        assert not writer.is_alive()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by RST
    assert end_of_board.read(20) is None
    end_of_board.close()


def test_a_pty_has_a_rate(served) -> None:
    process, address = served("--pty")
    client = os.open(address, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        tty.setraw(client)

        def take() -> bytes:
            select.select([client], [], [], 0.5)
            try:
                return os.read(client, 100)
            except BlockingIOError:
                return b""

        def rate(baud: int) -> None:
            settings = termios.tcgetattr(client)
            settings[4] = settings[5] = baud
            termios.tcsetattr(client, termios.TCSANOW, settings)

        rate(termios.B115200)
        take()
        os.write(client, b"abc")
        assert heard(take, 3).endswith(b"bcd")
        rate(termios.B921600)
        os.write(client, b"abc")
        time.sleep(0.2)
        assert b"bcd" not in take()
    finally:
        os.close(client)
    end(process)


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["nowhere", "--image", "x.elf"], 3, "there is no board `nowhere`"),
        (["qemu_stm32f405", "--image", "missing.elf"], 9, "the image cannot be read"),
        (["qemu_stm32f405", "--image", "IMAGE", "--tcp", "70000"], 2, "70000 is no TCP port"),
        (["qemu_stm32f405", "--image", "IMAGE", "--tcp", "1", "--pty"], 2, "exclude each other"),
    ],
)
def test_what_is_wrong_is_one_line(arguments, code, what, elf, root) -> None:
    words = [str(elf("elves/greet.c")) if word == "IMAGE" else word for word in arguments]
    found = subprocess.run([*SERVE, *words], cwd=root, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stdout) == (code, "")
    assert what in found.stderr and found.stderr.count("\n") == 1


def test_a_taken_port_is_said(elf, root) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [*SERVE, "qemu_stm32f405", "--image", str(elf("elves/greet.c")), "--tcp", port]
        found = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert found.returncode == 22 and f"127.0.0.1:{port}: cannot listen" in found.stderr


def test_gaps_are_listed(root) -> None:
    command = [*SERVE[:-1], "gaps"]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0
    assert "not modelled: lazy FP stacking" in found.stdout and "unchecked: flash programming" in found.stdout
