"""Which tensors share memory, and at which distance: regions, in each of which every tensor has a fixed place.

A region begins as one tensor. Two of them become one when a tensor of the first must lie at a certain distance from a
tensor of the second: a view and what it shows, an output in place of an input. They may not when two values would
claim the same bytes at the same time.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

ALIGNMENT = 4  # kernels read words; the arena's base is 16-byte aligned


@dataclass
class Segment:
    """Bytes of a value from the layer that writes them (`first`) to the last one that reads them. low, high: counted
    from the origin of the region, multiples of ALIGNMENT.
    """

    value: str
    low: int
    high: int
    first: int
    last: int

    def meets(self, other: Segment) -> bool:
        """Whether both need the same bytes at the same time."""
        return self.low < other.high and other.low < self.high and self.first <= other.last and other.first <= self.last


@dataclass
class Region:
    """place: where each tensor begins, counted from the origin (of no meaning outside). segments: by `last`."""

    place: dict[str, int]
    segments: list[Segment] = field(default_factory=list)

    @property
    def first(self) -> int:
        return min((s.first for s in self.segments), default=0)

    def living(self, when: int) -> list[Segment]:
        """The segments that are needed at `when` or later."""
        found = []
        for segment in reversed(self.segments):
            if segment.last < when:
                break
            found.append(segment)
        return found

    def move(self, distance: int) -> None:
        for name in self.place:
            self.place[name] += distance
        for segment in self.segments:
            segment.low += distance
            segment.high += distance

    def take(self, other: Region) -> None:
        self.place |= other.place
        for segment in other.segments:
            insort(self.segments, segment, key=lambda s: s.last)


Permission = Callable[[Segment, Segment], bool]


class Homes:
    """The region of each tensor."""

    def __init__(self) -> None:
        self.region: dict[str, Region] = {}

    def add(self, name: str, segments: list[Segment]) -> None:
        """A tensor with a region of its own; no segments: a view, whose bytes are other values'."""
        self.region[name] = Region({name: 0}, sorted(segments, key=lambda s: s.last))

    def place(self, name: str) -> int:
        return self.region[name].place[name]

    def join(self, one: str, other: str, distance: int, may_meet: Permission = lambda a, b: False) -> bool:
        """Let `other` begin `distance` bytes after `one`. False, and nothing happens, where that cannot be.

        may_meet: of a segment of `one`'s region and one of `other`'s that need the same bytes, whether they may.
        """
        a, b = self.region[one], self.region[other]
        shift = a.place[one] + distance - b.place[other]
        if a is b:
            return shift == 0
        if shift % ALIGNMENT:
            return False
        b.move(shift)
        if any(s.meets(t) and not may_meet(s, t) for s in a.living(b.first) for t in b.living(a.first)):
            b.move(-shift)
            return False
        larger, smaller = (a, b) if len(a.place) >= len(b.place) else (b, a)
        larger.take(smaller)
        for name in smaller.place:
            self.region[name] = larger
        return True

    def saved(self, names: Iterable[str]) -> list[Region]:
        """Copies of the regions of these tensors."""
        regions = {id(self.region[name]): self.region[name] for name in names}.values()
        return [Region(dict(r.place), [replace(s) for s in r.segments]) for r in regions]

    def restore(self, saved: list[Region]) -> None:
        """As it was when they were saved, but for tensors added since."""
        for region in saved:
            self.region |= dict.fromkeys(region.place, region)


def round_down(size: int) -> int:
    return size // ALIGNMENT * ALIGNMENT


def round_up(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
