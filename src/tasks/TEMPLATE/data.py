"""Raw data and its fixed split. This one is synthetic: waves of three forms with noise, as a 12-bit ADC sees them.

With real data, name its files with size and SHA-256 (`sha256sum readings.csv`, `wc -c readings.csv`), and where they
come from, in the order to try:

    FILES = (RawFile("readings.csv", sha256="...", size=1_234_567),)
    SOURCES = (
        Source("files", "https://example.org/set/", suffix=".gz"),
        Source("folder", "/srv/measurements"),  # of this computer; `readings` would be a folder of the project
    )

They are then in the folder `raw`, checked, whenever `split` is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgate.task import RawFile, Source, Split

FILES: tuple[RawFile, ...] = ()
SOURCES: tuple[Source, ...] = ()
SAMPLES = 32  # of one window
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Data:
    """windows: of the training split, the other two get a quarter each; noise: its deviation in ADC steps."""

    windows: int
    noise: float
    seed: int = 1


def split(raw: Path, params: Data) -> dict[str, Split]:
    """x int16 (N, 32) in 0..4095, y uint8 (N,): 0 sine, 1 square, 2 sawtooth. The same seed gives the same data."""
    return {
        name: _generate(params, params.windows // (1 if name == "train" else 4), params.seed * 10 + place)
        for place, name in enumerate(SPLITS)
    }


def _generate(params: Data, n: int, seed: int) -> Split:
    import numpy as np

    random = np.random.default_rng(seed)
    y = random.integers(0, 3, n, dtype=np.uint8)
    turns = random.uniform(1, 3, (n, 1)) * np.arange(SAMPLES) / SAMPLES + random.uniform(0, 1, (n, 1))
    sine = np.sin(2 * np.pi * turns)
    waves = np.stack([sine, np.sign(sine), 2 * (turns % 1) - 1])[y, np.arange(n)]
    readings = 2048 + 1500 * waves + random.normal(0, params.noise, (n, SAMPLES))
    return Split(readings.round().clip(0, 4095).astype(np.int16), y)
