"""The only reader of params.yaml. Unknown keys, missing keys and wrong types are errors that name the place.

`load_params(root)` gives Params, whose sections are plain mappings by item; a room turns its item into a frozen
dataclass of its own with `section(...)`, which checks every key against the dataclass.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hilgate.errors import ParamsError
from hilgate.yamltext import LONGEST, clipped, read_yaml, shown

T = TypeVar("T")

CELL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]{0,99}")
SECTIONS = ("cells", "data", "train", "export", "quantize", "compile", "build", "run", "gate", "report")


@dataclass(frozen=True)
class Cell:
    """One task on one board."""

    task: str
    board: str


@dataclass(frozen=True)
class Params:
    """params.yaml as read: sections hold plain values; `cells` is already typed."""

    path: Path
    cells: dict[str, Cell]
    sections: dict[str, dict[str, Any]]

    def section(self, room: str, item: str, into: type[T]) -> T:
        """The entry `item` of section `room` as the dataclass `into`. Raises ParamsError with file, section and key."""
        if item not in self.sections[room]:
            example = Path("src/tasks") / item / "params.example.yaml"
            known = f"it has: {', '.join(self.sections[room]) or 'none'}"
            hint = f"copy its lines from {example}" if (self.path.parent / example).is_file() else known
            raise ParamsError(f"section `{room}` has no entry `{item}`", where=str(self.path), hint=hint)
        return build(into, self.sections[room][item], f"{self.path}: {room}.{item}")

    def cell(self, name: str) -> Cell:
        if name not in self.cells:
            hint = f"cells: {', '.join(self.cells) or 'none'}"
            raise ParamsError(f"there is no cell `{name}`", where=str(self.path), hint=hint)
        return self.cells[name]


def load_params(root: Path) -> Params:
    """Read <root>/params.yaml."""
    path = root / "params.yaml"
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
    except OSError as error:
        raise ParamsError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ParamsError(f"not UTF-8 text: {error.reason}", where=str(path), hint="save it as UTF-8") from error
    return parse_params(text, path)


def parse_params(text: str, path: Path) -> Params:
    """The same for text that came from elsewhere, such as a git revision; `path` only names it in errors."""
    document = read_yaml(text, str(path))
    known = f"sections: {', '.join(SECTIONS)}"
    if not isinstance(document, dict):
        raise ParamsError("must be a mapping of sections", where=str(path), hint=known)
    for name in document:
        if name not in SECTIONS:
            raise ParamsError(f"unknown section `{clipped(name)}`", where=str(path), hint=known)
    sections = {name: {} if document.get(name) is None else document[name] for name in SECTIONS}
    for name, content in sections.items():
        if not isinstance(content, dict):
            raise ParamsError(f"section `{name}` must be a mapping, not {shown(content)}", where=str(path))
    for name in sections["cells"]:
        check_cell_name(name, f"{path}: cells")
    cells = {key: build(Cell, value, f"{path}: cells.{key}") for key, value in sections["cells"].items()}
    return Params(path=path, cells=cells, sections=sections)


def check_cell_name(name: str, where: str) -> str:
    """Cell names become folders and stages: letters, digits, _ and dots only. Raises ParamsError."""
    if not CELL_NAME.fullmatch(name) or ".." in name:
        raise ParamsError(
            f"`{clipped(name)}` is no cell name", where=where, hint="letters, digits, _; as in digits_my_board"
        )
    return name


def build(into: type[T], entry: Any, where: str) -> T:
    """A dataclass from a mapping, checked: every key known, every field without a default present, types right."""
    hints = typing.get_type_hints(into)
    fields = {f.name: f for f in dataclasses.fields(into)}  # type: ignore[arg-type]
    known = f"keys: {', '.join(fields) or 'none'}"
    if not isinstance(entry, dict):
        raise ParamsError(f"must be a mapping, not {shown(entry)}", where=where, hint=known)
    for key in entry:
        if key not in fields:
            raise ParamsError(f"unknown key `{clipped(key)}`", where=where, hint=known)
    for name, field in fields.items():
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if name not in entry and not has_default:
            raise ParamsError(f"key `{name}` is missing", where=where, hint=f"add it: {_kind(hints[name])}")
    return into(**{key: _typed(value, hints[key], f"{where}.{key}") for key, value in entry.items()})


def _typed(value: Any, hint: Any, where: str) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _one_of(value, hint, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_typed(item, inner[0], f"{where}[{place}]") for place, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {key: _typed(item, inner[1], f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where)
    if hint is float and type(value) is int:
        return float(value)
    if hint is Any or (
        isinstance(hint, type) and isinstance(value, hint) and (hint is bool or type(value) is not bool)
    ):
        return value
    raise ParamsError(f"must be {_kind(hint)}, not {shown(value)}", where=where)


def _one_of(value: Any, hint: Any, where: str) -> Any:
    """A value of a union; where only null is the alternative, its own error says more."""
    choices = [choice for choice in typing.get_args(hint) if choice is not type(None)]
    if value is None and len(choices) < len(typing.get_args(hint)):
        return None
    if len(choices) == 1 and dataclasses.is_dataclass(choices[0]):
        return _typed(value, choices[0], where)
    for choice in choices:
        with suppress(ParamsError):
            return _typed(value, choice, where)
    raise ParamsError(f"must be {_kind(hint)}, not {shown(value)}", where=where)


def _kind(hint: Any) -> str:
    """A type as an error message calls it."""
    inner = [choice for choice in typing.get_args(hint) if choice is not ...]
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join("null" if choice is type(None) else _kind(choice) for choice in inner)
    if origin is tuple:
        return f"a list of {_kind(inner[0])}"
    if origin is dict or dataclasses.is_dataclass(hint):
        return "a mapping"
    return str(getattr(hint, "__name__", hint))
