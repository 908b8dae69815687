"""What a person may choose about a compilation."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.errors import ParamsError

# What a byte of flash is worth, in cycles of an inference, when kernels are chosen.
CYCLES_PER_BYTE = {"speed": 20, "ram": 20, "size": 1000}


@dataclass(frozen=True)
class Options:
    """Section `compile` of params.yaml.

    optimize: speed | size | ram; updatable: weights can be replaced without the code, so passes that look at weight
    values are off; io: int8, or float32 to keep QuantizeLinear and DequantizeLinear at the edges; without: optional
    passes to skip.
    """

    optimize: str = "speed"
    updatable: bool = True
    io: str = "int8"
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key, allowed in (("optimize", ("speed", "size", "ram")), ("io", ("int8", "float32"))):
            if getattr(self, key) not in allowed:
                raise ParamsError(
                    f"`{key}` is {getattr(self, key)!r}", where="compile", hint=f"one of {', '.join(allowed)}"
                )
