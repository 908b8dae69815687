"""Generated from firmware/protocol.toml by `python -m hilgate.link.codegen`. Do not edit.

Bodies of frames as dataclasses. `encode` gives the bytes, `decode` takes them and raises ValueError when their number
is not what the layout allows; a body of an answer is without its status byte. Integers are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

VERSION = 1
ANSWER = 0x80
SEQUENCE_NONE = 0xFFFF
BODY_BYTES = 1024
FRAME_BYTES = 1037
RING_BYTES = 4096
WINDOW = 3
CHUNK_BYTES = 1016
BENCH_RUNS = 200
PROFILE_LAYERS = 120
FIRST_BAUD = 115200
BAUD_CONFIRM_MS = 500
QUIESCE_US = 200


class Op(IntEnum):
    """Opcodes of requests and of events."""

    IDENTIFY = 0x01  # Who are you. Accepts any sequence number and starts a new sequence with it.
    ECHO = 0x02  # Send the body back; one byte less than the longest body, for the answer's status.
    LOAD = 0x03  # One chunk of the input tensor. Offset 0 starts a new input; later chunks must be contiguous.
    INFER = 0x04  # Run the model once on the loaded input. The input stays loaded.
    # Run warmup times uncounted, then runs times counted, input restored before each, interrupts off around each.
    BENCH = 0x05
    # Run once; for each layer its cycles and the CRC-32 of its output tensor (computed outside the counted time).
    PROFILE = 0x06
    MEMORY = 0x07  # Sizes and marks of RAM, in bytes.
    # Change the rate. Answered at the old rate; the host then sends a frame at the new rate within baud_confirm_ms,
    # else both return to first_baud.
    BAUD = 0x08
    FAULT = 0x09  # Read and clear the record of the last crash: all zero when there was none.
    # Answer, drain, reset. kind 0: system reset; 1: crash on purpose (a permanently undefined instruction); 2: hang
    # with interrupts off until the watchdog bites. 1 and 2 exist to test the path that reports them.
    RESET = 0x0A
    FAULT_EVENT = 0x70  # The device was reset by a crash; sent once after start-up.
    ERROR_EVENT = 0x7F  # A frame that could not be attributed to a command (bad CRC, bad length); sequence 0xFFFF.


class Status(IntEnum):
    """The first byte of each answer."""

    OK = 0  # done
    BAD_CRC = 1  # the frame's CRC-32 does not match; detail: the CRC that was computed
    BAD_LENGTH = 2  # the frame or its body is too short or too long for its opcode; detail: the length seen
    UNKNOWN_OPCODE = 3  # no such command in this protocol version; detail: the opcode
    BAD_SEQUENCE = 4  # the sequence number is neither the next nor the last one; detail: the number expected
    BAD_ARGUMENT = 5  # a field is outside its range; detail: the value
    BAD_STATE = 6  # the command is not legal now; detail: the state
    NO_INPUT = 7  # infer, bench or profile before the whole input was loaded; detail: the bytes loaded so far
    BAD_WEIGHTS = 8  # the weights blob does not belong to this code or is damaged; detail: model_check's result
    OVERRUN = 9  # received bytes were lost; detail: how many overruns since reset
    NO_COUNTER = 10  # this core or emulator has no cycle counter; detail: 0
    # the image's hash does not match its own slot; detail: the first four bytes of the computed hash
    IMAGE_DAMAGED = 11


class State(IntEnum):
    """States of the device."""

    IDLE = 0  # waits for a frame; every command is legal
    LOAD = 1  # input chunks arrive; offsets must be contiguous; any command but load, infer, bench, profile ends it
    QUIESCE = 2  # the request is acknowledged in full, the transmitter has drained, the receiver is off for quiesce_us
    MEASURE = 3  # interrupts are masked around each measured call; nothing moves on the link
    REPORT = 4  # the answer is sent; then idle


class ClockSource(IntEnum):
    """Values of clock_source."""

    RESET_DEFAULT = 0
    HSE_PLL = 1
    HSI_PLL = 2
    HSE_BYPASS_PLL = 3


class ResetCause(IntEnum):
    """Values of reset_cause."""

    UNKNOWN = 0
    POWER_ON = 1
    PIN = 2
    SOFTWARE = 3
    WATCHDOG = 4
    FAULT = 5


class Counter(IntEnum):
    """Values of counter."""

    NONE = 0
    DWT = 1
    TIMER = 2


class FaultKind(IntEnum):
    """Values of fault_kind."""

    NONE = 0
    HARD_FAULT = 1
    MEM_MANAGE = 2
    BUS_FAULT = 3
    USAGE_FAULT = 4
    WATCHDOG = 5
    NMI = 6
    UNEXPECTED_INTERRUPT = 7


@dataclass(frozen=True)
class ErrorBody:
    """The body of every answer whose status is not `ok`, and of error_event."""

    status: int
    detail: int

    def encode(self) -> bytes:
        return struct.pack("<BI", self.status, self.detail)

    @classmethod
    def decode(cls, body: bytes) -> ErrorBody:
        if len(body) != 5:
            raise ValueError(f"{len(body)} bytes where 5 are due")
        return cls(*struct.unpack_from("<BI", body))


@dataclass(frozen=True)
class ProfileRow:
    """One layer: its cycles and the CRC-32 of its output tensor."""

    cycles: int
    crc32: int

    def encode(self) -> bytes:
        return struct.pack("<II", self.cycles, self.crc32)

    @classmethod
    def decode(cls, body: bytes) -> ProfileRow:
        if len(body) != 8:
            raise ValueError(f"{len(body)} bytes where 8 are due")
        return cls(*struct.unpack_from("<II", body))


@dataclass(frozen=True)
class FaultRecord:
    """Sent unasked once after the reset that a crash caused (opcode 0x70, sequence 0), and as the answer to `fault`."""

    kind: int
    pc: int
    lr: int
    sp: int
    xpsr: int
    cfsr: int
    hfsr: int
    mmfar: int
    bfar: int
    r0: int
    r1: int
    r2: int
    r3: int
    r12: int
    state: int
    layer: int

    def encode(self) -> bytes:
        return struct.pack(
            "<IIIIIIIIIIIIIIII",
            self.kind,
            self.pc,
            self.lr,
            self.sp,
            self.xpsr,
            self.cfsr,
            self.hfsr,
            self.mmfar,
            self.bfar,
            self.r0,
            self.r1,
            self.r2,
            self.r3,
            self.r12,
            self.state,
            self.layer,
        )

    @classmethod
    def decode(cls, body: bytes) -> FaultRecord:
        if len(body) != 64:
            raise ValueError(f"{len(body)} bytes where 64 are due")
        return cls(*struct.unpack_from("<IIIIIIIIIIIIIIII", body))


@dataclass(frozen=True)
class IdentifyRequest:
    """Request of identify. Who are you. Accepts any sequence number and starts a new sequence with it."""

    version: int

    def encode(self) -> bytes:
        return struct.pack("<H", self.version)

    @classmethod
    def decode(cls, body: bytes) -> IdentifyRequest:
        if len(body) != 2:
            raise ValueError(f"{len(body)} bytes where 2 are due")
        return cls(*struct.unpack_from("<H", body))


@dataclass(frozen=True)
class IdentifyAnswer:
    """Answer of identify. Who are you. Accepts any sequence number and starts a new sequence with it."""

    version: int
    board_id: int
    state: int
    clock_source: int
    reset_cause: int
    counter: int
    clock_hz: int
    baud: int
    input_bytes: int
    output_bytes: int
    layers: int
    image_ok: int
    fault_pending: int
    uid: bytes
    image_hash: bytes
    architecture_hash: bytes
    weights_hash: bytes

    def encode(self) -> bytes:
        return struct.pack(
            "<HHBBBBIIIIHBB12s32s16s32s",
            self.version,
            self.board_id,
            self.state,
            self.clock_source,
            self.reset_cause,
            self.counter,
            self.clock_hz,
            self.baud,
            self.input_bytes,
            self.output_bytes,
            self.layers,
            self.image_ok,
            self.fault_pending,
            self.uid,
            self.image_hash,
            self.architecture_hash,
            self.weights_hash,
        )

    @classmethod
    def decode(cls, body: bytes) -> IdentifyAnswer:
        if len(body) != 120:
            raise ValueError(f"{len(body)} bytes where 120 are due")
        return cls(*struct.unpack_from("<HHBBBBIIIIHBB12s32s16s32s", body))


@dataclass(frozen=True)
class EchoRequest:
    """Request of echo. Send the body back; one byte less than the longest body, for the answer's status."""

    data: bytes

    def encode(self) -> bytes:
        return self.data

    @classmethod
    def decode(cls, body: bytes) -> EchoRequest:
        return cls(body)


