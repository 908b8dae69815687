"""What a person may choose about a compilation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from hilgate.errors import ParamsError, UsageError

# What a byte of flash is worth, in cycles of an inference, when kernels are chosen.
CYCLES_PER_BYTE = {"speed": 20, "ram": 20, "size": 1000}
NEAR_NAMES = 5  # that an error about an unknown layer shows


@dataclass(frozen=True)
class LayerChoice:
    """What is chosen for one layer alone. optimize: speed | size | ram."""

    optimize: str

    def __post_init__(self) -> None:
        _one_of("optimize", self.optimize, CYCLES_PER_BYTE, "compile, layers")


@dataclass(frozen=True)
class Options:
    """Section `compile` of params.yaml.

    optimize: speed | size | ram; updatable: weights can be replaced without the code, so passes that look at weight
    values are off; io: int8, or float32 to keep QuantizeLinear and DequantizeLinear at the edges; without: optional
    passes to skip; layers: choices for single layers, by the names in the table of layers; max_arena_bytes: what the
    arena may take, 0: anything; max_slowdown: the share of predicted cycles that `ram` may add with strips of rows.
    """

    optimize: str = "speed"
    updatable: bool = True
    io: str = "int8"
    without: tuple[str, ...] = ()
    layers: dict[str, LayerChoice] = field(default_factory=dict)
    max_arena_bytes: int = 0
    max_slowdown: float = 0.1

    def __post_init__(self) -> None:
        _one_of("optimize", self.optimize, CYCLES_PER_BYTE, "compile")
        _one_of("io", self.io, ("int8", "float32"), "compile")
        for key, most in (("max_arena_bytes", 2**31), ("max_slowdown", 100)):
            if not 0 <= getattr(self, key) <= most:
                raise ParamsError(f"`{key}` is {getattr(self, key)!r}", where="compile", hint=f"from 0 to {most}")

    def of(self, layer: str, *, sparing: bool = False) -> Options:
        """The options for one layer. sparing: it must need little memory (Node.sparing)."""
        choice = self.layers.get(layer)
        optimize = "ram" if sparing else choice.optimize if choice else self.optimize
        return self if optimize == self.optimize else replace(self, optimize=optimize)

    def weight(self, layer: str) -> float:
        """How much a cycle of this layer counts against a byte of flash, where 1 is what it counts elsewhere."""
        return CYCLES_PER_BYTE[self.optimize] / CYCLES_PER_BYTE[self.of(layer).optimize]

    def check_layers(self, known: Iterable[str]) -> None:
        """Raises ParamsError that lists near names where a choice is for a layer that there is not."""
        names = list(known)
        for name in self.layers:
            if name not in names:
                near = get_close_matches(name, names, NEAR_NAMES, cutoff=0) or names[:NEAR_NAMES]
                hint = f"near names: {', '.join(near)}; `hilgate compile` prints them all"
                raise ParamsError(f"there is no layer `{name}`", where="compile, layers", hint=hint)


def layer_choices(texts: Iterable[str]) -> dict[str, LayerChoice]:
    """From the command line's NAME=size. Raises UsageError."""
    choices = {}
    for text in texts:
        name, equals, optimize = text.rpartition("=")
        if not name or not equals:
            raise UsageError(f"`{text}` is no NAME=speed, NAME=size or NAME=ram", where="--layer")
        if name in choices:
            raise UsageError(f"layer `{name}` is chosen for twice", where="--layer")
        choices[name] = LayerChoice(optimize)
    return choices


def _one_of(key: str, value: str, allowed: Iterable[str], where: str) -> None:
    if value not in allowed:
        raise ParamsError(f"`{key}` is {value!r}", where=where, hint=f"one of {', '.join(allowed)}")
