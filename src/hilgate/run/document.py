"""measurement.json: everything that was found out, in one checked document that depends on nothing but its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from hilgate.link.exchange import name_of
from hilgate.link.ports import probe_of
from hilgate.link.protocol import ClockSource, Counter, IdentifyAnswer
from hilgate.run.subject import Subject
from hilgate.run.target import Target
from hilgate.virtual.evidence import cost_model, fidelity_gaps


@dataclass(frozen=True)
class Findings:
    """The parts that the session and the host gave. `clock_ratio` is None where the clock is a model's."""

    identity: IdentifyAnswer
    vectors: int
    accuracy: dict[str, Any]
    ram: dict[str, Any]
    latency: dict[str, Any] | None
    clock_ratio: float | None


def measurement(subject: Subject, target: Target, found: Findings) -> dict[str, Any]:
    """The content of measurement.json (schema `measurement`, version 1)."""
    flash = subject.sizes["flash"]
    names = ("total_bytes", "weights_bytes", "kernels_bytes", "runtime_bytes", "capacity_bytes")
    return {
        "cell": subject.cell,
        "task": subject.task,
        "board": subject.board.name,
        "source": target.source,
        "evidence": target.evidence(subject),
        "hashes": {
            "firmware": subject.sizes["hashes"]["elf"],
            "image": found.identity.image_hash.hex(),
            "model": subject.model["source_hash"],
            "architecture": found.identity.architecture_hash.hex(),
            "weights": found.identity.weights_hash.hex(),
            "dataset": subject.dataset_hash,
        },
        "accuracy": found.accuracy,
        "parity": {"vectors": found.vectors, "mismatches": 0, "first_layer": None},
        "flash": {name: flash[name] for name in names},
        "ram": found.ram,
        "latency": found.latency,
        "energy": None,
        "environment": environment(subject, target, found),
    }


def environment(subject: Subject, target: Target, found: Findings) -> dict[str, str | int | float | None]:
    """What the numbers depend on: toolchain, target, clock, and for a prediction the model that made it."""
    tools, identity = subject.sizes["toolchain"], found.identity
    facts: dict[str, str | int | float | None] = {
        "compiler": tools["compiler"],
        "compiler_version": tools["version"],
        "compiler_pinned": "yes" if tools["pinned"] else "no",
        "compiler_flags": tools["flags"],
        "target": target.name(identity),
        "clock_source": name_of(ClockSource, identity.clock_source),
        "counter": name_of(Counter, identity.counter),
        "macs": subject.model["macs"],
    }
    if target.kind == "virtual":
        facts |= _prediction(subject)
    if target.kind == "board":
        facts |= {"uid": identity.uid.hex(), "probe": probe_of(target.url), "clock_ratio": found.clock_ratio}
    return facts


def _prediction(subject: Subject) -> dict[str, str | int | float | None]:
    """Of the virtual board: its emulator's version, its cost model, and how many behaviours nobody else has checked."""
    return {
        "unicorn": version("unicorn"),
        "cost_model": cost_model(subject.board),
        "fidelity_gaps": len(fidelity_gaps(subject.board.family)),
    }
