"""Orders for a bench: per cell the images of both sides, inputs of main's test set, and the outputs that are due.

They are made where the claim was judged, without secrets; the bench gets checked images and plain bytes, and runs no
code of a change on its computer.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgate.artifacts import read_json, write_json
from hilgate.catalogue import load_board
from hilgate.ci.claims.admit import Expected, admit
from hilgate.ci.claims.claim import FIRMWARE, Claim, cell_file, logged, read_claim
from hilgate.ci.claims.interface import Interface, check_interface, orders_of, quantized, scores
from hilgate.ci.images.sandbox import Image, outputs_of
from hilgate.ci.images.testset import TestSet, load_test_set
from hilgate.console import say
from hilgate.errors import ClaimError, HilgateError
from hilgate.gate.benches import pairs_for
from hilgate.gate.policy import Budget, read_policy
from hilgate.hashing import sha256_of
from hilgate.params import Params, load_params
from hilgate.run.parity import choose
from hilgate.run.settings import settings_of

FOLDER = "orders"
DOCUMENT = "order.json"
VECTORS = 24  # as many as recounting compares over the link
MOST_RUNS = 30


@dataclass(frozen=True)
class Order:
    """One cell. sides: head, and base where main still has its image; pairs: loads of each side."""

    cell: str
    board: str
    warmup: int
    runs: int
    pairs: int
    vectors: int
    sides: dict[str, str]
    folder: Path

    def file(self, side: str, name: str) -> Path:
        return self.folder / side / name

    def pieces(self, side: str, name: str) -> tuple[bytes, ...]:
        """inputs.bin or outputs.bin, cut into samples."""
        content = self.file(side, name).read_bytes()
        size, rest = divmod(len(content), self.vectors)
        if rest or not size:
            raise ClaimError(f"{len(content)} bytes are not {self.vectors} samples", where=f"{self.cell}: {name}")
        return tuple(content[at : at + size] for at in range(0, len(content), size))


def read_orders(folder: Path) -> list[Order]:
    """All orders of a judged folder, checked. Raises ArtifactError, ClaimError."""
    orders = []
    for path in sorted((folder / FOLDER).glob(f"*/{DOCUMENT}")):
        document = read_json(path, "order")
        fields = {key: document[key] for key in Order.__dataclass_fields__ if key != "folder"}
        order = Order(**fields, folder=path.parent)
        for side, due in order.sides.items():
            if sha256_of(order.file(side, FIRMWARE)) != due:
                raise ClaimError("the image is not the one of the order", where=f"{order.cell}: {side}")
        orders.append(order)
    return orders


def prepare(root: Path, claim: Path, out: Path, base: Path | None = None) -> list[str]:
    """Write out/orders for every admitted cell whose board can be flashed; gives their names.

    claim: as it came, or a pack of main's own; where `out` is a judged folder, only cells that were recomputed.
    """
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    params = load_params(root)
    wanted = _recomputed(out)
    made = []
    with _plain(claim, root) as (folder, found):
        for name, cell in found.cells.items() if found else ():
            known = params.cells.get(name)
            if cell.state != "built" or (wanted is not None and name not in wanted):
                continue
            if known is None or "probe" not in load_board(known.board, root).tables:
                continue
            try:
                sources = {"head": folder} | ({"base": base} if base and _has(base, name) else {})
                _order(root, params, name, sources, out / FOLDER / name)
                made.append(name)
            except HilgateError as error:  # the verdict has already said what is wrong with it
                shutil.rmtree(out / FOLDER / name, ignore_errors=True)
                say(f"no order for {name}: {logged(str(error))}")
    say(f"orders for a bench: {', '.join(made) or 'none'}")
    return made


def _recomputed(out: Path) -> set[str] | None:
    if not (out / "context.json").is_file():
        return None
    context = read_json(out / "context.json", "context")
    return {row["cell"] for row in context.get("cells", ()) if row["state"] == "recomputed"}


@contextmanager
def _plain(claim: Path, root: Path) -> Iterator[tuple[Path, Claim | None]]:
    """The claim as admitted files, None where there is none that can be admitted."""
    archives = sorted(claim.glob("*.zip")) if claim.is_dir() and not (claim / "claim.json").exists() else []
    with tempfile.TemporaryDirectory(prefix="hilgate-") as scratch:
        folder = Path(scratch) / "admitted"
        try:
            yield folder, admit(archives[0] if archives else claim, folder, Expected(), root)
        except ClaimError as error:
            say(f"no claim: {logged(str(error))}")
            yield folder, None


def _order(root: Path, params: Params, name: str, sources: dict[str, Path], target: Path) -> None:
    """One cell's folder. sources: side -> admitted claim, or main's own pack."""
    cell = params.cells[name]
    tests, settings = load_test_set(cell.task, params, root), settings_of(cell.task, params)
    trial = Trial(root, name, cell.board, tests, tuple(choose(len(tests.real), VECTORS, tests.dataset)))
    sides = {side: trial.write(folder, target / side) for side, folder in sources.items()}
    content: dict[str, Any] = {"cell": name, "board": cell.board, "warmup": settings.warmup, "sides": sides}
    content |= {
        "runs": min(settings.runs, MOST_RUNS),
        "pairs": _pairs(root, params, name),
        "vectors": len(trial.chosen),
    }
    write_json(target / DOCUMENT, "order", content)


def _pairs(root: Path, params: Params, name: str) -> int:
    """As many as the calibrated benches of this board need for the cell's own limit."""
    budget = read_policy(params, "main").budgets.get(name, {}).get("latency_us", Budget())
    return pairs_for(root, params.cells[name].board, budget)


