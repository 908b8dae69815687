"""What happened on the link, counted, so that a link which only just works is seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counters:
    """Frames of one session, seen from the host.

    sent: request frames written, retries included; received: intact frames read; retried: of `sent`, repeats; lost:
    waits for an answer that ended without one; damaged: frames that arrived broken; refused: broken frames that the
    board reports (error_event); stray: intact frames that nobody waited for; resyncs: fresh starts by identify.
    """

    sent: int = 0
    received: int = 0
    retried: int = 0
    lost: int = 0
    damaged: int = 0
    refused: int = 0
    stray: int = 0
    resyncs: int = 0

    def add(self, other: Counters) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def clean(self) -> bool:
        """Nothing had to be repeated or thrown away."""
        return self.retried == self.lost == self.damaged == self.refused == self.stray == self.resyncs == 0
