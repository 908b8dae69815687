"""The only reader of params.yaml. Unknown keys, missing keys and wrong types are errors that name the place.

`load_params(root)` gives Params, whose sections are plain mappings by item; a room turns its item into a frozen
dataclass of its own with `section(...)`, which checks every key against the dataclass.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hilgate.errors import ParamsError

T = TypeVar("T")

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
        entry = self.sections[room].get(item)
        if entry is None:
            known = ", ".join(self.sections[room]) or "none"
            raise ParamsError(f"section `{room}` has no entry `{item}`", where=str(self.path), hint=f"it has: {known}")
        return build(into, entry, f"{self.path}: {room}.{item}")

    def cell(self, name: str) -> Cell:
        if name not in self.cells:
            hint = f"cells: {', '.join(self.cells)}"
            raise ParamsError(f"there is no cell `{name}`", where=str(self.path), hint=hint)
        return self.cells[name]


def load_params(root: Path) -> Params:
    """Read <root>/params.yaml."""
    path = root / "params.yaml"
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ParamsError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return parse_params(text, path)


def parse_params(text: str, path: Path) -> Params:
    """The same for text that came from elsewhere, such as a git revision; `path` only names it in errors."""
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParamsError(f"not valid YAML: {' '.join(str(error).split())}", where=str(path)) from error
    if not isinstance(document, dict):
        raise ParamsError("must be a mapping of sections", where=str(path))
    for name in document:
        if name not in SECTIONS:
            raise ParamsError(f"unknown section `{name}`", where=str(path), hint=f"sections: {', '.join(SECTIONS)}")
    sections = {name: document.get(name) or {} for name in SECTIONS}
    for name, content in sections.items():
        if not isinstance(content, dict):
            raise ParamsError(f"section `{name}` must be a mapping", where=str(path))
    cells = {str(key): build(Cell, value, f"{path}: cells.{key}") for key, value in sections["cells"].items()}
    return Params(path=path, cells=cells, sections=sections)


def build(into: type[T], entry: Any, where: str) -> T:
    """A dataclass from a mapping, checked: every key known, every field without a default present, types right."""
    if not isinstance(entry, dict):
        raise ParamsError("must be a mapping", where=where)
    fields = {f.name: f for f in dataclasses.fields(into)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(into)
    for key in entry:
        if key not in fields:
            raise ParamsError(f"unknown key `{key}`", where=where, hint=f"keys: {', '.join(fields)}")
    for name, field in fields.items():
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if name not in entry and not has_default:
            raise ParamsError(f"key `{name}` is missing", where=where)
    return into(**{key: _typed(value, hints[key], f"{where}.{key}") for key, value in entry.items()})


def _typed(value: Any, hint: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _one_of(value, typing.get_args(hint), where)
    if origin is tuple:
        if not isinstance(value, list):
            raise ParamsError(f"must be a list, not {value!r}", where=where)
        return tuple(_typed(item, typing.get_args(hint)[0], where) for item in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise ParamsError(f"must be a mapping, not {value!r}", where=where)
        return {str(key): _typed(item, typing.get_args(hint)[1], f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Any or (isinstance(value, hint) and not (hint is int and isinstance(value, bool))):
        return value
    raise ParamsError(f"must be {hint.__name__}, not {value!r}", where=where)


def _one_of(value: Any, choices: tuple[Any, ...], where: str) -> Any:
    for choice in choices:
        if choice is type(None):
            if value is None:
                return None
            continue
        try:
            return _typed(value, choice, where)
        except ParamsError:
            continue
    names = " or ".join("null" if c is type(None) else c.__name__ for c in choices)
    raise ParamsError(f"must be {names}, not {value!r}", where=where)
