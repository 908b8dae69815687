"""Where a key stands in params.yaml: its line, so that an annotation points at the very budget."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

LARGEST_CHARACTERS = 1024 * 1024


def line_of(text: str, path: Sequence[str]) -> int:
    """The line (from 1) of the deepest key of `path` that is there; 1 where nothing is, or where it is no YAML.

    text: of params.yaml, which may be anybody's. Aliases are not expanded.
    """
    node, line = _tree(text), 1
    for key in path:
        pairs = node.value if getattr(node, "id", "") == "mapping" else []
        found = next((pair for pair in pairs if getattr(pair[0], "value", None) == key), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


@lru_cache(maxsize=4)
def _tree(text: str) -> Any:
    """The nodes of a document, None where it is none."""
    import yaml

    if len(text) > LARGEST_CHARACTERS:
        return None
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
