"""src/hilgate/link/protocol.py: enums, limits, and one dataclass per body."""

from __future__ import annotations

import textwrap

from hilgate.link.codegen.spec import Field, Layout, Spec, Value

PREAMBLE = '''"""Generated from firmware/protocol.toml by `python -m hilgate.link.codegen`. Do not edit.

The bodies of answers are without their status byte. Integers are little-endian.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hilgate.link.body import Body
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
            if layout.fields:
                blocks.append(_class(_camel(command.name) + role, f"{role} of {command.name}. {command.doc}", layout))
    return "\n".join([PREAMBLE, *constants]) + "\n\n\n" + "\n\n\n".join(blocks) + "\n"


def _enum(name: str, doc: str, values: list[Value], form: str = "{}") -> str:
    lines = [f"class {name}(IntEnum):", f'    """{doc}"""', ""]
    for value in values:
        entry = f"    {value.name.upper()} = {form.format(value.value)}"
        commented = f"{entry}  # {value.doc}"
        if not value.doc:
            lines.append(entry)
        elif len(commented) <= 120:
            lines.append(commented)
        else:
            lines += [*_wrapped(value.doc, "    # "), entry]
    return "\n".join(lines)


def _class(name: str, doc: str, layout: Layout) -> str:
    lines = ["@dataclass(frozen=True)", f"class {name}(Body):", *_docstring(doc), ""]
    if layout.fixed:
        form = "".join(FORMATS.get(field.type, f"{field.bytes}s") for field in layout.fixed)
        lines.append(f'    FIXED = "<{form}"')
    nested = {i: _camel(f.argument) for i, f in enumerate(layout.fixed) if f.base == "record"}
    if nested:
        lines.append(f"    NESTED = {{{', '.join(f'{i}: {kind}' for i, kind in nested.items())}}}  # noqa: RUF012")
    if layout.rest:
        lines.append(f"    REST = {_rest(layout.rest)}")
    lines += [f"    {field.name}: {_annotation(field)}" for field in layout.fields]
    return "\n".join(lines)


def _rest(field: Field) -> str:
    if field.base == "bytes":
        return '"bytes"'
    return f'"{FORMATS[field.argument]}"' if field.argument in FORMATS else _camel(field.argument)


def _annotation(field: Field) -> str:
    if field.base == "bytes":
        return "bytes"
    if field.base == "record":
        return _camel(field.argument)
    if field.base == "list":
        return f"tuple[{'int' if field.argument in FORMATS else _camel(field.argument)}, ...]"
    return "int"


def _docstring(doc: str) -> list[str]:
    line = f'    """{doc}"""'
    if len(line) <= 120:
        return [line]
    wrapped = _wrapped(doc, "    ", width=110)
    return [f'    """{wrapped[0].strip()}', "", *wrapped[1:], '    """']


def _wrapped(text: str, indent: str, width: int = 118) -> list[str]:
    return textwrap.wrap(text, width=width, initial_indent=indent, subsequent_indent=indent)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
