"""Seeds, and the case that a number stands for: the same number always gives the same bytes."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fuzz import onnx_damage, tflite_damage
from fuzz.byte_damage import BYTE_DAMAGE

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "tests/compile/fuzz/seeds"
REAL = ROOT / "artifacts/quantize/digits/model.onnx"
STRUCTURED: dict[str, Callable[[random.Random, bytes], bytes | None]] = {
    ".onnx": onnx_damage.damage,
    ".tflite": tflite_damage.damage,
}
LARGE_BYTES, LARGE_SHARE = 50_000, 0.03  # of large models, which take longer and find nothing that small ones do not
STRUCTURED_SHARE = 0.6


@dataclass(frozen=True)
class Case:
    """damage: names of what was done; content: the file."""

    number: int
    seed_name: str
    suffix: str
    damage: str
    content: bytes


@cache
def seeds() -> dict[str, bytes]:
    """Models to damage, by file name: small ones of every operator, the digits model, and other people's if there."""
    paths = [*sorted(SEEDS.iterdir()), REAL]
    peers = os.environ.get("HILGATE_PEER_MODELS")
    if peers:
        paths += sorted(Path(peers).glob("*.tflite"))
    return {path.name: path.read_bytes() for path in paths if path.suffix in STRUCTURED}


def case(campaign: int, number: int) -> Case:
    """Case `number` of a campaign."""
    chance = random.Random(f"{campaign}:{number}")  # noqa: S311  not for secrets
    large = [name for name, content in seeds().items() if len(content) >= LARGE_BYTES]
    small = [name for name in seeds() if name not in large]
    name = chance.choice(large if large and chance.random() < LARGE_SHARE else small)
    content, suffix = seeds()[name], Path(name).suffix
    if chance.random() < STRUCTURED_SHARE:
        damaged = STRUCTURED[suffix](chance, content)
        if damaged is not None:
            return Case(number, name, suffix, "structure", damaged)
    done = chance.choice(sorted(BYTE_DAMAGE))
    other = seeds()[chance.choice([n for n in seeds() if Path(n).suffix == suffix])]
    return Case(number, name, suffix, done, BYTE_DAMAGE[done](chance, content, other))
