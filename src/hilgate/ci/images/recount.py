"""What one admitted image costs and how well it does, found out without believing a word of the claim.

Sizes and stack are counted from the ELF. Accuracy is that of this very ELF on main's whole test set, by direct calls on
the virtual board. Cycles are those of a session as `hilgate run` holds it, checked by the board's own count.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilgate.artifacts import read_json
from hilgate.build.layers import layer_rows
from hilgate.build.sizes import file_hash, flash_sizes, ram_sizes, section_rows, symbol_rows
from hilgate.catalogue import load_board
from hilgate.ci.claims.claim import FIRMWARE, cell_file
from hilgate.ci.claims.interface import Interface, check_interface, orders_of, quantized, scores
from hilgate.ci.images.counted import Doubts, counted_of
from hilgate.ci.images.elf_stack import worst_stack_of
from hilgate.ci.images.sandbox import Image, outputs_of, session_of
from hilgate.ci.images.testset import TestSet
from hilgate.errors import ClaimError
from hilgate.hashing import image_hashes
from hilgate.run.accuracy import accuracy_of, samples_of
from hilgate.run.document import Findings, measurement
from hilgate.run.parity import choose
from hilgate.run.settings import RunSettings
from hilgate.run.subject import Subject
from hilgate.run.target import virtual_target

if TYPE_CHECKING:
    import numpy as np

LINK_BYTES = 32768  # of samples that go over the link as well, compared with direct calls to the bit
LEAST_VECTORS = 16
SPOTS = 8  # other samples whose cycles are counted
LONGEST_NAME = 300
ORDER_SAMPLES = 256  # by which two possible orders of an input are told apart


@dataclass(frozen=True)
class Order:
    """What to recount: a built cell of an admitted claim, in a project whose boards and settings judge."""

    cell: str
    task: str
    board: str
    claim: Path
    root: Path
    settings: RunSettings

    def file(self, name: str) -> Path:
        return cell_file(self.claim, self.cell, name)


@dataclass(frozen=True)
class Recount:
    """The contents of measurement.json, samples.json and sizes.json; claims: what was said and did not hold."""

    measurement: dict[str, Any]
    samples: dict[str, Any]
    sizes: dict[str, Any]
    claims: tuple[dict[str, str], ...]


def recount(order: Order, tests: TestSet) -> Recount:
    """Raises ClaimError when the image cannot be counted or run."""
    model = read_json(order.file("model.json"), "model")
    interface = check_interface(model)
    sizes = count_sizes(order)
    inputs, outputs, touched = _run(order, interface, tests)
    subject = _subject(order, model, sizes, tests, inputs, outputs)
    plan = _plan(order, subject)
    found = session_of(_image(order, interface, inputs), plan)
    counted = counted_of(found, [outputs[index].tobytes() for index in plan["vectors"]], subject)
    doubts = Doubts(order.cell, list(counted.claims))
    ram = {**counted.ram, **_declare(sizes, touched, found["touched"], doubts)}
    values = scores(outputs, tests.labels, interface.output, tests.metric)
    accuracy = accuracy_of(values, tests.metric)
    findings = Findings(counted.identity, counted.vectors, accuracy, ram, counted.latency, None)
    document = measurement(subject, virtual_target(subject, order.root), findings)
    document["parity"]["mismatches"] = counted.mismatches
    said = read_json(order.file("measurement.json"), "measurement")
    if said["parity"]["mismatches"]:
        document["parity"] = said["parity"]  # its own jobs compared with the reference; that it is worse is believed
    compare(document, said, doubts)
    return Recount(document, samples_of(subject, tests.metric, values), sizes, tuple(doubts.rows))


def count_sizes(order: Order) -> dict[str, Any]:
    """sizes.json, by the ELF; what only explains (toolchain, layers) is the claim's. Raises ClaimError."""
    from elftools.common.exceptions import ELFError

    elf, board = order.file(FIRMWARE), load_board(order.board, order.root)
    said = read_json(order.file("sizes.json"), "sizes")
    try:
        stack = worst_stack_of(elf)
        sizes = {
            "cell": order.cell,
            "task": order.task,
            "board": order.board,
            "flash": flash_sizes(elf, board),
            "ram": ram_sizes(elf, board, stack),
            "stack_path": list(stack.path),
            "symbols": symbol_rows(elf, board),
            "sections": section_rows(elf, board),
            "layers": layer_rows(order.file("model.json").parent),
            "toolchain": said["toolchain"],
            "hashes": {"elf": file_hash(elf), "image": image_hashes(elf).image.hex()},
        }
    except (ELFError, LookupError, ValueError, AttributeError, TypeError, RuntimeError, ArithmeticError) as error:
        # pyelftools and what reads with it, on headers and symbols that contradict each other: found by damaging them
        raise ClaimError(f"its sections or symbols cannot be read: {error!r}"[:300], where=elf.name) from error
    names = [*sizes["toolchain"].values(), *sizes["stack_path"], *(symbol["name"] for symbol in sizes["symbols"])]
    if any(len(str(name)) > LONGEST_NAME for name in names):
        raise ClaimError(f"a symbol or a compiler has a name of more than {LONGEST_NAME} letters", where=elf.name)
    if min(sizes["flash"].values()) < 0 or min(sizes["ram"].values()) < 0:
        raise ClaimError("its sections are larger than what it loads", where=elf.name)
    return sizes


