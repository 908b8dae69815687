"""Where a session runs, and what its numbers are worth: predicted by the virtual board, or measured on a real one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from hilgate.artifacts import artifact
from hilgate.errors import UsageError
from hilgate.link.protocol import IdentifyAnswer
from hilgate.link.timing import Timing, timing_of
from hilgate.link.transports import scheme_of
from hilgate.run.subject import Subject
from hilgate.virtual.evidence import evidence

EMULATORS = ("virtual", "qemu")  # their time is a model's, or nobody's


@dataclass(frozen=True)
class Target:
    """A way to a board. `kind`: virtual, qemu or board."""

    url: str
    kind: str

    @property
    def source(self) -> str:
        return "measured" if self.kind == "board" else "predicted"

    @property
    def timing(self) -> Timing:
        return timing_of(self.kind)

    def evidence(self, subject: Subject) -> str:
        """How far the cycles can be believed: see the design's evidence classes."""
        if self.kind == "virtual" and "cycles=0" not in self.url:
            return evidence(subject.board)
        return "measured" if self.kind == "board" else "uncalibrated"

    def name(self, identity: IdentifyAnswer) -> str:
        """For people and file names: the chip's unique id, or the emulator's machine."""
        if self.kind == "board":
            return identity.uid.hex()
        return f"{self.kind}_{re.sub(r'[^A-Za-z0-9_-]', '_', urlsplit(self.url).netloc)}"


def virtual_target(subject: Subject, root: Path) -> Target:
    """The virtual board of the cell, running the cell's ELF."""
    return Target(f"virtual://{subject.board.name}?image={quote(str(subject.elf))}&root={quote(str(root))}", "virtual")


def target_of(url: str, subject: Subject, root: Path) -> Target:
    """What the user asked for. An emulator without an image gets the cell's. Raises UsageError for host://."""
    scheme = scheme_of(url)
    if scheme == "host":
        hint = "host:// is for tests of the link; take virtual://, qemu:// or a port"
        raise UsageError("a firmware built for this computer is not the image under test", where=url, hint=hint)
    if scheme in EMULATORS:
        options = {"image": subject.elf} | ({"root": root} if scheme == "virtual" else {})
        missing = [f"{name}={quote(str(value))}" for name, value in options.items() if f"{name}=" not in url]
        return Target("&".join([url if "?" in url else f"{url}?", *missing]).replace("?&", "?"), scheme)
    return Target(url, "board")


def result_path(root: Path, subject: Subject, target: Target, identity: IdentifyAnswer) -> Path:
    """Where `hilgate run --on` writes: the source is part of the path, so that nothing mixes."""
    folder = artifact(root, "run.measurement", subject.cell).parent / target.source
    return folder / f"{target.name(identity)}.json"
