"""run: one session on one target, from the image under test to measurement.json."""

from __future__ import annotations

import time
from pathlib import Path

from hilgate.artifacts import artifact, write_json
from hilgate.console import say
from hilgate.link.connect import connect_at_own_rate
from hilgate.link.contact import Options
from hilgate.link.session import Session
from hilgate.params import Params
from hilgate.run.accuracy import accuracy_of, check_host, samples_of, scores
from hilgate.run.bench import latency_of, ram_of
from hilgate.run.clock import check_clock
from hilgate.run.document import Findings, measurement
from hilgate.run.hostmodel import HostModel
from hilgate.run.identity import check_identity, check_real
from hilgate.run.parity import profile, stream
from hilgate.run.provenance import provenance
from hilgate.run.settings import settings_of
from hilgate.run.subject import Subject, load_subject
from hilgate.run.target import Target, result_path, target_of, virtual_target
from hilgate.task import load_task


def execute(item: str, params: Params, root: Path, *, on: str | None = None) -> Path:
    """Measure a cell: on its virtual board (the DVC stage), or on whatever `on` leads to; gives the file written.

    Raises ArtifactError, LinkError, StaleImageError, DeviceError, ParityError, VirtualFault.
    """
    began = time.monotonic()
    subject = load_subject(item, params, root)
    settings = settings_of(subject.task, params)
    metric = load_task(subject.task, root).metric
    target = virtual_target(subject, root) if on is None else target_of(on, subject, root)
    host = HostModel(subject.library, subject.model)
    with open_session(target, subject) as session:
        check_identity(session, subject)
        if target.kind == "board":
            check_real(session)
        check_host(subject, host)
        vectors = stream(session, subject, host, settings.vectors)
        rows = profile(session, subject, host)
        latency = latency_of(session, subject, settings, rows)
        clock_ratio = check_clock(session, latency["cycles"][0]) if latency and target.kind == "board" else None
        ram = ram_of(subject, session.memory(), session.name)
        values = scores(subject, metric)
        found = Findings(session.identity, vectors, accuracy_of(values, metric), ram, latency, clock_ratio)
    stage = on is None
    path = artifact(root, "run.measurement", item) if stage else result_path(root, subject, target, found.identity)
    write_json(path, "measurement", measurement(subject, target, found))
    if stage:
        write_json(artifact(root, "run.samples", item), "samples", samples_of(subject, metric, values))
    beside = artifact(root, "run.provenance", item) if stage else path.with_name(f"{path.stem}.provenance.json")
    write_json(beside, "provenance", provenance(root, item, target, session.counters, time.monotonic() - began))
    say(summary(subject, target, found))
    return path


def open_session(target: Target, subject: Subject) -> Session:
    """An emulator starts a fixed sequence, so that runs are equal."""
    options = Options(timing=target.timing, first_sequence=None if target.kind == "board" else 0)
    return connect_at_own_rate(target.url, subject.board, subject.elf, options)


def summary(subject: Subject, target: Target, found: Findings) -> str:
    """One line for the person who watches."""
    accuracy, latency = found.accuracy, found.latency
    time_text = f"{latency['median_us']:,.1f} us" if latency else "no cycle counter"
    return (
        f"run {subject.cell} on {target.name(found.identity)} ({target.source}): "
        f"{accuracy['metric']} {accuracy['value']:.4f}, {found.vectors} vectors equal, "
        f"{subject.sizes['flash']['total_bytes']:,} B flash, {found.ram['total_bytes']:,} B RAM, {time_text}"
    )