@dataclass(frozen=True)
class EchoAnswer:
    """Answer of echo. Send the body back; one byte less than the longest body, for the answer's status."""

    data: bytes

    def encode(self) -> bytes:
        return self.data

    @classmethod
    def decode(cls, body: bytes) -> EchoAnswer:
        return cls(body)


@dataclass(frozen=True)
class LoadRequest:
    """Request of load. One chunk of the input tensor. Offset 0 starts a new input; later chunks must be contiguous."""

    offset: int
    data: bytes

    def encode(self) -> bytes:
        return struct.pack("<I", self.offset) + self.data

    @classmethod
    def decode(cls, body: bytes) -> LoadRequest:
        if len(body) < 4:
            raise ValueError(f"{len(body)} bytes where 4 or more are due")
        parts = struct.unpack_from("<I", body)
        return cls(parts[0], body[4:])


@dataclass(frozen=True)
class LoadAnswer:
    """Answer of load. One chunk of the input tensor. Offset 0 starts a new input; later chunks must be contiguous."""

    loaded: int

    def encode(self) -> bytes:
        return struct.pack("<I", self.loaded)

    @classmethod
    def decode(cls, body: bytes) -> LoadAnswer:
        if len(body) != 4:
            raise ValueError(f"{len(body)} bytes where 4 are due")
        return cls(*struct.unpack_from("<I", body))


