"""The whole link campaign: every single fault at every byte and every frame of a session; counts to docs/link_soak.md.

`make soak` runs it. The peer is the firmware's own code, built for this computer, with tests/link/model. A session
mostly waits, and its time does not depend on how busy this computer is: many run at once, and the counts are the same.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hilgate.artifacts import atomic_write
from hilgate.build.host import build_host_firmware
from hilgate.console import progress, say
from hilgate.link.campaign import QUICK, Played, Tally, all_faults, campaign, play
from hilgate.link.lossy import Fault
from hilgate.link.timing import Timing

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs/link_soak.md"
AT_ONCE = 32


def main(byte_step: int = 1) -> int:
    """Run and write the report. Exit code 1 when any fault was not survived."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        program = build_host_firmware(ROOT / "tests/link/model", ROOT / "firmware", Path(folder) / "firmware")
        url = f"host://?program={program}"
        clean = play(url, timing=Timing())
        groups = grouped(list(all_faults(clean, byte_step)))
        tallies: dict[str, Tally] = {}
        with progress() as bar:
            for name, faults in groups.items():
                each = bar.track(sessions(url, clean, faults), total=len(faults), description=name)
                tallies[name] = summed(each)
    atomic_write(REPORT, report(clean, tallies, byte_step).encode())
    failed = [failure for tally in tallies.values() for failure in tally.failed]
    for fault, text in failed:
        say(f"{fault}: {text}")
    count = sum(tally.sessions for tally in tallies.values())
    say(f"{count} sessions in {time.monotonic() - began:.0f} s, {len(failed)} failed")
    return 1 if failed else 0


def sessions(url: str, clean: Played, faults: list[Fault]) -> Iterator[Tally]:
    """One session for each fault, AT_ONCE of them at a time; in the order of the faults."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda fault: campaign(url, clean, [fault], QUICK), faults)


def summed(tallies: Iterable[Tally]) -> Tally:
    """The sum of many campaigns."""
    total = Tally()
    for tally in tallies:
        total.sessions += tally.sessions
        total.struck += tally.struck
        total.counters.add(tally.counters)
        total.failed += tally.failed
    return total


def grouped(faults: list[Fault]) -> dict[str, list[Fault]]:
    """By what happens to what, such as `drop byte out`."""
    groups: dict[str, list[Fault]] = {}
    for fault in faults:
        groups.setdefault(f"{fault.action} {fault.unit} {fault.direction}", []).append(fault)
    return groups


def report(clean: Played, tallies: dict[str, Tally], byte_step: int) -> str:
    """Markdown. No times: equal code gives an equal file."""
    total, rows = summed(tallies.values()), []
    for name, tally in tallies.items():
        c = tally.counters
        cells = (
            tally.sessions,
            c.sent,
            c.received,
            c.retried,
            c.lost,
            c.damaged,
            c.refused,
            c.resyncs,
            len(tally.failed),
        )
        rows.append(f"| {name} | " + " | ".join(f"{cell:,}" for cell in cells) + " |")
    sent, lost = total.counters.sent, total.counters.lost
    out, into = clean.traffic["out"], clean.traffic["in"]
    every = "every" if byte_step == 1 else f"every {byte_step}th"
    return f"""<!-- Written by scripts/link_soak.py (`make soak`). Do not edit. -->

# The link, broken at every step

A session that uses every command ({out[1]} frames and {out[0]:,} bytes out, {into[1]} frames and {into[0]:,} bytes in)
is played once for each single fault: every frame in each direction dropped, repeated or cut after four bytes, and
{every} byte in each direction dropped, flipped in one bit, or repeated. The peer is the firmware's own frame and
command code, built for this computer. A session passes when every answer equals that of the undisturbed one.

{total.sessions:,} sessions, {sent:,} frames sent, {total.counters.received:,} received, {lost:,} waits without answer,
{total.counters.retried:,} retries; **{len(total.failed)} sessions failed**. The undisturbed session:
{clean.counters.sent} sent, {clean.counters.received} received, {clean.counters.lost} lost.

| fault | sessions | sent | received | retried | lost | damaged | refused | resyncs | failed |
|---|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

sent, received: request and answer frames at the host; retried: of sent; lost: waits that ended without an answer;
damaged: frames that reached the host broken; refused: broken frames that the board reported; resyncs: fresh starts with
identify (one of them belongs to the session's own reset).
"""


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
