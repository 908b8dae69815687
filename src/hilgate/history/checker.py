"""A flat JSON schema as one quick function: a history has hundreds of thousands of lines.

It knows the few keywords that schemas/history.json uses and refuses every other one, so that no rule of the schema is
skipped in silence; tests compare it with jsonschema on damaged lines.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

Check = Callable[[Any], str]  # the complaint, or an empty string

TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    "object": lambda value: isinstance(value, dict),
}
NOTES = {"$schema", "title", "description"}


@cache
def line_checker() -> Check:
    """The check of one line, from schemas/history.json."""
    text = resources.files("hilgate").joinpath("schemas/history.json").read_text("utf-8")
    return checker(json.loads(text))


def checker(schema: dict[str, Any]) -> Check:
    """A schema as a function. Raises ValueError: a keyword that it does not know."""
    rules = [KEYWORDS[key](schema) for key in schema if key not in NOTES]

    def check(value: Any) -> str:
        for rule in rules:
            complaint = rule(value)
            if complaint:
                return complaint
        return ""

    return rules[0] if len(rules) == 1 else check


def _type(schema: dict[str, Any]) -> Check:
    name = schema["type"]
    holds = TYPES[name]
    complaint = f"is no {name}"
    if name == "string":  # most of a line, so without another call
        return lambda value: "" if isinstance(value, str) else complaint
    return lambda value: "" if holds(value) else complaint


def _const(schema: dict[str, Any]) -> Check:
    const = schema["const"]
    return lambda value: "" if type(value) is type(const) and value == const else f"is not {const!r}"


def _enum(schema: dict[str, Any]) -> Check:
    known = frozenset(schema["enum"])
    return lambda value: "" if isinstance(value, str) and value in known else "is none of the known words"


def _pattern(schema: dict[str, Any]) -> Check:
    found = re.compile(schema["pattern"]).search
    return lambda value: "" if not isinstance(value, str) or found(value) else "has another form"


def _max_length(schema: dict[str, Any]) -> Check:
    longest = schema["maxLength"]
    return lambda value: "" if not isinstance(value, str) or len(value) <= longest else "is too long"


def _minimum(schema: dict[str, Any]) -> Check:
    least = schema["minimum"]
    return lambda value: "is too small" if TYPES["number"](value) and value < least else ""


def _maximum(schema: dict[str, Any]) -> Check:
    most = schema["maximum"]
    return lambda value: "is too large" if TYPES["number"](value) and value > most else ""


def _required(schema: dict[str, Any]) -> Check:
    names = frozenset(schema["required"])

    def check(value: Any) -> str:
        missing = names - value.keys() if isinstance(value, dict) else ()
        return f"has no `{min(missing)}`" if missing else ""

    return check


def _properties(schema: dict[str, Any]) -> Check:
    checks = {name: checker(rule) for name, rule in schema["properties"].items()}

    def check(value: Any) -> str:
        for name, item in value.items() if isinstance(value, dict) else ():
            complaint = checks[name](item) if name in checks else ""
            if complaint:
                return f"`{name}` {complaint}"
        return ""

    return check


def _additional(schema: dict[str, Any]) -> Check:
    if schema["additionalProperties"] is not False:
        raise ValueError("additionalProperties other than false")
    known = frozenset(schema["properties"])

    def check(value: Any) -> str:
        return "has unknown keys" if isinstance(value, dict) and not value.keys() <= known else ""

    return check


KEYWORDS: dict[str, Callable[[dict[str, Any]], Check]] = {
    "type": _type,
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "maxLength": _max_length,
    "minimum": _minimum,
    "maximum": _maximum,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
}