def _run(order: Order, interface: Interface, tests: TestSet) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Inputs and outputs of the whole test set, int8 (N, bytes), and memory used without being declared."""
    import numpy as np

    shape = tests.real.shape[1:]
    orders = orders_of(shape, interface)
    if not orders:
        what = f"main's preprocess gives {list(shape)}, the model takes {list(interface.input.shape)}"
        raise ClaimError(what, where=order.cell, hint="main feeds a model as its own preprocess does; change it first")

    def outputs(axes: tuple[int, ...], count: int) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
        inputs = quantized(tests.real[:count], axes, interface.input)
        content, touched = outputs_of(_image(order, interface, inputs))
        return inputs, np.frombuffer(content, np.int8).reshape(len(inputs), -1), touched

    def mean(axes: tuple[int, ...]) -> float:
        part = outputs(axes, ORDER_SAMPLES)[1]
        score = float(scores(part, tests.labels[:ORDER_SAMPLES], interface.output, tests.metric).mean())
        return score if tests.metric.higher_is_better else -score

    best = orders[0] if len(orders) == 1 else max(orders, key=mean)
    return outputs(best, len(tests.real))


def _image(order: Order, interface: Interface, inputs: np.ndarray) -> Image:
    source, sink = ({"offset": one.offset, "bytes": one.bytes} for one in (interface.input, interface.output))
    elf, layers = order.file(FIRMWARE), len(interface.layers)
    return Image(order.cell, elf, order.board, order.root, inputs, source, sink, layers)


def _subject(  # noqa: PLR0913, PLR0917  (the parts of one object)
    order: Order,
    model: dict[str, Any],
    sizes: dict[str, Any],
    tests: TestSet,
    inputs: np.ndarray,
    outputs: np.ndarray,
) -> Subject:
    """The cell as the run room's functions take it; `expected` is what the image itself gave."""
    hashes = image_hashes(order.file(FIRMWARE))
    if (model["architecture_hash"], model["weights_hash"]) != (hashes.architecture.hex(), hashes.weights.hex()):
        raise ClaimError("model.json is of another model than the image", where=order.cell)
    return Subject(
        cell=order.cell,
        task=order.task,
        board=load_board(order.board, order.root),
        elf=order.file(FIRMWARE),
        library=Path(),
        sizes=sizes,
        model=model,
        dataset_hash=tests.dataset,
        hashes=hashes,
        x=inputs,
        expected=outputs,
        labels=tests.labels,
    )


def _plan(order: Order, subject: Subject) -> dict[str, Any]:
    """Which samples go over the link, which one is benched (that of `hilgate run`), which are counted besides."""
    count = len(subject.x)
    return {
        "vectors": choose(count, max(LEAST_VECTORS, LINK_BYTES // subject.x.shape[1]), subject.dataset_hash),
        "bench": choose(count, 1, subject.dataset_hash)[0],
        "spot": choose(count, SPOTS, subject.hashes.image.hex()),
        "warmup": order.settings.warmup,
        "runs": order.settings.runs,
    }


def _declare(sizes: dict[str, Any], one: dict[str, int], other: dict[str, int], doubts: Doubts) -> dict[str, int]:
    """Add memory that was used in secret to the sizes; gives the changed entries of ram."""
    flash, ram = (max(int(one[kind]), int(other[kind])) for kind in ("flash", "ram"))
    for kind, part, count in (("flash", "runtime_bytes", flash), ("ram", "static_bytes", ram)):
        if count:
            doubts.add(f"{kind} used beyond what the ELF declares", 0, count)
            sizes[kind][part] += count
            sizes[kind]["total_bytes"] += count
    return {name: sizes["ram"][name] for name in ("static_bytes", "total_bytes")}


def compare(document: dict[str, Any], said: dict[str, Any], doubts: Doubts) -> None:
    """Tell which of the judged numbers a claim stated otherwise."""
    paths = (("accuracy", "value"), ("flash", "total_bytes"), ("ram", "total_bytes"), ("latency", "median_us"))
    for table, name in paths:
        mine, theirs = (side[table][name] if side[table] else None for side in (document, said))
        if mine != theirs:
            doubts.add(f"{table}.{name}", theirs, mine)
    if said["hashes"]["dataset"] != document["hashes"]["dataset"]:
        doubts.add("test set", said["hashes"]["dataset"][:12], document["hashes"]["dataset"][:12])
