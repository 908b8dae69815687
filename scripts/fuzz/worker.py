"""Tries cases in a process of its own: what each came to, in how long; limits on time and memory hold it."""

from __future__ import annotations

import faulthandler
import importlib
import json
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from fuzz.corpus import Case, case

LIMIT_SECONDS = 10  # of processor time: other jobs on the machine make no case a hang
STUCK_SECONDS = 120  # of the wall clock, asleep or in one C call, where no signal handler runs; the process ends
LIMIT_BYTES = 2 << 30
LONGEST_MESSAGE = 2000
CHOICES = (  # fields of Options, in turn
    {},
    {"updatable": False},
    {"optimize": "size", "io": "float32"},
    {"optimize": "ram", "updatable": False},
)


class Hang(BaseException):
    """Past the limit. No Exception, so that nothing catches it."""


def serve(campaign: int, numbers: Iterable[int], output: TextIO) -> None:
    """Try cases by number; one line of JSON each, and before it its number, so that a death has a name."""
    importlib.import_module("hilgate.compile.compile")  # not in the first case's time
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    signal.signal(signal.SIGPROF, _alarm)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            output.write(f"{number}\n")
            output.flush()
            output.write(json.dumps(attempt(case(campaign, number), Path(folder))) + "\n")
    output.flush()


def attempt(made: Case, folder: Path) -> dict[str, Any]:
    """One case: outcome is `compiled`, `refused`, or what must not be: `crash`, `hang`, `memory`."""
    path = folder / f"model{made.suffix}"
    path.write_bytes(made.content)
    began = time.process_time()
    faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_SECONDS)
    try:
        outcome, message = _outcome(path, CHOICES[made.number % len(CHOICES)])
    except Hang:
        outcome, message = "hang", ""
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
    return {
        "number": made.number,
        "seed": made.seed_name,
        "damage": made.damage,
        "outcome": outcome,
        "message": message,
        "seconds": round(time.process_time() - began, 4),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def _outcome(path: Path, choice: dict[str, Any]) -> tuple[str, str]:
    from hilgate.errors import HilgateError

    try:
        through(path, choice)
    except HilgateError as error:
        causes, cause = [], error.__cause__ or error.__context__
        while cause is not None:
            causes.append(cause)
            cause = cause.__cause__ or cause.__context__
        if any(isinstance(cause, MemoryError) for cause in causes):
            return "memory", _place(next(c for c in causes if isinstance(c, MemoryError)))
        text = str(error)
        fit = 0 < len(text) <= LONGEST_MESSAGE and text.isprintable()
        return ("refused", "") if fit else ("crash", f"an error of {len(text)} characters: {text[:80]!r}")
    except MemoryError as error:
        return "memory", _place(error)
    except Exception as error:
        return "crash", _place(error)
    return "compiled", ""


def through(path: Path, choice: dict[str, Any]) -> None:
    """All of hilgate.compile but writing the folder."""
    from hilgate.compile import emit
    from hilgate.compile.compile import allocate, load, lower
    from hilgate.compile.options import Options

    graph, options = load(path), Options(**choice)
    lower(graph, options)
    emit.files(allocate(graph, options, "0" * 64))


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "hilgate" in f.filename] or list(frames)
    last = ours[-1]
    file = Path(last.filename)
    return f"{type(error).__name__}: {str(error)[:150]} at {file.parent.name}/{file.name}:{last.lineno}"


def _alarm(*_: object) -> None:
    raise Hang


if __name__ == "__main__":
    serve(int(sys.argv[1]), map(int, sys.stdin), sys.stdout)
