"""Greedy placement in one dimension: rigid clusters of boxes, as low as possible, in the best of many orders."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hilgate.compile.homes import round_down, round_up

SHUFFLES = 400  # placement orders that are tried after the usual ones, where many plans are compared
FINAL_SHUFFLES = 6000  # the same for the plan that is kept: a few tenths of a second for up to a tenth of the arena
EFFORT = 2_000_000  # most comparisons of two clusters that they take: about a second


@dataclass
class Buffer:
    """Bytes that one or more tensors have in turn. first and last: layers, -1 before the first, `layers` after the
    last.
    """

    tensors: list[str]
    bytes: int
    first: int
    last: int
    offset: int = -1
    lags: dict[int, int] = field(default_factory=dict)  # id of a later buffer: how far it must begin before this one

    def overlaps(self, other: Buffer) -> bool:
        """In time."""
        return self.first <= other.last and other.first <= self.last

    @property
    def end(self) -> int:
        return self.offset + self.bytes


@dataclass
class Cluster:
    """Buffers at fixed distances. low: where each begins, counted from the cluster's own beginning."""

    buffers: list[Buffer]
    low: list[int]
    offset: int = -1

    @property
    def bytes(self) -> int:
        return max(low + buffer.bytes for low, buffer in zip(self.low, self.buffers, strict=True))

    @property
    def first(self) -> int:
        return min(buffer.first for buffer in self.buffers)

    @property
    def last(self) -> int:
        return max(buffer.last for buffer in self.buffers)


Orders = tuple[Callable[["Cluster"], tuple[int, int]], ...]
ORDERS: Orders = (
    lambda b: (-b.bytes, b.first),
    lambda b: (-(b.last - b.first), -b.bytes),
    lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
    lambda b: (b.first, -b.bytes),
    lambda b: (-b.last, -b.bytes),
)
Ranges = list[tuple[int, int]]


def place(clusters: list[Cluster], shuffles: int = SHUFFLES) -> int:
    """Give offsets by the best of several greedy orders; returns the arena's bytes."""
    sizes = [cluster.bytes for cluster in clusters]
    rules = _rules(clusters)
    starts = [sorted(range(len(clusters)), key=lambda i: order(clusters[i])) for order in ORDERS]
    generator = random.Random(len(clusters))  # noqa: S311  equal graphs get equal arenas
    best, layout, order = math.inf, [0] * len(clusters), starts[0]
    shuffles = min(shuffles, EFFORT // max(1, sum(map(len, rules))))
    for attempt in range(len(starts) + shuffles):
        tried = starts[attempt] if attempt < len(starts) else _swapped(order, generator)
        offsets = _greedy(tried, sizes, rules)
        total = max((o + size for o, size in zip(offsets, sizes, strict=True)), default=0)
        if total <= best:
            if total < best:
                layout = offsets
            best, order = total, tried
    for cluster, offset in zip(clusters, layout, strict=True):
        cluster.offset = offset
        for buffer, low in zip(cluster.buffers, cluster.low, strict=True):
            buffer.offset = offset + low
    return int(best)


def _swapped(order: list[int], generator: random.Random) -> list[int]:
    """The same order but for one cluster that moves."""
    changed = list(order)
    if changed:
        changed.insert(generator.randrange(len(changed)), changed.pop(generator.randrange(len(changed))))
    return changed


def _greedy(order: list[int], sizes: list[int], rules: list[dict[int, Ranges]]) -> list[int]:
    """Each cluster at the lowest place that is free for the whole life of each of its buffers."""
    offsets = [-1] * len(sizes)
    for index in order:
        taken = [
            (offsets[other] + low, offsets[other] + high)
            for other, ranges in rules[index].items()
            if offsets[other] >= 0
            for low, high in ranges
        ]
        offset = 0
        for low, high in sorted(taken):
            if offset <= low:
                break
            offset = max(offset, round_up(high))
        offsets[index] = offset
    return offsets


def _rules(clusters: list[Cluster]) -> list[dict[int, Ranges]]:
    """For each cluster and each other one that it meets: how far from the other it must not begin."""
    rules: list[dict[int, Ranges]] = [{} for _ in clusters]
    spans = [(cluster.first, cluster.last) for cluster in clusters]
    for i, one in enumerate(clusters):
        for j, other in enumerate(clusters[:i]):
            if spans[i][0] > spans[j][1] or spans[j][0] > spans[i][1]:
                continue
            ranges = _merged(_forbidden_between(one, other))
            if ranges:
                rules[i][j] = ranges
                rules[j][i] = [(-high, -low) for low, high in reversed(ranges)]
    return rules


def _forbidden_between(one: Cluster, other: Cluster) -> Ranges:
    found = []
    for buffer, low in zip(one.buffers, one.low, strict=True):
        for rival, rival_low in zip(other.buffers, other.low, strict=True):
            if buffer.overlaps(rival):
                begin, end = _forbidden(buffer, rival)
                found.append((begin + rival_low - low, end + rival_low - low))
    return [(begin, end) for begin, end in found if begin < end]


def _forbidden(buffer: Buffer, other: Buffer) -> tuple[int, int]:
    """`buffer` must not begin strictly between these two distances from `other`: a living byte would be lost."""
    low, high = -buffer.bytes, other.bytes
    lag = other.lags.get(id(buffer))  # then `buffer` is written while `other` is read
    if lag is not None:
        low = max(low, round_down(-lag))
    lag = buffer.lags.get(id(other))  # the reverse
    if lag is not None:
        high = min(high, round_up(lag))
    return low, max(low, high)


def _merged(ranges: Ranges) -> Ranges:
    """Open ranges that overlap become one; two that only touch leave the place between them free."""
    result: Ranges = []
    for low, high in sorted(ranges):
        if result and low < result[-1][1]:
            result[-1] = result[-1][0], max(result[-1][1], high)
        else:
            result.append((low, high))
    return result
