"""Numbers as people read them: bytes, microseconds, scores, their changes. One place, so that every screen agrees."""

from __future__ import annotations

UNITS = ("bytes", "us", "fraction", "score")  # fraction: a score that is the share of right samples, shown in percent
NAMES = {"accuracy": "accuracy", "flash_bytes": "flash", "ram_bytes": "RAM", "latency_us": "latency"}


def amount(unit: str, value: float | None) -> str:
    """A value with its unit: `131,484 B`, `2,431.0 µs`, `97.91 %`, `0.8412`; `missing` for None."""
    if value is None:
        return "missing"
    if unit == "bytes":
        return f"{value:,.0f} B"
    if unit == "us":
        return f"{value:,.1f} µs"
    return f"{100 * value:.2f} %" if unit == "fraction" else f"{value:,.6g}"


def change(unit: str, value: float | None, base: float | None = None) -> str:
    """A difference with its sign, sizes and times also in percent of `base`: `+1,204 B (+0.92 %)`, `−0.12 points`."""
    if value is None:
        return "unknown"
    if value == 0:
        return "±0"
    sign, size = ("+" if value > 0 else "−"), abs(value)
    if unit == "fraction":
        return f"{sign}{100 * size:.2f} points"
    text = f"{sign}{amount(unit, size)}"
    return f"{text} ({percent(value, base)})" if base and unit in ("bytes", "us") else text


def percent(value: float, base: float) -> str:
    """A signed share of `base`: `+0.92 %`."""
    share = 100 * value / abs(base)
    if abs(share) < 0.005:
        return "±0.00 %" if value == 0 else f"{'+' if value > 0 else '−'}<0.01 %"
    return f"{'+' if share > 0 else '−'}{abs(share):.2f} %"


def allowed(unit: str, value: float | str | None) -> str:
    """How much worse something may get: `0.3 points`, `1,024 B`, `2 %` as it was written; `not set` for None."""
    if value is None:
        return "not set"
    if isinstance(value, str):
        return f"{value[:-1]} %"
    if unit == "fraction":
        return f"{100 * value:g} point{'' if round(100 * value, 9) == 1 else 's'}"
    return amount(unit, value)
