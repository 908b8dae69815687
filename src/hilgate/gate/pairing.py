"""Which layer of the base is which of the head, although exporters number names anew when a layer comes or goes.

The same sequence of operators: by position. Else as texts are compared: what is equal in order stays (first by name,
operator and shapes, then by operator and shapes), between those a layer keeps its name, and the rest is new or gone.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hilgate.gate.measured import Build

LARGEST = 1_000_000  # comparisons; beyond it only names count
Pair = tuple[int | None, int | None]


def pair_layers(old: Sequence[str], new: Sequence[str], base: Build | None, head: Build | None) -> list[Pair]:
    """Indices of layers that are one layer on both sides, in the head's order, what only the base has at the end.

    old, new: names as measured. base, head: what is known of their operators and shapes; without it names decide.
    """
    facts: list[Sequence[dict[str, Any]]] = [side.layers if side else () for side in (base, head)]
    if not facts[0] or [len(facts[0]), len(facts[1])] != [len(old), len(new)]:
        matched = _by_key(_counted(old), _counted(new), (0, len(old)), (0, len(new)))
    elif [layer["op"] for layer in facts[0]] == [layer["op"] for layer in facts[1]]:
        return [(at, at) for at in range(len(new))]
    else:
        matched = _aligned(old, new, facts)
    was = {now: then for then, now in matched}
    gone = sorted(set(range(len(old))) - {then for then, _ in matched})
    return [(was.get(now), now) for now in range(len(new))] + [(then, None) for then in gone]


def _aligned(old: Sequence[str], new: Sequence[str], facts: list[Sequence[dict[str, Any]]]) -> list[tuple[int, int]]:
    shapes = [[(row["op"], repr(row["input_shapes"]), repr(row["output_shape"])) for row in side] for side in facts]
    named = [list(zip(names, keys, strict=True)) for names, keys in zip((old, new), shapes, strict=True)]
    kept = [[(name, key[0]) for name, key in side] for side in named]
    found: list[tuple[int, int]] = []
    gaps = [((0, len(old)), (0, len(new)))]
    for keys in (named, shapes):
        left = []
        for gap in gaps:
            equal, between = _in_order(keys[0], keys[1], *gap)
            found += equal
            left += between
        gaps = left
    for gap in gaps:
        found += _by_key(kept[0], kept[1], *gap)
    return found


Range = tuple[int, int]


def _in_order(
    old: Sequence[Hashable], new: Sequence[Hashable], then: Range, now: Range
) -> tuple[list[tuple[int, int]], list[tuple[Range, Range]]]:
    """Equal keys in order within two ranges, and the ranges between them."""
    if (then[1] - then[0]) * (now[1] - now[0]) > LARGEST:
        return [], [(then, now)]
    matcher = SequenceMatcher(None, old[slice(*then)], new[slice(*now)], autojunk=False)
    equal, between = [], []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            equal += list(zip(range(then[0] + a, then[0] + b), range(now[0] + c, now[0] + d), strict=True))
        else:
            between.append(((then[0] + a, then[0] + b), (now[0] + c, now[0] + d)))
    return equal, between


def _by_key(old: Sequence[Hashable], new: Sequence[Hashable], then: Range, now: Range) -> list[tuple[int, int]]:
    """Equal keys within two ranges in whatever order, each once."""
    places: dict[Hashable, list[int]] = {}
    for at in reversed(range(*then)):
        places.setdefault(old[at], []).append(at)
    return [(places[new[at]].pop(), at) for at in range(*now) if places.get(new[at])]


def _counted(names: Sequence[str]) -> list[tuple[str, int]]:
    """Names with how often each was there before, so that the third `add` is the third `add`."""
    seen: dict[str, int] = {}
    keys = []
    for name in names:
        keys.append((name, seen.get(name, 0)))
        seen[name] = seen.get(name, 0) + 1
    return keys
