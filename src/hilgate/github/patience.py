"""When to ask again, and how long to wait first. Rules: GitHub's "Best practices for using the REST API"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hilgate.github.clock import Clock

BROKEN = frozenset({500, 502, 503, 504})  # GitHub's own trouble: asking again helps
SECONDARY_S = 60.0  # "wait for at least one minute" where a secondary limit says nothing more precise
FIRST_S = 1.0


@dataclass(frozen=True)
class Patience:
    """attempts: how often one call is tried; total_s: the longest that one call may wait in all."""

    attempts: int = 6
    total_s: float = 600.0


def is_limited(status: int, headers: Mapping[str, str], text: str) -> bool:
    """Whether GitHub refused because of too many calls: it did nothing then, so any call may be sent again."""
    if status not in (403, 429):
        return False
    told = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return status == 429 or told or "rate limit" in text.lower()


def limit_delay_s(headers: Mapping[str, str], attempt: int, clock: Clock) -> float:
    """How long a rate limit asks us to wait: Retry-After, else the moment of reset, else a minute and ever more."""
    after = _number(headers.get("retry-after", ""))
    if after is not None:
        return after + clock.jitter()
    reset = _number(headers.get("x-ratelimit-reset", ""))
    if headers.get("x-ratelimit-remaining") == "0" and reset is not None:
        return max(reset - clock.now(), 0.0) + 1.0 + clock.jitter()  # clocks differ by a second
    return float(SECONDARY_S * 2**attempt + clock.jitter())


def backoff_s(attempt: int, clock: Clock) -> float:
    """1, 2, 4, ... seconds, each stretched by up to a half."""
    return float(FIRST_S * 2**attempt * (1 + clock.jitter() / 2))


def _number(text: str) -> float | None:
    return float(text) if text.isdecimal() and len(text) < 15 else None
