"""One conversation with a board, whatever the way to it: know it, feed it, measure it.

The session knows no transport: it takes an open pyserial-like port. `hilgate.link.transports.open_port` makes one from
a URL; `hilgate.link.connect.connect` does both.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hilgate.errors import DeviceError, LinkError
from hilgate.link import protocol
from hilgate.link.contact import Contact, Options
from hilgate.link.exchange import OutOfStepError
from hilgate.link.protocol import FIRST_BAUD, Op
from hilgate.link.wire import Wire


class Session:
    """An open session; use it as a context manager. Cycles are 0 where the board has no counter."""

    def __init__(self, port: Any, name: str, options: Options | None = None) -> None:
        """Finds the board. Raises SilentError, GarbageError, LostError, DeviceError; the port is then closed."""
        options = options or Options()
        self.name = name
        self.wire = Wire(port, name)
        self.counters = self.wire.counters
        self._input = b""
        self._loaded_in = -1  # the contact's generation in which the input was loaded
        self._infer_s = options.timing.infer_s
        try:
            self.contact = Contact(self.wire, options)
        except BaseException:
            self._close_port()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Put the board back to its first baud rate, where the next session looks first, and close the port."""
        with suppress(LinkError, DeviceError):  # a board that is gone or confused: the next session looks at every rate
            if self.wire.baud != FIRST_BAUD and self.contact.in_step:
                self.set_baud(FIRST_BAUD)
        self._close_port()

    @property
    def identity(self) -> protocol.IdentifyAnswer:
        """What the board said about itself when it was last asked."""
        return self.contact.identity

    def identify(self) -> protocol.IdentifyAnswer:
        """Ask again who the board is."""
        return self.contact.identify()

    def echo(self, data: bytes) -> bytes:
        """Up to 1023 bytes, sent back by the board."""
        return self._plain(Op.ECHO, data)

    def set_input(self, data: bytes) -> None:
        """The input tensor for infer, bench and profile. Raises DeviceError when its size is not the model's."""
        due = self.identity.input_bytes
        if len(data) != due:
            hint = "build and flash the firmware of this task"
            raise DeviceError(f"the model on the board takes {due} bytes, not {len(data)}", where=self.name, hint=hint)
        self._input, self._loaded_in = bytes(data), -1

    def infer(self) -> protocol.InferAnswer:
        """Run once on the input that is set: cycles and the output tensor."""
        began = self.wire.now()
        answer = self.contact.decoded(protocol.InferAnswer, self._with_input(Op.INFER, b"", self._infer_s, self._rest))
        took_s = self.wire.now() - began
        self._infer_s = min(self._infer_s, 10 * took_s + 1)  # what one inference may take from now on, generously
        self._expect("output bytes", len(answer.output), self.identity.output_bytes)
        return answer

    def run_vector(self, data: bytes) -> protocol.InferAnswer:
        """set_input and infer."""
        self.set_input(data)
        return self.infer()

    def bench(self, warmup: int, runs: int) -> list[int]:
        """Cycles of each of `runs` runs on the input that is set, in as many commands as their number needs."""
        cycles: list[int] = []
        while len(cycles) < runs:
            count = min(runs - len(cycles), protocol.BENCH_RUNS)
            request = protocol.BenchRequest(warmup, count).encode()
            body = self._with_input(Op.BENCH, request, (warmup + count) * self._infer_s)
            answer = self.contact.decoded(protocol.BenchAnswer, body)
            self._expect("cycle counts", len(answer.cycles), count)
            cycles += answer.cycles
        return cycles

    def profile(self) -> list[protocol.ProfileRow]:
        """Cycles and CRC-32 of the output of each layer, in order."""
        rows: list[protocol.ProfileRow] = []
        while len(rows) < self.identity.layers:
            request = protocol.ProfileRequest(len(rows)).encode()
            body = self._with_input(Op.PROFILE, request, 2 * self._infer_s)
            answer = self.contact.decoded(protocol.ProfileAnswer, body)
            due = min(self.identity.layers - len(rows), protocol.PROFILE_LAYERS)
            self._expect("layers", len(answer.layers), due)
            rows += answer.layers
        return rows

    def memory(self) -> protocol.MemoryAnswer:
        """Sizes and marks of RAM in bytes."""
        return self.contact.decoded(protocol.MemoryAnswer, self._plain(Op.MEMORY))

    def fault(self) -> protocol.FaultRecord:
        """Read and clear the record of the last crash; all zero when there was none."""
        self._loaded_in = -1  # on the board this command ends the load
        return self.contact.fault()

    def set_baud(self, baud: int) -> bool:
        """Change the rate of the link. False when the new one does not work: both ends are then back at the first."""
        return self.contact.set_baud(baud)

    def reset(self, kind: int = 0) -> None:
        """Reset the board and find it again. Kinds 1 and 2 crash it on purpose and raise the DeviceError of that."""
        with suppress(OutOfStepError):  # it was reset before its answer arrived
            self.contact.exchange.request(Op.RESET, protocol.ResetRequest(kind).encode())
        self.contact.restart()

    def _plain(self, op: Op, body: bytes = b"") -> bytes:
        """A command that has nothing to do with the input: on the board it ends the load."""
        self._loaded_in = -1
        return self.contact.repeat(lambda: self.contact.exchange.request(op, body))

    def _with_input(self, op: Op, body: bytes, busy_s: float, more: Callable[[bytes], bytes] | None = None) -> bytes:
        """more: completes the answer, as part of what is repeated when the two ends lose step."""

        def action() -> bytes:
            if self._loaded_in != self.contact.generation:
                self._load()
            answer = self.contact.exchange.request(op, body, busy_s=busy_s)
            return more(answer) if more else answer

        return self.contact.repeat(action)

    def _rest(self, answer: bytes) -> bytes:
        """The answer to infer with the whole output tensor, of which a frame holds only the beginning."""
        begun = len(protocol.InferAnswer(0, b"").encode())
        while 0 <= (offset := len(answer) - begun) < self.identity.output_bytes:
            more = self.contact.exchange.request(Op.OUTPUT, protocol.OutputRequest(offset).encode())
            self._expect("output bytes at once", bool(more), True)
            answer += more
        return answer

    def _load(self) -> None:
        if not self._input:
            raise DeviceError("no input is set", where=self.name, hint="call set_input first")
        size = protocol.CHUNK_BYTES
        chunks = [protocol.LoadRequest(at, self._input[at : at + size]) for at in range(0, len(self._input), size)]
        body = self.contact.exchange.stream(Op.LOAD, [chunk.encode() for chunk in chunks])
        loaded = self.contact.decoded(protocol.LoadAnswer, body).loaded
        if loaded != len(self._input):
            raise OutOfStepError(f"the board has {loaded} of {len(self._input)} input bytes", where=self.name)
        self._loaded_in = self.contact.generation

    def _expect(self, what: str, got: int, due: int) -> None:
        if got != due:
            raise DeviceError(f"the board sent {got} {what} where {due} are due", where=self.name)

    def _close_port(self) -> None:
        with suppress(LinkError):  # it is gone already
            self.wire.close()
