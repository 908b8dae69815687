"""YAML from people and pull requests, read as DVC reads it: by the same parser, so that both see the same values.

Refused: a key that stands twice, a key or value that is neither text, number, true, false nor null, NaN and infinity,
numbers beyond 64 bits, and what is too much to look at once aliases are followed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hilgate.errors import ParamsError

if TYPE_CHECKING:
    from ruamel.yaml.error import YAMLError

LONGEST = 2_000_000  # characters; the dvc.lock of 100 cells has 700,000
MOST_VALUES = 250_000  # ten lines of aliases can stand for billions
LARGEST_INTEGER = 1 << 63


def read_yaml(text: str, where: str) -> Any:
    """Plain dicts, lists and values. Raises ParamsError with the line, or the path of keys to what is refused."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(text) > LONGEST:
        raise ParamsError(f"longer than {LONGEST:,} characters", where=where)
    try:
        if _values(YAML(typ="safe", pure=True).compose(text), {}) > MOST_VALUES:
            raise ParamsError(f"more than {MOST_VALUES:,} values, with aliases followed", where=where)
        document = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        problem, line = _reason(error, text)
        raise ParamsError(f"not valid YAML: {problem}", where=f"{where}, line {line}" if line else where) from error
    except RecursionError as error:
        raise ParamsError("not valid YAML: nested too deep", where=where) from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:  # of a value that is none
        raise ParamsError(f"not valid YAML: {clipped(error)}", where=where) from error
    _check_values(document, where)
    return document


def _reason(error: YAMLError, text: str) -> tuple[str, int | None]:
    """The problem in one line, and the number of the line that has it."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or getattr(error, "context", None)
    position = getattr(error, "position", None)  # of a character that YAML forbids
    line = mark.line + 1 if mark else text.count("\n", 0, position) + 1 if isinstance(position, int) else None
    return clipped(" ".join(str(problem or error).split())), line


def _values(node: Any, known: dict[int, int]) -> int:
    """How many values a parsed node stands for; more than MOST_VALUES when it contains itself."""
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1  # until it is counted: met again before, it is its own part
        parts = node.value if hasattr(node, "value") and isinstance(node.value, list) else []
        children = [child for part in parts for child in (part if isinstance(part, tuple) else (part,))]
        known[id(node)] = 1 + sum(_values(child, known) for child in children)
    return known[id(node)]


def _check_values(document: Any, where: str) -> None:
    """Raise ParamsError for the first value, in no order, that a parameter cannot be."""
    left = [(document, "")]
    while left:
        value, path = left.pop()
        if type(value) is dict:
            for key in value:
                if type(key) is not str:
                    hint = "put it in quotes, or choose a name"
                    raise ParamsError(f"the key {shown(key)} is no text", where=_at(where, path), hint=hint)
            left += [(one, f"{path}.{key}" if path else key) for key, one in value.items()]
        elif type(value) is list:
            left += [(one, path) for one in value]
        elif problem := _unusable(value):
            raise ParamsError(problem, where=_at(where, path))


def _unusable(value: Any) -> str:
    """What is wrong with a single value, or ""."""
    if value is None or type(value) in (str, bool):
        return ""
    if type(value) is float:
        return "" if math.isfinite(value) else f"{value} is no number to work with"
    if type(value) is int:
        return "" if abs(value) < LARGEST_INTEGER else "a number beyond 64 bits"
    return f"{shown(value)} is neither text nor a number"


def _at(where: str, path: str) -> str:
    return f"{where}: {path}" if path else where


def shown(value: Any) -> str:
    """A value in an error message: short, whatever it is."""
    import reprlib

    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return "null" if value is None else clipped(short.repr(value))


def clipped(text: object) -> str:
    """At most 200 printable characters of a text that somebody else wrote."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text)[:200])
