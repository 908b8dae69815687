"""virtual://<board>?image=<elf>[&cycles=0][&hse=0][&hsi=0][&seed=N][&native=0][&drop=N][&flip=N][&root=<project>]

image: the ELF, relative to the current folder; cycles=0: no cost model, one cycle an instruction; hse=0: the external
clock is broken; hsi=0: the internal one is, where it is not the clock of reset; seed: of the unique id and of RAM at
power-on; native=0: the Python hooks; drop=N, flip=N: of the bytes that the host sends, every Nth is lost, or has one
bit turned; root: the project whose boards are meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from hilgate.errors import UsageError
from hilgate.virtual.machine import Options

KNOWN = ("image", "cycles", "hse", "hsi", "seed", "native", "drop", "flip", "root")


@dataclass(frozen=True)
class VirtualUrl:
    """A URL, taken apart and checked."""

    board: str
    image: Path
    options: Options
    root: Path | None
    drop: int
    flip: int


def parse_url(url: str) -> VirtualUrl:
    """Raises UsageError that says which part is wrong."""
    parts = urlsplit(url)
    if parts.scheme != "virtual" or not parts.netloc or parts.path not in ("", "/"):
        raise UsageError("not a virtual board", where=url, hint="write virtual://<board>?image=<elf>")
    values: dict[str, str] = {}
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key not in KNOWN:
            raise UsageError(f"unknown option `{key}`", where=url, hint=f"options: {', '.join(KNOWN)}")
        values[key] = value
    if not values.get("image"):
        raise UsageError("the option `image` is missing", where=url, hint="write virtual://<board>?image=<elf>")
    return VirtualUrl(
        board=parts.netloc,
        image=Path(values["image"]),
        options=Options(
            cycles=bool(_number(url, values, "cycles", 1, most=1)),
            native=bool(_number(url, values, "native", 1, most=1)),
            hse=bool(_number(url, values, "hse", 1, most=1)),
            hsi=bool(_number(url, values, "hsi", 1, most=1)),
            seed=_number(url, values, "seed", 1),
        ),
        root=Path(values["root"]) if values.get("root") else None,
        drop=_number(url, values, "drop", 0),
        flip=_number(url, values, "flip", 0),
    )


def _number(url: str, values: dict[str, str], key: str, default: int, most: int = 1_000_000_000) -> int:
    text = values.get(key, str(default))
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise UsageError(f"option `{key}` must be a number from 0 to {most}, not `{text}`", where=url)
    return int(text)
