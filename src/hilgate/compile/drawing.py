"""A region as boxes: bytes upwards, layers to the right. What the placement moves, and what the arena's map shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hilgate.compile.homes import Region, Segment
from hilgate.compile.place import Buffer, Cluster


class Drawing:
    """One box per segment; values that follow each other in place share one. cluster: the boxes, to be placed."""

    def __init__(self, region: Region, aliases: Mapping[str, Sequence[str]]) -> None:
        """aliases: of a value, the names of views that are all of it."""
        self.region = region
        self.origin = min((s.low for s in region.segments), default=0)
        self.cluster = Cluster([], [])
        for segment in sorted(region.segments, key=lambda s: (s.first, s.low)):
            names, before = [segment.value, *aliases.get(segment.value, ())], self._before(segment)
            if before is None:
                size = segment.high - segment.low
                self.cluster.buffers.append(Buffer(names, size, segment.first, segment.last))
                self.cluster.low.append(segment.low - self.origin)
            else:
                before.tensors += names
                before.last = segment.last

    def _before(self, segment: Segment) -> Buffer | None:
        """The box of the value whose place the segment takes."""
        for buffer, low in zip(self.cluster.buffers, self.cluster.low, strict=True):
            same = (low + self.origin, buffer.bytes) == (segment.low, segment.high - segment.low)
            if same and buffer.last == segment.first > buffer.first:
                return buffer
        return None

    def offset(self, tensor: str) -> int:
        """In the arena, once the cluster has its place."""
        return self.cluster.offset + self.region.place[tensor] - self.origin

    def needed(self, tensor: str, size: int, when: int) -> list[tuple[Buffer, int]]:
        """The boxes that hold some of a tensor's bytes while a layer runs, and how far after its beginning they lie."""
        begin = self.region.place[tensor] - self.origin
        return [
            (buffer, low - begin)
            for buffer, low in zip(self.cluster.buffers, self.cluster.low, strict=True)
            if low < begin + size and begin < low + buffer.bytes and buffer.first <= when <= buffer.last
        ]
