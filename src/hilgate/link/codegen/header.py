"""firmware/src/protocol.h: constants, packed structs of the fixed parts, and assertions of their sizes and offsets."""

from __future__ import annotations

import textwrap

from hilgate.link.codegen.spec import SCALARS, STATUS_BYTES, Field, Layout, Spec

WIDTH = 119  # clang-format's column limit less the backslash


def render(spec: Spec) -> str:
    parts = [_preamble(spec), _constants(spec), _structs(spec), _table(spec), "#endif\n"]
    return "\n".join(parts)


def _preamble(spec: Spec) -> str:
    return f"""/* Generated from firmware/protocol.toml by `python -m hilgate.link.codegen`. Do not edit.
 *
 * A frame on the wire is COBS(opcode u8, sequence u16, body, CRC-32) and one zero byte; integers are little-endian.
 * The structs are the fixed parts of bodies. Those of answers follow the status byte and do not contain it.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the structs below are the bytes on the wire");

#define PROTOCOL_VERSION {spec.version}u
/** Added to a request's opcode in its answer. */
#define PROTOCOL_OP_ANSWER 0x80u
/** The sequence number of frames that answer no request. */
#define PROTOCOL_SEQUENCE_NONE 0xFFFFu
"""


def _constants(spec: Spec) -> str:
    lines = ["/* Limits. */"]
    lines += [f"#define PROTOCOL_LIMIT_{name.upper()} {value}u" for name, value in spec.limits.items()]
    lines += ["", "/* States: the link and the measurement are one machine. */"]
    for state in spec.states:
        lines += [*_doc(state.doc), f"#define PROTOCOL_STATE_{state.name.upper()} {state.value}u"]
    lines += ["", "/* Status codes of answers. */"]
    for error in spec.errors:
        lines += [*_doc(error.doc), f"#define PROTOCOL_ERROR_{error.name.upper()} {error.value}u"]
    lines += ["", "/* Opcodes. */"]
    for entry in spec.entries:
        lines += [*_doc(entry.doc), f"#define PROTOCOL_OP_{entry.name.upper()} 0x{entry.opcode:02X}u"]
    for name, values in spec.enums.items():
        lines += ["", f"/* Values of {name}. */"]
        lines += [f"#define PROTOCOL_{name.upper()}_{v.name.upper()} {v.value}u" for v in values]
    return "\n".join(lines) + "\n"


def _structs(spec: Spec) -> str:
    parts = [_struct(record.name, record.doc, record.layout) for record in spec.records]
    for command in spec.commands:
        for role, layout in (("request", command.request), ("answer", command.answer)):
            if layout.fixed:
                parts.append(_struct(f"{command.name}_{role}", f"Fixed part of the {role} of {command.name}.", layout))
    return "\n".join(parts)


def _struct(name: str, doc: str, layout: Layout) -> str:
    tag = f"protocol_{name}"
    lines = [*_doc(doc), f"typedef struct __attribute__((packed)) {tag} {{"]
    lines += [f"    {_declare(field)};" for field in layout.fixed]
    lines += [f"}} {tag};", f"#define PROTOCOL_{name.upper()}_BYTES {layout.fixed_bytes}u"]
    lines.append(f'_Static_assert(sizeof({tag}) == {layout.fixed_bytes}, "{tag} must have no padding");')
    offset = 0
    for field in layout.fixed:
        lines.append(f'_Static_assert(offsetof({tag}, {field.name}) == {offset}, "{field.name} has moved");')
        offset += field.bytes or 0
    return "\n".join(lines) + "\n"


def _declare(field: Field) -> str:
    if field.base == "record":
        return f"struct protocol_{field.argument} {field.name}"
    if field.base == "bytes":
        return f"uint8_t {field.name}[{field.argument}]"
    return f"uint{SCALARS[field.type] * 8}_t {field.name}"


def _table(spec: Spec) -> str:
    """One X-macro row per command, so that a dispatch table cannot forget one."""
    lines = [
        *_doc("Every command: X(name, opcode, shortest request body, longest request body, longest answer body)."),
        "#define PROTOCOL_COMMANDS(X)",
    ]
    for command in spec.commands:
        sizes = (command.request.fixed_bytes, command.longest_request, _longest_answer(command.answer, spec))
        row = ", ".join(f"{size}u" for size in sizes)
        lines.append(f"    X({command.name}, 0x{command.opcode:02X}u, {row})")
    head = lines.index("#define PROTOCOL_COMMANDS(X)")
    continued = [line.ljust(WIDTH) + "\\" for line in lines[head:-1]]
    return "\n".join([*lines[:head], *continued, lines[-1]]) + "\n"


def _longest_answer(answer: Layout, spec: Spec) -> int:
    return spec.limits["body_bytes"] if answer.rest else STATUS_BYTES + answer.fixed_bytes


def _doc(text: str) -> list[str]:
    lines = textwrap.wrap(text, width=WIDTH - 8)
    if len(lines) == 1:
        return [f"/** {lines[0]} */"]
    return [f"/** {lines[0]}", *[f" *  {line}" for line in lines[1:-1]], f" *  {lines[-1]} */"]