def _has(base: Path, name: str) -> bool:
    if not (base / "claim.json").is_file():
        return False
    cell = read_claim(base).cells.get(name)
    return cell is not None and cell.state == "built" and cell_file(base, name, FIRMWARE).is_file()


@dataclass(frozen=True)
class Trial:
    """What an image of a cell is tried with: some samples of main's test set."""

    root: Path
    cell: str
    board: str
    tests: TestSet
    chosen: tuple[int, ...]

    def write(self, source: Path, target: Path) -> str:
        """Image, inputs, due outputs and the predicted measurement of one side; gives the image's SHA-256."""
        target.mkdir(parents=True)
        for file in (FIRMWARE, "measurement.json"):
            shutil.copyfile(cell_file(source, self.cell, file), target / file)
        interface = check_interface(read_json(cell_file(source, self.cell, "model.json"), "model"))
        inputs, outputs = self._best(target / FIRMWARE, interface)
        (target / "inputs.bin").write_bytes(inputs)
        (target / "outputs.bin").write_bytes(outputs)
        return sha256_of(target / FIRMWARE)

    def _best(self, elf: Path, interface: Interface) -> tuple[bytes, bytes]:
        """Inputs and outputs of the chosen samples, in the order of axes in which the model scores best."""
        import numpy as np

        chosen, metric, found = list(self.chosen), self.tests.metric, []
        for axes in orders_of(self.tests.real.shape[1:], interface):
            inputs = quantized(self.tests.real[chosen], axes, interface.input)
            source, sink = ({"offset": one.offset, "bytes": one.bytes} for one in (interface.input, interface.output))
            image = Image(self.cell, elf, self.board, self.root, inputs, source, sink, len(interface.layers))
            outputs, _ = outputs_of(image)
            levels = np.frombuffer(outputs, np.int8).reshape(len(inputs), -1)
            score = float(scores(levels, self.tests.labels[chosen], interface.output, metric).mean())
            found.append((score if metric.higher_is_better else -score, inputs.tobytes(), outputs))
        if not found:
            raise ClaimError("main's test set does not fit the model's input", where=self.cell)
        return max(found)[1:]
