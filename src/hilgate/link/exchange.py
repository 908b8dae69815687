"""Request and answer over a wire that loses, damages, repeats and delays frames.

Every request has a sequence number. An answer that does not come, or comes damaged, makes the host send the same frame
again; the board recognises the number, executes nothing and repeats its answer, so a retry is always safe. When the
board says that it expected another number, or nothing comes at all, the exchange is out of step and its user starts
again with identify, which any number may begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NoReturn

from hilgate.errors import DeviceError, LostError
from hilgate.link.faults import CrashError, crash
from hilgate.link.frames import Damaged, Frame
from hilgate.link.protocol import ANSWER, SEQUENCE_NONE, WINDOW, ErrorBody, FaultRecord, Op, Status
from hilgate.link.timing import Timing
from hilgate.link.wire import Wire


class OutOfStepError(LostError):
    """Board and host no longer agree on the sequence number, or the board does not answer: identify may mend it."""


class RefusedError(DeviceError):
    """The board answered with an error code, `status`."""

    def __init__(self, what: str, status: int, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status


class Exchange:
    """Sends requests and finds their answers. `elf`, when known, names the functions in a crash report."""

    def __init__(self, wire: Wire, timing: Timing, first_sequence: int, elf: str | None = None) -> None:
        self.wire, self.timing, self.elf = wire, timing, elf
        self._sequence = first_sequence

    def request(self, op: Op, body: bytes = b"", *, busy_s: float = 0.0) -> bytes:
        """One request; gives the answer's body without its status. busy_s: what the board may compute meanwhile.

        Raises DeviceError (refused, or crashed), OutOfStepError, and what the port raises.
        """
        frame = Frame(op, self._advance(), body)
        for attempt in range(self.timing.attempts):
            wire_bytes = self.wire.send(frame, retry=attempt > 0)
            answer = self._await_any([frame], self.timing.wait_s(wire_bytes, self.wire.baud, busy_s))
            if answer is not None:
                return self._accept(answer)
            self.wire.counters.lost += 1
        raise OutOfStepError(
            f"no answer to `{op.name.lower()}`", where=self.wire.name, hint="check cable and power; reset the board"
        )

    def try_once(self, op: Op, body: bytes, wait_s: float) -> bytes | None:
        """Send a request once; None when no answer comes within `wait_s`. For finding a board, not for using it."""
        frame = Frame(op, self._advance(), body)
        self.wire.send(frame)
        answer = self._await_any([frame], wait_s)
        if answer is None:
            self.wire.counters.lost += 1
            return None
        return self._accept(answer)

    def listen(self, seconds: float) -> CrashError | None:
        """What a board says unasked while it starts: the crash that ended its last life, or nothing."""
        try:
            self._await_any([], seconds)
        except CrashError as error:
            return error
        return None

    def stream(self, op: Op, bodies: Sequence[bytes]) -> bytes:
        """Many requests, up to WINDOW in flight; gives the last answer's body. Raises as `request` does.

        After any trouble one frame at a time goes out, from the first which is not known to be executed.
        """
        first = (self._sequence + 1) & 0xFFFF
        frames = [Frame(op, (first + i) & 0xFFFF, body) for i, body in enumerate(bodies)]
        self._sequence = frames[-1].sequence
        done, sent, window, trouble, last = 0, 0, WINDOW, 0, b""
        while done < len(frames):
            while sent < min(done + window, len(frames)):
                wire_bytes = self.wire.send(frames[sent], retry=trouble > 0)
                sent += 1
            answer = self._await_any(frames[done:sent], self.timing.wait_s(wire_bytes * window, self.wire.baud))
            if answer is not None and answer.body[:1] == bytes([Status.OK]):
                last, done, trouble = answer.body[1:], _index(frames, answer) + 1, 0
                continue
            trouble += 1
            if trouble > self.timing.attempts:
                raise OutOfStepError(f"no answer to `{op.name.lower()}`", where=self.wire.name)
            done = sent = self._executed(answer, frames, done, sent)
            window = 1
        return last

    def _executed(self, answer: Frame | None, frames: list[Frame], done: int, sent: int) -> int:
        """How many of `frames` the board surely has after something went wrong; the last is always asked for again."""
        if answer is None:
            self.wire.counters.lost += 1
            return done
        status = self._error(answer)
        if status.status != Status.BAD_SEQUENCE:
            self._refuse(answer.opcode, status)
        self._settle()
        executed = (status.detail - frames[0].sequence) & 0xFFFF
        if status.detail > 0xFFFF or not done <= executed <= sent:
            self._refuse(answer.opcode, status)
        return min(executed, len(frames) - 1)

    def _await_any(self, frames: Sequence[Frame], seconds: float) -> Frame | None:
        """The answer to one of `frames`. After damage it comes soon or never, so the wait is cut short."""
        deadline = self.wire.now() + seconds
        wanted = {(f.opcode | ANSWER, f.sequence) for f in frames}
        while (item := self.wire.receive(deadline)) is not None:
            if isinstance(item, Damaged):
                deadline = min(deadline, self.wire.now() + self.timing.quiet_s(self.wire.baud))
            elif (item.opcode, item.sequence) in wanted:
                return item
            elif item.opcode == Op.ERROR_EVENT and item.sequence == SEQUENCE_NONE:
                self.wire.counters.refused += 1
                deadline = min(deadline, self.wire.now() + self.timing.quiet_s(self.wire.baud))
            elif item.opcode == Op.FAULT_EVENT:
                self._crashed(item)
            else:
                self.wire.counters.stray += 1
        return None

    def _settle(self) -> None:
        """Let what is under way arrive and be forgotten."""
        while self._await_any([], self.timing.quiet_s(self.wire.baud)) is not None:
            pass

    def _accept(self, answer: Frame) -> bytes:
        if answer.body[:1] == bytes([Status.OK]):
            return answer.body[1:]
        self._refuse(answer.opcode, self._error(answer))

    def _error(self, answer: Frame) -> ErrorBody:
        try:
            return ErrorBody.decode(answer.body)
        except ValueError as error:
            raise DeviceError(f"an answer that the protocol does not know: {error}", where=self.wire.name) from error

    def _refuse(self, opcode: int, error: ErrorBody) -> NoReturn:
        command = name_of(Op, opcode & ~ANSWER)
        if error.status == Status.BAD_SEQUENCE:
            raise OutOfStepError(
                f"the board lost count at `{command}`",
                where=self.wire.name,
                hint="was it reset, or is another session open?",
            )
        status = name_of(Status, error.status)
        raise RefusedError(
            f"the board refused `{command}`: {status}, detail {error.detail:#x}",
            error.status,
            where=self.wire.name,
            hint="firmware/PROTOCOL.md says what each status means",
        )

    def _crashed(self, event: Frame) -> NoReturn:
        try:
            record = FaultRecord.decode(event.body)
        except ValueError as error:
            raise DeviceError(f"the board crashed; its record is damaged: {error}", where=self.wire.name) from error
        raise crash(record, self.wire.name, self.elf)

    def _advance(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFFFF
        return self._sequence


def _index(frames: list[Frame], answer: Frame) -> int:
    return (answer.sequence - frames[0].sequence) & 0xFFFF


def name_of(kind: type[IntEnum], value: int) -> str:
    """The name of a value that came from the board, or the number when this host does not know it."""
    try:
        return kind(value).name.lower()
    except ValueError:
        return f"{value:#04x}"
