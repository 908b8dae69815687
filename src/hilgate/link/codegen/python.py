"""src/hilgate/link/protocol.py: enums, limits, and one dataclass with encode and decode per body."""

from __future__ import annotations

from hilgate.link.codegen.spec import Field, Layout, Spec, Value

PREAMBLE = '''"""Generated from firmware/protocol.toml by `python -m hilgate.link.codegen`. Do not edit.

Bodies of frames as dataclasses. `encode` gives the bytes, `decode` takes them and raises ValueError when their number
is not what the layout allows; a body of an answer is without its status byte. Integers are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
'''

FORMATS = {"u8": "B", "u16": "H", "u32": "I"}


def render(spec: Spec) -> str:
    constants = [f"VERSION = {spec.version}", "ANSWER = 0x80", "SEQUENCE_NONE = 0xFFFF"]
    constants += [f"{name.upper()} = {value}" for name, value in spec.limits.items()]
    opcodes = [Value(e.name, e.opcode, e.doc) for e in spec.entries]
    blocks = [_enum("Op", "Opcodes of requests and of events.", opcodes, "0x{:02X}")]
    blocks.append(_enum("Status", "The first byte of each answer.", list(spec.errors)))
    blocks.append(_enum("State", "States of the device.", list(spec.states)))
    blocks += [_enum(_camel(name), f"Values of {name}.", list(values)) for name, values in spec.enums.items()]
    blocks += [_class(_camel(record.name), record.doc, record.layout) for record in spec.records]
    for command in spec.commands:
        for role, layout in (("Request", command.request), ("Answer", command.answer)):
            blocks.append(_class(_camel(command.name) + role, f"{role} of {command.name}. {command.doc}", layout))
    return "\n".join([PREAMBLE, *constants]) + "\n\n\n" + "\n\n\n".join(blocks) + "\n"


def _enum(name: str, doc: str, values: list[Value], form: str = "{}") -> str:
    lines = [f"class {name}(IntEnum):", f'    """{doc}"""', ""]
    for value in values:
        entry = f"    {value.name.upper()} = {form.format(value.value)}"
        commented = f"{entry}  # {value.doc}"
        lines += [entry] if not value.doc else [commented] if len(commented) <= 120 else _above(entry, value.doc)
    return "\n".join(lines)


def _above(entry: str, doc: str) -> list[str]:
    return [*_wrapped(doc, "    # "), entry]


def _class(name: str, doc: str, layout: Layout) -> str:
    lines = ["@dataclass(frozen=True)", f"class {name}:", *_docstring(doc), ""]
    lines += [f"    {field.name}: {_annotation(field)}" for field in layout.fields]
    lines += [""] if layout.fields else []
    lines += ["    def encode(self) -> bytes:", f"        return {_encode(layout)}", ""]
    lines += ["    @classmethod", f"    def decode(cls, body: bytes) -> {name}:", *_decode(layout)]
    return "\n".join(lines)


def _annotation(field: Field) -> str:
    if field.base == "bytes":
        return "bytes"
    if field.base == "record":
        return _camel(field.argument)
    if field.base == "list":
        return f"tuple[{'int' if field.argument in FORMATS else _camel(field.argument)}, ...]"
    return "int"


def _format(layout: Layout) -> str:
    return "<" + "".join(FORMATS.get(field.type, f"{field.bytes}s") for field in layout.fixed)


def _encode(layout: Layout) -> str:
    values = [f"self.{f.name}" + (".encode()" if f.base == "record" else "") for f in layout.fixed]
    head = _call(f'struct.pack("{_format(layout)}"', values) if layout.fixed else ""
    rest = layout.rest
    if rest is None:
        return head or 'b""'
    if rest.base == "bytes":
        tail = f"self.{rest.name}"
    elif rest.argument in FORMATS:
        tail = f'struct.pack(f"<{{len(self.{rest.name})}}{FORMATS[rest.argument]}", *self.{rest.name})'
    else:
        tail = f'b"".join(item.encode() for item in self.{rest.name})'
    return f"{head} + {tail}" if head else tail


def _call(head: str, values: list[str]) -> str:
    line = ", ".join([head, *values]) + ")"
    if len(line) <= 120 - len("        return "):
        return line
    function, _, first = head.partition("(")
    return function + "(\n" + "".join(f"            {item},\n" for item in [first, *values]) + "        )"


def _decode(layout: Layout) -> list[str]:
    size, rest = layout.fixed_bytes, layout.rest
    compare, more = ("!=", "") if rest is None else ("<", " or more")
    lines = [
        f"        if len(body) {compare} {size}:",
        f'            raise ValueError(f"{{len(body)}} bytes where {size}{more} are due")',
    ]
    if rest is not None and not layout.fixed:
        lines = []
    arguments = _records(layout, lines)
    if rest is not None:
        arguments.append(_rest(rest, size, lines))
    if not layout.fields:
        return [*lines, "        return cls()"]
    return [*lines, f"        return cls({', '.join(arguments)})"]


def _records(layout: Layout, lines: list[str]) -> list[str]:
    """Arguments of the constructor for the fixed fields."""
    if not layout.fixed:
        return []
    source = f'struct.unpack_from("{_format(layout)}", body)'
    if layout.rest is None and not any(f.base == "record" for f in layout.fixed):
        return [f"*{source}"]
    lines.append(f"        parts = {source}")
    return [
        f"{_camel(f.argument)}.decode(parts[{i}])" if f.base == "record" else f"parts[{i}]"
        for i, f in enumerate(layout.fixed)
    ]


def _rest(rest: Field, offset: int, lines: list[str]) -> str:
    tail = f"body[{offset}:]" if offset else "body"
    if rest.base == "bytes":
        return tail
    size = rest.item_bytes
    lines += [
        f"        rest = {tail}",
        f"        if len(rest) % {size}:",
        f'            raise ValueError(f"{{len(rest)}} bytes are no whole number of items of {size}")',
    ]
    if rest.argument in FORMATS:
        return f'struct.unpack(f"<{{len(rest) // {size}}}{FORMATS[rest.argument]}", rest)'
    name = _camel(rest.argument)
    return f"tuple({name}.decode(rest[i : i + {size}]) for i in range(0, len(rest), {size}))"


def _docstring(doc: str) -> list[str]:
    line = f'    """{doc}"""'
    if len(line) <= 120:
        return [line]
    wrapped = _wrapped(doc, "    ", width=110)
    return [f'    """{wrapped[0].strip()}', "", *wrapped[1:], '    """']


def _wrapped(text: str, indent: str, width: int = 118) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width=width, initial_indent=indent, subsequent_indent=indent)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
