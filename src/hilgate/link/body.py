"""Bodies of frames as dataclasses: the generated classes say their layout, this one encodes and decodes by it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class Body:
    """FIXED: struct format of the fixed fields; NESTED: which of them, by position, are bodies of their own.

    REST: what the last field makes of the other bytes: "" (no such field), "bytes", a struct letter, a class of items.
    """

    FIXED: ClassVar[str] = "<"
    NESTED: ClassVar[dict[int, type[Body]]] = {}
    REST: ClassVar[str | type[Body]] = ""

    def encode(self) -> bytes:
        """The bytes on the wire."""
        values: list[Any] = list(vars(self).values())
        rest = values.pop() if self.REST else b""
        for index in self.NESTED:
            values[index] = values[index].encode()
        return struct.pack(self.FIXED, *values) + self._encode_rest(rest)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """From the bytes on the wire. Raises ValueError when their number is not what the layout allows."""
        size = struct.calcsize(cls.FIXED)
        if len(body) < size or (len(body) > size and not cls.REST):
            raise ValueError(f"{len(body)} bytes where {size}{' or more' if cls.REST else ''} are due")
        values: list[Any] = list(struct.unpack_from(cls.FIXED, body))
        for index, kind in cls.NESTED.items():
            values[index] = kind.decode(values[index])
        if cls.REST:
            values.append(cls._decode_rest(body[size:]))
        return cls(*values)

    def _encode_rest(self, rest: Any) -> bytes:
        if not self.REST or self.REST == "bytes":
            return bytes(rest)
        if isinstance(self.REST, str):
            return struct.pack(f"<{len(rest)}{self.REST}", *rest)
        return b"".join(item.encode() for item in rest)

    @classmethod
    def _decode_rest(cls, rest: bytes) -> Any:
        if cls.REST == "bytes":
            return rest
        form = f"<{cls.REST}" if isinstance(cls.REST, str) else cls.REST.FIXED
        size = struct.calcsize(form)
        if len(rest) % size:
            raise ValueError(f"{len(rest)} bytes are no whole number of items of {size}")
        if isinstance(cls.REST, str):
            return tuple(item for (item,) in struct.iter_unpack(form, rest))
        return tuple(cls.REST.decode(rest[at : at + size]) for at in range(0, len(rest), size))
