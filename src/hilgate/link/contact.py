"""Finding a board and keeping in step with it: at whatever rate it listens, whatever state it is in."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NoReturn, TypeVar

from hilgate.errors import DeviceError, GarbageError, SilentError, StaleImageError
from hilgate.link import protocol
from hilgate.link.body import Body
from hilgate.link.exchange import Exchange, OutOfStepError
from hilgate.link.faults import CrashError, crash
from hilgate.link.protocol import FIRST_BAUD, Op
from hilgate.link.timing import Timing
from hilgate.link.wire import RateError, Wire

T = TypeVar("T")
B = TypeVar("B", bound=Body)
REPEATS = 3  # how often an action is begun anew after the two ends lost step
MOST_TENSOR_BYTES = 16 << 20  # more than any of these chips addresses: a board that claims more is not believed
VERSION = protocol.IdentifyRequest(protocol.VERSION).encode()


@dataclass(frozen=True)
class Options:
    """rates: where the board may listen; elf: names functions in crash reports; first_sequence: fixed only in tests."""

    timing: Timing = field(default_factory=Timing)
    rates: tuple[int, ...] = (FIRST_BAUD,)
    elf: str | None = None
    first_sequence: int | None = None


class Contact:
    """A board that was found. `identity`: what it said last; `generation`: grows whenever its state is unknown."""

    def __init__(self, wire: Wire, options: Options) -> None:
        """Finds the board. Raises SilentError, GarbageError, LostError, DeviceError."""
        self.wire, self.options, self.timing = wire, options, options.timing
        # a number that an earlier session hardly used, so that no old answer in the pipe is taken for ours
        first = int.from_bytes(os.urandom(2)) if options.first_sequence is None else options.first_sequence
        self.exchange = Exchange(wire, options.timing, first, options.elf)
        self.generation = 0
        self._in_step = True
        self._unread: protocol.FaultRecord | None = None  # taken off the board, and not given to anybody yet
        # of a crash before or during the last search
        self.earlier_crash: CrashError | None = self.exchange.listen(options.timing.boot_s)
        self.identity = self._find()

    @property
    def in_step(self) -> bool:
        """Whether the last command ended well, so that the board is where the host thinks."""
        return self._in_step

    def repeat(self, action: Callable[[], T]) -> T:
        """Run an action; when the two ends lose step, identify again and repeat the whole action."""
        for attempt in itertools.count(1):
            try:
                if not self._in_step:
                    self.recover()
                self._in_step = False
                result = action()
            except OutOfStepError:
                if attempt == REPEATS:
                    raise
            else:
                self._in_step = True
                return result
        raise AssertionError("count has no end")

    def recover(self) -> None:
        """Find the board again. Raises the DeviceError of a crash, StaleImageError when it now runs another image."""
        before = self.identity
        self.wire.counters.resyncs += 1
        self.earlier_crash = None
        try:
            self.identity = self._find()
        except (SilentError, GarbageError) as error:
            raise OutOfStepError(f"the board was lost: {error.what}", where=error.where, hint=error.hint) from error
        self._in_step = True
        if self.identity.fault_pending and not before.fault_pending and not self.earlier_crash:
            self.earlier_crash = self._unheard_crash()
        if self.earlier_crash:
            raise self.earlier_crash
        if self.identity.image_hash != before.image_hash:
            raise StaleImageError(
                "the board changed its image in mid-session", where=self.wire.name, hint="begin again"
            )

    def set_baud(self, baud: int) -> bool:
        """Change the rate. False when the new one does not work: both ends are then back at the first one."""
        body = self.repeat(lambda: self.exchange.request(Op.BAUD, protocol.BaudRequest(baud).encode()))
        agreed = self.decoded(protocol.BaudAnswer, body).baud
        if agreed != baud:
            raise DeviceError(f"the board answered {agreed} baud where {baud} was asked", where=self.wire.name)
        self.generation += 1
        confirm_s = protocol.BAUD_CONFIRM_MS / 1000
        if self._confirmed(baud, confirm_s):
            return True
        self._in_step = False
        self.wire.pause(confirm_s)
        self.wire.baud = FIRST_BAUD
        self.recover()
        return False

    def _confirmed(self, baud: int, confirm_s: float) -> bool:
        """Whether an identify came through at the new rate."""
        try:
            self.wire.baud = baud
        except RateError:
            return False
        for _ in range(3):
            answer = self.exchange.try_once(Op.IDENTIFY, VERSION, confirm_s / 4)
            if answer is not None:
                self.identity = self._known(answer)
                return True
        return False

    def restart(self) -> None:
        """After a reset: the board is at its first rate and knows nothing."""
        self._in_step = False
        self.wire.baud = FIRST_BAUD
        heard = self.exchange.listen(self.timing.boot_s)
        try:
            self.recover()
        except CrashError as error:
            raise heard or error from None
        if heard:
            raise heard

    def fault(self) -> protocol.FaultRecord:
        """Take the record of the last crash; all zero when there was none."""
        record, self._unread = self._unread, None
        if record is None:
            record = self.repeat(self._read_fault)
        self.identity = replace(self.identity, fault_pending=0)
        return record

    def identify(self) -> protocol.IdentifyAnswer:
        """Ask again who the board is."""
        self.generation += 1
        self.identity = self._known(self.repeat(lambda: self.exchange.request(Op.IDENTIFY, VERSION)))
        return self.identity

    def decoded(self, kind: type[B], body: bytes) -> B:
        """An answer's body as its dataclass. Raises DeviceError when it has another length."""
        try:
            return kind.decode(body)
        except ValueError as error:
            name = kind.__name__.removesuffix("Answer").lower()
            hint = "build and flash the firmware of this hilgate"
            raise DeviceError(f"a wrong answer to `{name}`: {error}", where=self.wire.name, hint=hint) from error

    def _read_fault(self) -> protocol.FaultRecord:
        return self.decoded(protocol.FaultAnswer, self.exchange.request(Op.FAULT)).fault

    def _unheard_crash(self) -> CrashError:
        """The board says once, unasked, that it crashed; where that was lost, its record still tells."""
        self._unread = self._read_fault()
        return crash(self._unread, self.wire.name, self.options.elf)

    def _find(self) -> protocol.IdentifyAnswer:
        """Ask at every rate in turn until the board answers or open_s has passed."""
        self.generation += 1
        self.wire.heard, deadline = b"", self.wire.now() + self.timing.open_s
        for rate in self._rates():
            if self.wire.baud != rate:
                self.wire.baud = rate
            self.wire.flush()
            try:
                body = self.exchange.try_once(Op.IDENTIFY, VERSION, self.timing.wait_s(16, rate))
            except OutOfStepError:
                body = None  # an answer that belongs to an older request
            except CrashError as error:
                body, self.earlier_crash = None, error
            if body is not None:
                return self._known(body)
            if self.wire.now() > deadline:
                self._nobody()
        raise AssertionError("cycle has no end")

    def _nobody(self) -> NoReturn:
        if self.earlier_crash:
            raise self.earlier_crash
        if not self.wire.heard:
            hint = "is the board powered, and hilgate's firmware flashed? press its reset button"
            raise SilentError("nothing answers", where=self.wire.name, hint=hint)
        words = quote(self.wire.heard)
        what = "what answers does not speak hilgate's protocol" + (f"; it says {words}" if words else "")
        hint = "is this the right port, and does the board run hilgate's firmware? `hilgate flash` puts it there"
        raise GarbageError(what, where=self.wire.name, hint=hint)

    def _rates(self) -> Iterator[int]:
        """The present rate first, then the first one after reset, then the others; again and again."""
        return itertools.cycle(dict.fromkeys((self.wire.baud, FIRST_BAUD, *self.options.rates)))

    def _known(self, body: bytes) -> protocol.IdentifyAnswer:
        """The identity, of a firmware of our protocol version, one older, or one newer (which then speaks ours)."""
        identity = self.decoded(protocol.IdentifyAnswer, body)
        if abs(identity.version - protocol.VERSION) > 1:
            raise GarbageError(
                f"the firmware speaks protocol version {identity.version}, this hilgate {protocol.VERSION}",
                where=self.wire.name,
                hint="build and flash the firmware of this hilgate",
            )
        if max(identity.input_bytes, identity.output_bytes) > MOST_TENSOR_BYTES:
            what = f"the board claims tensors of {identity.input_bytes} and {identity.output_bytes} bytes"
            raise DeviceError(
                what, where=self.wire.name, hint="its firmware is damaged or not hilgate's: flash it again"
            )
        return identity


def quote(heard: bytes) -> str:
    """What a stranger says, when it is text: a login prompt, another firmware's greeting. Nothing when it is noise."""
    text = "".join(chr(byte) if 32 <= byte < 127 else " " for byte in heard)
    shown = " ".join(text.split())
    strange = sum(not (32 <= byte < 127 or byte in b"\r\n\t\0") for byte in heard)
    return repr(shown) if len(shown) >= 4 and 10 * strange <= len(heard) else ""
