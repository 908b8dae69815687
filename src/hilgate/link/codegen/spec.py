"""protocol.toml as dataclasses, and the arithmetic that it must obey."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.errors import ParamsError

SCALARS = {"u8": 1, "u16": 2, "u32": 4}
HEADER_BYTES = 3  # opcode u8, sequence u16
CRC_BYTES = 4
STATUS_BYTES = 1


@dataclass(frozen=True)
class Field:
    """One field. `type` is u8, u16, u32, bytes:N, bytes (rest), list:T (rest) or record:T.

    bytes: its size, None for a rest; item_bytes: of one item of a list.
    """

    name: str
    type: str
    bytes: int | None
    item_bytes: int = 1

    @property
    def base(self) -> str:
        return self.type.split(":")[0]

    @property
    def argument(self) -> str:
        return self.type.partition(":")[2]


@dataclass(frozen=True)
class Layout:
    """A sequence of fields: fixed ones, then at most one `rest` which takes what is left of the body."""

    fields: tuple[Field, ...]

    @property
    def fixed(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if f.bytes is not None)

    @property
    def rest(self) -> Field | None:
        return next((f for f in self.fields if f.bytes is None), None)

    @property
    def fixed_bytes(self) -> int:
        return sum(f.bytes or 0 for f in self.fixed)


@dataclass(frozen=True)
class Command:
    """`longest_request` in bytes; the longest answer follows from the limits."""

    name: str
    opcode: int
    doc: str
    request: Layout
    answer: Layout
    longest_request: int


@dataclass(frozen=True)
class Event:
    name: str
    opcode: int
    doc: str
    record: str


@dataclass(frozen=True)
class Value:
    """A named number with its meaning: an error, a state or a member of an enum."""

    name: str
    value: int
    doc: str = ""


@dataclass(frozen=True)
class Record:
    name: str
    doc: str
    layout: Layout


@dataclass(frozen=True)
class Spec:
    """The whole protocol. `limits` in the order written."""

    version: int
    limits: dict[str, int]
    states: tuple[Value, ...]
    errors: tuple[Value, ...]
    commands: tuple[Command, ...]
    records: tuple[Record, ...]
    events: tuple[Event, ...]
    enums: dict[str, tuple[Value, ...]]

    @property
    def entries(self) -> tuple[Command | Event, ...]:
        """Everything that has an opcode."""
        return (*self.commands, *self.events)


def load_spec(path: Path) -> Spec:
    """Read and check. Raises ParamsError that names the rule which is broken."""
    try:
        facts = tomllib.loads(path.read_text("utf-8"))
        spec = _spec(facts)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ParamsError(f"cannot be understood: {error!r}", where=str(path)) from error
    for problem in problems(spec):
        raise ParamsError(problem, where=str(path))
    return spec


def problems(spec: Spec) -> list[str]:
    """Every rule that the numbers break; empty when the protocol is sound."""
    return [*_frame_problems(spec), *_name_problems(spec)]


def frame_bytes(body_bytes: int) -> int:
    """Longest frame on the wire: header, body and CRC, COBS overhead of one byte per 254, and the final zero."""
    plain = HEADER_BYTES + body_bytes + CRC_BYTES
    return plain + math.ceil(plain / 254) + 1


def _frame_problems(spec: Spec) -> list[str]:
    limits, found = spec.limits, []
    body = limits["body_bytes"]
    if limits["frame_bytes"] != frame_bytes(body):
        found.append(f"limits.frame_bytes must be {frame_bytes(body)} for bodies of {body} bytes")
    if limits["window"] * limits["frame_bytes"] >= limits["ring_bytes"]:
        found.append("limits: window * frame_bytes must be less than ring_bytes, or a full window overruns")
    if limits["ring_bytes"] & (limits["ring_bytes"] - 1):
        found.append("limits.ring_bytes must be a power of two")
    for command in spec.commands:
        for layout, extra in ((command.request, 0), (command.answer, STATUS_BYTES)):
            if layout.fixed_bytes + extra > body:
                found.append(f"{command.name}: the fixed part alone is longer than limits.body_bytes")
        if not command.request.fixed_bytes <= command.longest_request <= body:
            found.append(f"{command.name}: longest_request must lie between its fixed part and limits.body_bytes")
    lists = (("bench_runs", 4, 0), ("profile_layers", 8, 0), ("chunk_bytes", 1, 4))
    for name, item_bytes, other in lists:
        if limits[name] * item_bytes + other + STATUS_BYTES > body:
            found.append(f"limits.{name} does not fit one body of {body} bytes")
    return found


def _name_problems(spec: Spec) -> list[str]:
    found = []
    groups: dict[str, list[tuple[str, int]]] = {
        "opcode": [(c.name, c.opcode) for c in spec.commands] + [(e.name, e.opcode) for e in spec.events],
        "error": [(e.name, e.value) for e in spec.errors],
        "state": [(s.name, s.value) for s in spec.states],
        **{name: [(v.name, v.value) for v in values] for name, values in spec.enums.items()},
    }
    for group, members in groups.items():
        for index, kind in enumerate(("name", "value")):
            seen = [member[index] for member in members]
            twice = sorted({str(s) for s in seen if seen.count(s) > 1})
            if twice:
                found.append(f"{group}: the {kind} {', '.join(twice)} is given twice")
    for command in spec.commands:
        if not 0 < command.opcode < 0x70:
            found.append(f"{command.name}: opcodes of commands lie in 0x01-0x6F, not {command.opcode:#x}")
    return found


def _spec(facts: dict[str, Any]) -> Spec:
    records: dict[str, Record] = {}
    for entry in facts["record"]:
        records[entry["name"]] = Record(entry["name"], entry["doc"], _layout(entry["fields"], records))
    return Spec(
        version=facts["version"],
        limits={str(k): int(v) for k, v in facts["limits"].items()},
        states=tuple(Value(name, s["value"], s["doc"]) for name, s in facts["states"].items()),
        errors=tuple(Value(e["name"], e["value"], e["doc"]) for e in facts["error"]),
        commands=tuple(_command(c, records, facts["limits"]["body_bytes"]) for c in facts["command"]),
        records=tuple(records.values()),
        events=tuple(Event(e["name"], e["opcode"], e["doc"], records[e["record"]].name) for e in facts["event"]),
        enums={n: tuple(Value(k, v) for k, v in members.items()) for n, members in facts["enums"].items()},
    )


def _command(entry: dict[str, Any], records: dict[str, Record], body_bytes: int) -> Command:
    request, answer = _layout(entry["request"], records), _layout(entry["answer"], records)
    longest = entry.get("longest_request", body_bytes if request.rest else request.fixed_bytes)
    return Command(entry["name"], entry["opcode"], entry["doc"], request, answer, longest)


def _layout(fields: list[list[str]], records: dict[str, Record]) -> Layout:
    made = tuple(Field(name, kind, _bytes(kind, records), _item_bytes(kind, records)) for name, kind in fields)
    if any(f.bytes is None for f in made[:-1]):
        raise ValueError("a field that takes the rest of the body must be the last one")
    return Layout(made)


def _bytes(kind: str, records: dict[str, Record]) -> int | None:
    base, _, argument = kind.partition(":")
    if kind in SCALARS:
        return SCALARS[kind]
    if base == "bytes":
        return int(argument) if argument else None
    if base == "record":
        return records[argument].layout.fixed_bytes
    if base == "list" and (argument in SCALARS or argument in records):
        return None
    raise ValueError(f"unknown field type {kind!r}")


def _item_bytes(kind: str, records: dict[str, Record]) -> int:
    base, _, argument = kind.partition(":")
    if base != "list":
        return 1
    return SCALARS[argument] if argument in SCALARS else records[argument].layout.fixed_bytes
