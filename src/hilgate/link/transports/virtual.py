"""virtual://<board>?image=<elf>: the virtual board as a pyserial port. The options are in hilgate/virtual/url.py.

The board runs only inside `read`, and its time-outs are virtual time: equal reads and writes give equal cycles.
`monotonic` is its clock, for callers that want to be as deterministic as the board.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serial import PortNotOpenError, SerialBase, SerialException

if TYPE_CHECKING:
    from hilgate.virtual.board import VirtualBoard

FOREVER_US = 60_000_000  # a read without time-out gives up after this much virtual time


class Serial(SerialBase):
    """One virtual board. Opening powers it on, closing switches it off; nobody else can open the same one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._board: VirtualBoard | None = None
        super().__init__(*args, **kwargs)

    def open(self) -> None:
        """Power on. Raises the HilgateErrors of URL, board and image."""
        from hilgate.virtual.board import VirtualBoard
        from hilgate.virtual.url import parse_url

        if self.is_open:
            raise SerialException("Port is already open.")
        url = parse_url(str(self.port))
        self._board = VirtualBoard(url.board, url.image, url.options, root=url.root, baud=self.baudrate)
        self._board.wire.drop, self._board.wire.flip = url.drop, url.flip
        self.is_open = True

    def close(self) -> None:
        self._board, self.is_open = None, False

    @property
    def board(self) -> VirtualBoard:
        """The board itself, for profiles and counters."""
        if self._board is None:
            raise PortNotOpenError
        return self._board

    def monotonic(self) -> float:
        """Virtual seconds since power-on."""
        return self.board.machine.clock.now_ps() / 1e12

    @property
    def in_waiting(self) -> int:
        return len(self.board.wire.to_host)

    @property
    def out_waiting(self) -> int:
        return self.board.wire.waiting()

    def read(self, size: int = 1) -> bytes:
        """Runs the board until `size` bytes have come or the time-out has passed, in virtual time."""
        timeout_us = FOREVER_US if self.timeout is None else self.timeout * 1_000_000
        return self.board.read(size, timeout_us)

    def write(self, data: Any, /) -> int:
        """The bytes arrive at the board while somebody reads."""
        content = bytes(data)
        self.board.write(content)
        return len(content)

    def flush(self) -> None:
        """Let the board run until everything written has arrived."""
        while self.board.wire.waiting():
            self.board.run_us(100)

    def reset_input_buffer(self) -> None:
        self.board.wire.to_host.clear()

    def reset_output_buffer(self) -> None:
        self.board.wire.forget()

    def _reconfigure_port(self) -> None:
        if self.is_open:
            self.board.baud = self.baudrate

    def _update_dtr_state(self) -> None:
        """A Nucleo's console has no modem lines."""

    _update_rts_state = _update_dtr_state
    _update_break_state = _update_dtr_state
    cts = dsr = ri = cd = property(lambda _self: False)
