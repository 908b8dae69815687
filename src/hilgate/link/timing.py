"""How long to wait, from what is asked. One place, so that a slow target changes one number."""

from __future__ import annotations

from dataclasses import dataclass

from hilgate.link.protocol import FRAME_BYTES

BITS_PER_BYTE = 10  # 8N1


@dataclass(frozen=True)
class Timing:
    """answer_s: for the board to understand and answer, both ends' scheduling and one USB turn included.

    attempts: how often a request is sent before the board counts as lost; open_s: how long a board may take to start
    and answer its first identify; infer_s: allowed for the first inference, whose cost nobody knows yet; boot_s: wait
    before the first byte, for a board that opening the port switches on and that is deaf until it has started.
    """

    answer_s: float = 0.3
    attempts: int = 5
    open_s: float = 6.0
    infer_s: float = 20.0
    boot_s: float = 0.0

    def transfer_s(self, wire_bytes: int, baud: int) -> float:
        """Twice what the bytes take at that rate."""
        return 2 * wire_bytes * BITS_PER_BYTE / max(baud, 1)

    def wait_s(self, wire_bytes: int, baud: int, busy_s: float = 0.0) -> float:
        """For a request of `wire_bytes` whose answer may be the longest, while the board computes for `busy_s`."""
        return self.answer_s + self.transfer_s(wire_bytes + FRAME_BYTES, baud) + busy_s

    def quiet_s(self, baud: int) -> float:
        """Silence after which nothing that was under way will still come: a frame's gap, not its length."""
        return self.answer_s / 6 + self.transfer_s(64, baud)


# QEMU loses nothing, but this computer may be busy; the virtual board has its own time, in which 0.5 s is soon over
TIMING = {"qemu": Timing(answer_s=20.0, open_s=60.0, infer_s=120.0, boot_s=0.5), "virtual": Timing(boot_s=0.5)}


def timing_of(kind: str) -> Timing:
    """Of a way to a board: its scheme; whatever is not named here counts as a real board."""
    return TIMING.get(kind, Timing())
