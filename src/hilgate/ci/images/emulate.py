"""One image on the virtual board, in a process of its own: `python -m hilgate.ci.images.emulate JOB.json`.

The image is a stranger's. The process has no secrets in its environment and bounded memory and time; what it learns
goes into files (raw bytes, JSON), which the parent checks. sandbox.py starts it.

job: elf, board, root, cell, input and output {offset, bytes}, inputs (raw int8 samples), out (folder), and either
`slice` [first, end): outputs of these samples, by direct calls without the cost model, into outputs.bin; or `session`
{vectors, bench, warmup, runs, spot}: indices of samples, for session.json.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hilgate.artifacts import atomic_write
from hilgate.catalogue import Board, load_board
from hilgate.ci.images.calls import DirectModel
from hilgate.ci.images.memories import Witness
from hilgate.errors import ClaimError, HilgateError, VirtualFault
from hilgate.link.contact import Options
from hilgate.link.exchange import name_of
from hilgate.link.protocol import Counter
from hilgate.link.session import Session
from hilgate.link.timing import timing_of

if TYPE_CHECKING:
    from hilgate.link.transports.virtual import Serial

MOST_MEMORY_BYTES = 4 << 30
CACHE_CALLS = 3  # until a direct call finds the flash accelerator and caches as a repeated run does


class Bench:
    """A booted virtual board, its open session, and a witness of its memories from before the first instruction."""

    def __init__(self, job: dict[str, Any], *, cycles: bool) -> None:
        from hilgate.link.transports.virtual import Serial

        self.board: Board = load_board(job["board"], Path(job["root"]))
        self.elf = Path(job["elf"])
        url = f"virtual://{job['board']}?image={quote(job['elf'])}&root={quote(job['root'])}&cycles={int(cycles)}"
        self.port: Serial = Serial(url, timeout=0)
        self.witness = Witness(self.port.board.machine)
        baud = int(self.board.tables["console"]["baud"])
        timing = timing_of("virtual")
        # Not by connect_at_own_rate: what opens the port itself comes too late for a witness.
        self.session = Session(self.port, job["cell"], Options(timing=timing, first_sequence=0, rates=(baud,)))
        if baud != self.session.wire.baud:
            self.session.set_baud(baud)
        self.input = (job["input"]["offset"], job["input"]["bytes"])
        self.output = (job["output"]["offset"], job["output"]["bytes"])

    def model(self) -> DirectModel:
        """From here on the session is over: direct calls move the core away from the firmware's own loop."""
        return DirectModel(self.port.board.machine, self.input, self.output)

    def touched(self) -> dict[str, int]:
        return asdict(self.witness.undeclared(self.elf))


def outputs(job: dict[str, Any]) -> None:
    """Outputs of a slice of the samples, one after another."""
    bench = Bench(job, cycles=False)
    model, samples = bench.model(), Samples(job)
    first, end = job["slice"]
    content = b"".join(model.run(samples[index]).output for index in range(first, end))
    atomic_write(Path(job["out"]) / "outputs.bin", content)
    _write(job, "touched.json", bench.touched())


def session(job: dict[str, Any]) -> None:
    """What `hilgate run` does over the link, and beside each of the board's words what the virtual board counted."""
    bench, samples, plan = Bench(job, cycles=True), Samples(job), job["session"]
    talk = bench.session
    if talk.identity.layers != job["layers"]:
        raise ClaimError(f"the board reports {talk.identity.layers} layers, model.json has {job['layers']}")
    has_counter = talk.identity.counter != Counter.NONE
    answers = [talk.run_vector(samples[index]) for index in plan["vectors"]]
    talk.set_input(samples[plan["bench"]])
    rows = talk.profile()
    said = talk.bench(plan["warmup"], plan["runs"]) if has_counter else []
    marks = talk.memory()
    found = {
        "identity": {name: _plain(value) for name, value in vars(talk.identity).items()},
        "counter": name_of(Counter, talk.identity.counter),
        "outputs": [answer.output.hex() for answer in answers],
        "rows": [asdict(row) for row in rows],
        "cycles": said,
        "marks": asdict(marks),
        "clock_hz": bench.port.board.clock_hz,
    }
    _write(job, "session.json", found | _counted(bench, samples, plan) | {"touched": bench.touched()})


def _counted(bench: Bench, samples: Samples, plan: dict[str, Any]) -> dict[str, Any]:
    """Cycles by direct calls: of the benched vector, of others, of each layer; and the stack that they touched."""
    model = bench.model()
    x = samples[plan["bench"]]
    repeated = [model.run(x) for _ in range(CACHE_CALLS)]
    spots = [model.run(samples[index]) for index in plan["spot"]]
    model.profile(x)
    layers = model.profile(x)
    seen = max(model.stack_of(call) for call in (lambda: model.run(x), lambda: model.profile(x)))
    return {
        "counted": repeated[-1].cycles,
        "counted_output": repeated[-1].output.hex(),
        "spots": [{"cycles": call.cycles, "output": call.output.hex()} for call in spots],
        "layers": [asdict(layer) for layer in layers],
        "stack_seen_bytes": seen,
    }


class Samples:
    """The inputs of a job: int8 samples of equal size, one after another in a file."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._content = Path(job["inputs"]).read_bytes()
        self._bytes = int(job["input"]["bytes"])

    def __getitem__(self, index: int) -> bytes:
        found = self._content[index * self._bytes : (index + 1) * self._bytes]
        if index < 0 or len(found) != self._bytes:
            raise ClaimError(f"there is no sample {index}")
        return found


def main(arguments: list[str]) -> int:
    """Do a job; an error of the image goes into error.json, with exit code 3."""
    job = json.loads(Path(arguments[0]).read_text("utf-8"))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    try:
        (session if "session" in job else outputs)(job)
    except HilgateError as error:
        _write(job, "error.json", {"what": str(error)[:1000], "ours": isinstance(error, VirtualFault)})
        return 3
    return 0


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _write(job: dict[str, Any], name: str, content: dict[str, Any]) -> None:
    atomic_write(Path(job["out"]) / name, json.dumps(content).encode())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
