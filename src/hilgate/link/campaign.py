"""A session that uses every command, played once for each fault that can strike it.

The tests play a short campaign, `scripts/link_soak` the whole one, whose counts stand in docs/link_soak.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hilgate.errors import HilgateError
from hilgate.link.contact import Options
from hilgate.link.counters import Counters
from hilgate.link.lossy import DIRECTIONS, Fault, LossyPort, single_faults
from hilgate.link.protocol import FIRST_BAUD, Counter
from hilgate.link.session import Session
from hilgate.link.timing import Timing
from hilgate.link.transports import open_port

QUICK = Timing(answer_s=0.025, open_s=0.8, infer_s=0.03)  # for a peer on this computer, which answers within 1 ms


@dataclass(frozen=True)
class Played:
    """One session. `answers`: what the commands gave; `traffic`: bytes and frames by direction."""

    fault: Fault | None
    answers: list[Any]
    counters: Counters
    struck: int
    traffic: dict[str, tuple[int, int]]


@dataclass
class Tally:
    """What a campaign came to. `failed`: faults after which an answer was wrong or an error came, with its text."""

    sessions: int = 0
    struck: int = 0
    counters: Counters = field(default_factory=Counters)
    failed: list[tuple[Fault, str]] = field(default_factory=list)


def play(url: str, fault: Fault | None = None, timing: Timing = QUICK) -> Played:
    """Every command once, over a port that fails as told. Raises what the session raises."""
    port = LossyPort(open_port(url), fault)
    with Session(port, url, Options(timing=timing, first_sequence=7)) as session:
        answers = list(_script(session))
    traffic = {name: (c.byte_count, c.frame_count) for name, c in (("out", port.out), ("in", port.into))}
    return Played(fault, answers, session.counters, port.out.struck + port.into.struck, traffic)


def _script(session: Session) -> Iterator[Any]:
    """The answers must not depend on time, so that two plays can be compared: cycles are only counted."""
    size = session.identity.input_bytes
    x = bytes(i * 7 % 256 for i in range(size))
    yield session.echo(bytes(range(40)))
    yield session.run_vector(x).output
    yield session.infer().output
    yield [row.crc32 for row in session.profile()]
    if session.identity.counter != Counter.NONE:
        yield len(session.bench(1, 3))
    yield session.memory().arena_bytes
    session.set_baud(8 * FIRST_BAUD)
    yield session.fault()
    yield session.run_vector(x[::-1]).output
    yield session.identify().weights_hash
    session.reset()
    yield session.echo(b"after reset")


def all_faults(clean: Played, byte_step: int = 1) -> Iterator[Fault]:
    """Every single fault that can strike a session like `clean`; of the bytes every `byte_step`-th."""
    for direction in DIRECTIONS:
        count_bytes, count_frames = clean.traffic[direction]
        yield from single_faults("frame", direction, count_frames)
        yield from single_faults("byte", direction, count_bytes, byte_step)


def campaign(url: str, clean: Played, faults: Iterable[Fault], timing: Timing = QUICK) -> Tally:
    """Play a session for each fault and compare its answers with those of the clean one."""
    tally = Tally()
    for fault in faults:
        tally.sessions += 1
        try:
            played = play(url, fault, timing)
        except HilgateError as error:
            tally.failed.append((fault, f"{type(error).__name__}: {error}"))
            continue
        tally.struck += played.struck > 0
        tally.counters.add(played.counters)
        if played.answers != clean.answers:
            tally.failed.append((fault, "an answer is wrong"))
    return tally