@dataclass(frozen=True)
class InferRequest:
    """Request of infer. Run the model once on the loaded input. The input stays loaded."""

    def encode(self) -> bytes:
        return b""

    @classmethod
    def decode(cls, body: bytes) -> InferRequest:
        if len(body) != 0:
            raise ValueError(f"{len(body)} bytes where 0 are due")
        return cls()


@dataclass(frozen=True)
class InferAnswer:
    """Answer of infer. Run the model once on the loaded input. The input stays loaded."""

    cycles: int
    output: bytes

    def encode(self) -> bytes:
        return struct.pack("<I", self.cycles) + self.output

    @classmethod
    def decode(cls, body: bytes) -> InferAnswer:
        if len(body) < 4:
            raise ValueError(f"{len(body)} bytes where 4 or more are due")
        parts = struct.unpack_from("<I", body)
        return cls(parts[0], body[4:])


@dataclass(frozen=True)
class BenchRequest:
    """Request of bench. Run warmup times uncounted, then runs times counted, input restored before each,

    interrupts off around each.
    """

    warmup: int
    runs: int

    def encode(self) -> bytes:
        return struct.pack("<HH", self.warmup, self.runs)

    @classmethod
    def decode(cls, body: bytes) -> BenchRequest:
        if len(body) != 4:
            raise ValueError(f"{len(body)} bytes where 4 are due")
        return cls(*struct.unpack_from("<HH", body))


@dataclass(frozen=True)
class BenchAnswer:
    """Answer of bench. Run warmup times uncounted, then runs times counted, input restored before each,

    interrupts off around each.
    """

    cycles: tuple[int, ...]

    def encode(self) -> bytes:
        return struct.pack(f"<{len(self.cycles)}I", *self.cycles)

    @classmethod
    def decode(cls, body: bytes) -> BenchAnswer:
        rest = body
        if len(rest) % 4:
            raise ValueError(f"{len(rest)} bytes are no whole number of items of 4")
        return cls(struct.unpack(f"<{len(rest) // 4}I", rest))


@dataclass(frozen=True)
class ProfileRequest:
    """Request of profile. Run once; for each layer its cycles and the CRC-32 of its output tensor (computed

    outside the counted time).
    """

    first_layer: int

    def encode(self) -> bytes:
        return struct.pack("<H", self.first_layer)

    @classmethod
    def decode(cls, body: bytes) -> ProfileRequest:
        if len(body) != 2:
            raise ValueError(f"{len(body)} bytes where 2 are due")
        return cls(*struct.unpack_from("<H", body))


@dataclass(frozen=True)
class ProfileAnswer:
    """Answer of profile. Run once; for each layer its cycles and the CRC-32 of its output tensor (computed

    outside the counted time).
    """

    layers: tuple[ProfileRow, ...]

    def encode(self) -> bytes:
        return b"".join(item.encode() for item in self.layers)

    @classmethod
    def decode(cls, body: bytes) -> ProfileAnswer:
        rest = body
        if len(rest) % 8:
            raise ValueError(f"{len(rest)} bytes are no whole number of items of 8")
        return cls(tuple(ProfileRow.decode(rest[i : i + 8]) for i in range(0, len(rest), 8)))


