"""Generated from firmware/protocol.toml by `python -m hilgate.link.codegen`. Do not edit.

The bodies of answers are without their status byte. Integers are little-endian.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hilgate.link.body import Body

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
    # Run the model once on the loaded input, which stays loaded. Of an output longer than the answer only the
    # beginning is sent; `output` gives the rest.
    INFER = 0x04
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
    # The output tensor of the last run from an offset on, as much as an answer holds. Legal from a run until the next
    # input begins; it does not end a load.
    OUTPUT = 0x0B
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
    # input chunks arrive; offsets must be contiguous; any command but load, infer, output, bench, profile ends it
    LOAD = 1
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
class ErrorBody(Body):
    """The body of every answer whose status is not `ok`, and of error_event."""

    FIXED = "<BI"
    status: int
    detail: int


@dataclass(frozen=True)
class ProfileRow(Body):
    """One layer: its cycles and the CRC-32 of its output tensor."""

    FIXED = "<II"
    cycles: int
    crc32: int


@dataclass(frozen=True)
class FaultRecord(Body):
    """Sent unasked once after the reset that a crash caused (opcode 0x70, sequence 0), and as the answer to `fault`."""

    FIXED = "<IIIIIIIIIIIIIIII"
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


@dataclass(frozen=True)
class IdentifyRequest(Body):
    """Request of identify. Who are you. Accepts any sequence number and starts a new sequence with it."""

    FIXED = "<H"
    version: int


@dataclass(frozen=True)
class IdentifyAnswer(Body):
    """Answer of identify. Who are you. Accepts any sequence number and starts a new sequence with it."""

    FIXED = "<HHBBBBIIIIHBB12s32s16s32s"
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


@dataclass(frozen=True)
class EchoRequest(Body):
    """Request of echo. Send the body back; one byte less than the longest body, for the answer's status."""

    REST = "bytes"
    data: bytes


@dataclass(frozen=True)
class EchoAnswer(Body):
    """Answer of echo. Send the body back; one byte less than the longest body, for the answer's status."""

    REST = "bytes"
    data: bytes


@dataclass(frozen=True)
class LoadRequest(Body):
    """Request of load. One chunk of the input tensor. Offset 0 starts a new input; later chunks must be contiguous."""

    FIXED = "<I"
    REST = "bytes"
    offset: int
    data: bytes


@dataclass(frozen=True)
class LoadAnswer(Body):
    """Answer of load. One chunk of the input tensor. Offset 0 starts a new input; later chunks must be contiguous."""

    FIXED = "<I"
    loaded: int


@dataclass(frozen=True)
class InferAnswer(Body):
    """Answer of infer. Run the model once on the loaded input, which stays loaded. Of an output longer than the

    answer only the beginning is sent; `output` gives the rest.
    """

    FIXED = "<I"
    REST = "bytes"
    cycles: int
    output: bytes


@dataclass(frozen=True)
class BenchRequest(Body):
    """Request of bench. Run warmup times uncounted, then runs times counted, input restored before each,

    interrupts off around each.
    """

    FIXED = "<HH"
    warmup: int
    runs: int


@dataclass(frozen=True)
class BenchAnswer(Body):
    """Answer of bench. Run warmup times uncounted, then runs times counted, input restored before each,

    interrupts off around each.
    """

    REST = "I"
    cycles: tuple[int, ...]


@dataclass(frozen=True)
class ProfileRequest(Body):
    """Request of profile. Run once; for each layer its cycles and the CRC-32 of its output tensor (computed

    outside the counted time).
    """

    FIXED = "<H"
    first_layer: int


@dataclass(frozen=True)
class ProfileAnswer(Body):
    """Answer of profile. Run once; for each layer its cycles and the CRC-32 of its output tensor (computed

    outside the counted time).
    """

    REST = ProfileRow
    layers: tuple[ProfileRow, ...]


@dataclass(frozen=True)
class MemoryAnswer(Body):
    """Answer of memory. Sizes and marks of RAM, in bytes."""

    FIXED = "<IIIII"
    arena_bytes: int
    static_bytes: int
    stack_bytes: int
    stack_seen_bytes: int
    overruns: int


@dataclass(frozen=True)
class BaudRequest(Body):
    """Request of baud. Change the rate. Answered at the old rate; the host then sends a frame at the new rate

    within baud_confirm_ms, else both return to first_baud.
    """

    FIXED = "<I"
    baud: int


@dataclass(frozen=True)
class BaudAnswer(Body):
    """Answer of baud. Change the rate. Answered at the old rate; the host then sends a frame at the new rate

    within baud_confirm_ms, else both return to first_baud.
    """

    FIXED = "<II"
    baud: int
    error_ppm: int


@dataclass(frozen=True)
class FaultAnswer(Body):
    """Answer of fault. Read and clear the record of the last crash: all zero when there was none."""

    FIXED = "<64s"
    NESTED = {0: FaultRecord}  # noqa: RUF012
    fault: FaultRecord


@dataclass(frozen=True)
class ResetRequest(Body):
    """Request of reset. Answer, drain, reset. kind 0: system reset; 1: crash on purpose (a permanently undefined

    instruction); 2: hang with interrupts off until the watchdog bites. 1 and 2 exist to test the path that
    reports them.
    """

    FIXED = "<B"
    kind: int


@dataclass(frozen=True)
class OutputRequest(Body):
    """Request of output. The output tensor of the last run from an offset on, as much as an answer holds. Legal

    from a run until the next input begins; it does not end a load.
    """

    FIXED = "<I"
    offset: int


@dataclass(frozen=True)
class OutputAnswer(Body):
    """Answer of output. The output tensor of the last run from an offset on, as much as an answer holds. Legal

    from a run until the next input begins; it does not end a load.
    """

    REST = "bytes"
    data: bytes
