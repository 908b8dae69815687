"""The report as JSON (schema `report`): the words of the comment and the numbers behind them, for programs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hilgate.report.view import Report


def document(report: Report) -> dict[str, Any]:
    """The content of report.json: the view, field by field. Text is plain, names in it stand in backticks."""
    return {field.name: _plain(getattr(report, field.name)) for field in dataclasses.fields(report)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