@dataclass(frozen=True)
class MemoryRequest:
    """Request of memory. Sizes and marks of RAM, in bytes."""

    def encode(self) -> bytes:
        return b""

    @classmethod
    def decode(cls, body: bytes) -> MemoryRequest:
        if len(body) != 0:
            raise ValueError(f"{len(body)} bytes where 0 are due")
        return cls()


@dataclass(frozen=True)
class MemoryAnswer:
    """Answer of memory. Sizes and marks of RAM, in bytes."""

    arena_bytes: int
    static_bytes: int
    stack_bytes: int
    stack_seen_bytes: int
    overruns: int

    def encode(self) -> bytes:
        return struct.pack(
            "<IIIII",
            self.arena_bytes,
            self.static_bytes,
            self.stack_bytes,
            self.stack_seen_bytes,
            self.overruns,
        )

    @classmethod
    def decode(cls, body: bytes) -> MemoryAnswer:
        if len(body) != 20:
            raise ValueError(f"{len(body)} bytes where 20 are due")
        return cls(*struct.unpack_from("<IIIII", body))


@dataclass(frozen=True)
class BaudRequest:
    """Request of baud. Change the rate. Answered at the old rate; the host then sends a frame at the new rate

    within baud_confirm_ms, else both return to first_baud.
    """

    baud: int

    def encode(self) -> bytes:
        return struct.pack("<I", self.baud)

    @classmethod
    def decode(cls, body: bytes) -> BaudRequest:
        if len(body) != 4:
            raise ValueError(f"{len(body)} bytes where 4 are due")
        return cls(*struct.unpack_from("<I", body))


@dataclass(frozen=True)
class BaudAnswer:
    """Answer of baud. Change the rate. Answered at the old rate; the host then sends a frame at the new rate

    within baud_confirm_ms, else both return to first_baud.
    """

    baud: int
    error_ppm: int

    def encode(self) -> bytes:
        return struct.pack("<II", self.baud, self.error_ppm)

    @classmethod
    def decode(cls, body: bytes) -> BaudAnswer:
        if len(body) != 8:
            raise ValueError(f"{len(body)} bytes where 8 are due")
        return cls(*struct.unpack_from("<II", body))


@dataclass(frozen=True)
class FaultRequest:
    """Request of fault. Read and clear the record of the last crash: all zero when there was none."""

    def encode(self) -> bytes:
        return b""

    @classmethod
    def decode(cls, body: bytes) -> FaultRequest:
        if len(body) != 0:
            raise ValueError(f"{len(body)} bytes where 0 are due")
        return cls()


@dataclass(frozen=True)
class FaultAnswer:
    """Answer of fault. Read and clear the record of the last crash: all zero when there was none."""

    fault: FaultRecord

    def encode(self) -> bytes:
        return struct.pack("<64s", self.fault.encode())

    @classmethod
    def decode(cls, body: bytes) -> FaultAnswer:
        if len(body) != 64:
            raise ValueError(f"{len(body)} bytes where 64 are due")
        parts = struct.unpack_from("<64s", body)
        return cls(FaultRecord.decode(parts[0]))


@dataclass(frozen=True)
class ResetRequest:
    """Request of reset. Answer, drain, reset. kind 0: system reset; 1: crash on purpose (a permanently undefined

    instruction); 2: hang with interrupts off until the watchdog bites. 1 and 2 exist to test the path that
    reports them.
    """

    kind: int

    def encode(self) -> bytes:
        return struct.pack("<B", self.kind)

    @classmethod
    def decode(cls, body: bytes) -> ResetRequest:
        if len(body) != 1:
            raise ValueError(f"{len(body)} bytes where 1 are due")
        return cls(*struct.unpack_from("<B", body))


@dataclass(frozen=True)
class ResetAnswer:
    """Answer of reset. Answer, drain, reset. kind 0: system reset; 1: crash on purpose (a permanently undefined

    instruction); 2: hang with interrupts off until the watchdog bites. 1 and 2 exist to test the path that
    reports them.
    """

    def encode(self) -> bytes:
        return b""

    @classmethod
    def decode(cls, body: bytes) -> ResetAnswer:
        if len(body) != 0:
            raise ValueError(f"{len(body)} bytes where 0 are due")
        return cls()
