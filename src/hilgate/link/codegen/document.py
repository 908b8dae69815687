"""firmware/PROTOCOL.md: the protocol for people."""

from __future__ import annotations

from hilgate.link.codegen.spec import Command, Layout, Spec, Value

PREAMBLE = """<!-- Generated from firmware/protocol.toml by `python -m hilgate.link.codegen`. Do not edit. -->

# The link protocol, version {version}

A frame on the wire is COBS(header + body + CRC-32) and one zero byte. The header is the opcode (u8) and the sequence
number (u16); the CRC-32 is IEEE 802.3 (`zlib.crc32`) over header and body. All integers are little-endian.

The answer to request N has opcode N + 0x80 and the request's sequence number; its body starts with a status byte. When
the status is not `ok`, a u32 detail follows and nothing else.

`identify` accepts any sequence number and starts from it; every other request must carry the next one (last + 1, modulo
2^16). A request that repeats the last number and opcode is a retry: the device sends its last answer again, byte for
byte, and executes nothing. Any other number is answered with `bad_sequence` (in that request's own number), executes
nothing and leaves the expected number as it is. After reset only `identify` is expected: any other request is answered
with `bad_sequence`, detail 0x10000. A request that is refused for its body has used its number up. A frame with a bad
CRC or an impossible length uses no number and causes `error_event`. An empty frame (two zeros in a row) is no error:
hosts send a zero first, to end whatever was on the line.
"""


def render(spec: Spec) -> str:
    parts = [PREAMBLE.format(version=spec.version), "## Commands\n"]
    parts += [_command(command) for command in spec.commands]
    parts.append("## Events\n\nFrames that answer no request.\n")
    parts += [f"- `{e.name}` {e.opcode:#04x}: {e.doc} Body: `{e.record}`." for e in spec.events]
    parts.append("\n## Records\n")
    parts += [f"`{record.name}`: {record.doc}\n\n{_layout(record.layout)}\n" for record in spec.records]
    parts += [_table("Status codes", spec.errors), _table("States", spec.states)]
    parts.append("## Limits\n\n| limit | value |\n|---|---|")
    parts += [f"| {name} | {value} |" for name, value in spec.limits.items()]
    parts.append("\n## Enumerations\n")
    parts += [f"- `{name}`: {', '.join(f'{v.value} {v.name}' for v in values)}" for name, values in spec.enums.items()]
    return "\n".join(parts) + "\n"


def _command(command: Command) -> str:
    head = f"### {command.name} ({command.opcode:#04x})\n\n{command.doc}\n"
    return f"{head}\nRequest: {_layout(command.request)}\n\nAnswer: {_layout(command.answer)}\n"


def _layout(layout: Layout) -> str:
    return ", ".join(f"`{f.name}` {f.type.replace(':', ' ')}" for f in layout.fields) or "empty"


def _table(title: str, values: tuple[Value, ...]) -> str:
    rows = [f"| {v.value} | `{v.name}` | {v.doc} |" for v in values]
    return "\n".join([f"## {title}\n", "| value | name | meaning |", "|---|---|---|", *rows, ""])
