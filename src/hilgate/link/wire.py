"""Bytes in and out of a pyserial-like port, as frames; every way in which a port can fail becomes a LinkError."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hilgate.errors import LinkError, LostError
from hilgate.link.counters import Counters
from hilgate.link.frames import END, Damaged, Decoder, Frame, encode

MOST_STANDING = 1000  # reads during which a virtual board's time does not pass: it would be waited for for ever
SHORTEST_S = 0.001  # a read of less would be rounded to nothing, and time might not pass at all
POLL_S = 0.05  # longest single read, so that Ctrl-C is felt
WRITE_S = 5.0
KEPT_BYTES = 80  # of what arrives, for an error that quotes it


class PortGoneError(LostError):
    """The port itself vanished: unplugged, closed by the other end, process ended."""


class RateError(LinkError):
    """This computer's port cannot do the wanted baud rate."""


class Wire:
    """Frames over `port`: read, write, in_waiting, timeout, baudrate, reset_input_buffer and close as in pyserial."""

    def __init__(self, port: Any, name: str) -> None:
        self.port, self.name = port, name
        # a virtual board has a time of its own, in which waiting for it is deterministic
        self.now: Callable[[], float] = getattr(port, "monotonic", time.monotonic)
        self.counters = Counters()
        self.heard = b""  # the first KEPT_BYTES since its owner emptied it
        self._looked = float("-inf")  # when the last read ended
        self._decoder = Decoder()
        self._ready: deque[Frame | Damaged] = deque()
        with self._failures():
            port.timeout = POLL_S
            try:
                port.write_timeout = WRITE_S
            except NotImplementedError:  # rfc2217:// has none, and refuses every change while one is set
                port.write_timeout = None

    @property
    def baud(self) -> int:
        return int(self.port.baudrate)

    @baud.setter
    def baud(self, rate: int) -> None:
        try:
            with self._failures():
                self.port.baudrate = rate
        except (ValueError, OverflowError) as error:
            hint = "take another rate in board.toml, or another port"
            raise RateError(f"this port cannot do {rate} baud", where=self.name, hint=hint) from error

    def send(self, frame: Frame, *, retry: bool = False) -> int:
        """Write one frame; gives its bytes on the wire."""
        wire = encode(frame)
        with self._failures():
            self.port.write(wire)
        self.counters.sent += 1
        self.counters.retried += retry
        return len(wire)

    def receive(self, deadline: float) -> Frame | Damaged | None:
        """The next frame, intact or not; None when `deadline` (by `now`) passes first."""
        stood = 0
        while not self._ready:
            now = self.now()
            if now >= deadline and self._looked >= deadline:
                return None
            # a computer that was busy or asleep until after the deadline still looks once at what came in time
            self._read(min(max(deadline - now, SHORTEST_S), POLL_S))
            self._looked = self.now()
            stood = stood + 1 if self.now() == now else 0
            if stood > MOST_STANDING:
                raise LostError("the board's time stands still", where=self.name, hint="please report it")
        item = self._ready.popleft()
        if isinstance(item, Damaged):
            self.counters.damaged += 1
        else:
            self.counters.received += 1
        return item

    def pause(self, seconds: float) -> None:
        """Let time pass, and forget what arrives."""
        deadline = self.now() + seconds
        while self.receive(deadline) is not None:
            pass

    def flush(self) -> None:
        """Forget what arrived so far, and end whatever frame the board may be in the middle of."""
        self._ready.clear()
        self._decoder.reset()
        with self._failures():
            self.port.reset_input_buffer()
            self.port.write(END)

    def close(self) -> None:
        with self._failures():
            self.port.close()

    def _read(self, seconds: float) -> None:
        with self._failures():
            if self.port.timeout != seconds:  # each change costs system calls, or of rfc2217:// a turn on the network
                self.port.timeout = seconds
            data = self.port.read(1)
            waiting = self.port.in_waiting if data else 0
            if waiting:
                data += self.port.read(waiting)
        self.heard += data[: KEPT_BYTES - len(self.heard)]
        self._ready.extend(self._decoder.feed(data))

    @contextmanager
    def _failures(self) -> Iterator[None]:
        from serial import SerialException, SerialTimeoutException

        try:
            yield
        except SerialTimeoutException as error:
            raise PortGoneError(
                "the port takes no more bytes", where=self.name, hint="is the board's console connected and running?"
            ) from error
        except (SerialException, OSError) as error:
            raise PortGoneError(
                f"the port disappeared: {error}", where=self.name, hint="check cable and power, then run it again"
            ) from error
