"""From orders to a verdict on measured numbers. The bench is a double behind the one interface, or a desk that flashes
a virtual board: no silicon was here, so this shows the order of things and not what a board measures.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from hilgate.artifacts import read_json, write_json
from hilgate.bench import desk as desk_module
from hilgate.bench.desk import Desk
from hilgate.bench.probes import Probe
from hilgate.bench.seam import Reading, Request
from hilgate.catalogue import load_board
from hilgate.ci.benches import hardware, reading
from hilgate.ci.benches.orders import prepare, read_orders
from hilgate.ci.benches.turns import in_turns, measure
from hilgate.ci.claims.claim import read_claim, write_claim
from hilgate.errors import ClaimError, DeviceError, ProbeError, StaleImageError, UsageError
from hilgate.hashing import image_hashes

pytestmark = pytest.mark.arm
CELL, BOARD = "digits_nucleo_f446re", "nucleo_f446re"
PROBE = Probe("0668FF", "ST-LINK/V2-1", "")


@pytest.fixture(scope="module")
def orders(product, tmp_path_factory):
    """Orders of main's own pack on both sides, made once."""
    out = tmp_path_factory.mktemp("orders")
    assert prepare(product.root, product.base, out, product.base) == [CELL]
    return out


class Double:
    """A bench that answers what an order is due; the head's cycles may be others. flashed: the images, in turn."""

    def __init__(self, order, slower=1.0, **changed):
        self.order, self.slower, self.changed, self.flashed = order, slower, changed, []

    def measure(self, request: Request) -> Reading:
        side = request.image.parent.name
        self.flashed.append(side)
        cycles = int(100_000 * (self.slower if side == "head" else 1.0)) + len(self.flashed) % 3
        layers = read_json(self.order.file(side, "measurement.json"), "measurement")["latency"]["layers"]
        return Reading(
            **{
                "image": image_hashes(request.image).image.hex(),
                "uid": "11" * 12,
                "probe": PROBE.serial,
                "clock_hz": 180_000_000,
                "clock_source": "hse_bypass_pll",
                "counter": "dwt",
                "outputs": self.order.pieces(side, "outputs.bin"),
                "cycles": (cycles,) * request.runs,
                "layers": tuple((cycles // len(layers), 0) for _ in layers),
                "arena_bytes": 0,
                "stack_seen_bytes": 400,
                "clock_ratio": 1.0,
                **self.changed,
            }
        )


def test_an_order_holds_checked_images_inputs_and_due_outputs(product, orders):
    (order,) = read_orders(orders)
    assert (order.cell, order.board, order.pairs, order.vectors, set(order.sides)) == (
        CELL,
        BOARD,
        20,
        24,
        {"head", "base"},
    )
    assert len(order.pieces("head", "inputs.bin")) == 24
    assert {len(piece) for piece in order.pieces("head", "outputs.bin")} == {10}
    names = {path.name for path in orders.rglob("*") if path.is_file()}
    assert names == {"order.json", "firmware.elf", "inputs.bin", "outputs.bin", "measurement.json"}, (
        "no code goes along"
    )


def test_only_what_was_recomputed_is_ordered(product, orders, tmp_path):
    out = tmp_path / "judged"
    out.mkdir()
    base = {"repository": "o/r", "pull_request": 7, "head_sha": "a" * 40, "base_ref": "main", "base_sha": "b" * 40}
    rest = {"run_url": "", "author": "", "fork": False, "event": "pull_request", "missing": [], "hardware": []}
    nobody = {"state": "none", "by": "", "sha": ""}
    cells = [{"cell": CELL, "state": "unchanged", "error": ""}]
    write_json(out / "context.json", "context", {**base, **rest, "approval": nobody, "cells": cells})
    assert prepare(product.root, product.base, out, product.base) == []


def test_a_refused_claim_orders_nothing(product, claim, tmp_path):
    (claim / "cells" / CELL / "firmware.elf").write_bytes(b"\x7fELF")
    assert prepare(product.root, claim, tmp_path / "out") == []
    assert prepare(product.root, tmp_path / "nowhere", tmp_path / "out") == []


def test_base_and_head_take_turns_with_a_load_each(orders):
    (order,) = read_orders(orders)
    bench = Double(order)
    documents = in_turns(order, bench)
    assert all({*pair} == {"base", "head"} for pair in zip(bench.flashed[::2], bench.flashed[1::2], strict=True))
    assert len(bench.flashed) == 40 and 5 <= bench.flashed[::2].count("head") <= 15, "who comes first is drawn"
    head, base = documents["head"], documents["base"]
    assert head["source"] == head["evidence"] == "measured"
    assert head["latency"]["session"] == base["latency"]["session"]
    positions = [load["position"] for side in (head, base) for load in side["latency"]["loads"]]
    assert sorted(positions) == list(range(40))
    assert head["environment"]["uid"] == "11" * 12 and "cost_model" not in head["environment"]
    assert head["parity"] == {"vectors": 24, "mismatches": 0, "first_layer": None}


def test_without_a_base_the_head_is_loaded_alone(orders):
    (order,) = read_orders(orders)
    bench = Double(order)
    documents = in_turns(replace(order, sides={"head": order.sides["head"]}, pairs=3), bench)
    assert bench.flashed == ["head"] * 3 and set(documents) == {"head"}


def test_other_outputs_are_counted(orders):
    (order,) = read_orders(orders)
    wrong = (bytes(10), *order.pieces("head", "outputs.bin")[1:])
    assert in_turns(replace(order, pairs=1), Double(order, outputs=wrong))["head"]["parity"]["mismatches"] == 1


def test_two_boards_on_one_runner_are_noticed(orders):
    (order,) = read_orders(orders)

    class Mixed(Double):
        def measure(self, request):
            found = super().measure(request)
            return replace(found, uid=f"{len(self.flashed):024x}")

    with pytest.raises(DeviceError, match="different chips"):
        in_turns(replace(order, pairs=1), Mixed(order))


def test_a_bench_that_fails_leaves_its_reason(orders, tmp_path):
    class Broken:
        def measure(self, request):
            raise ProbeError("no debug probe is attached\x1b[2J", where="USB")

    assert measure(orders, BOARD, tmp_path, Broken()) == [CELL]
    assert (tmp_path / BOARD / CELL / "error.txt").read_text() == "USB: no debug probe is attached?[2J\n"
    with pytest.raises(UsageError, match="no order for a board"):
        measure(orders, "nucleo_l4r5zi", tmp_path, Broken())


def test_an_order_whose_image_was_exchanged_is_refused(orders, tmp_path):
    folder = shutil.copytree(orders, tmp_path / "orders")
    (folder / "orders" / CELL / "head/firmware.elf").write_bytes(b"other")
    with pytest.raises(ClaimError, match="not the one of the order"):
        read_orders(folder)


class PowerSwitch:
    """In place of OpenOCD: remembers what was flashed, and that nothing else was."""

    def __init__(self):
        self.jobs = []

    def flash(self, job):
        self.jobs.append(job)


@pytest.fixture
def desk(product, monkeypatch, orders):
    """A desk whose board is the virtual one; it is no silicon and has no quartz, so these checks are left out."""
    switch = PowerSwitch()
    monkeypatch.setattr(desk_module, "flasher_of", lambda board: switch)
    monkeypatch.setattr(desk_module, "attached_probes", lambda: [PROBE])
    monkeypatch.setattr(reading, "check_clock", lambda session, cycles: 1.0)
    monkeypatch.setattr(reading, "check_real", lambda session: None)

    def make(image):
        url = f"virtual://{BOARD}?image={quote(str(image))}&root={quote(str(product.root))}"
        return Desk(product.root, reading.read, port=url), switch

    return make


def test_a_desk_flashes_reaches_and_reads_a_board(orders, desk):
    (order,) = read_orders(orders)
    image = order.file("head", "firmware.elf")
    bench, switch = desk(image)
    found = bench.measure(Request(image, BOARD, order.pieces("head", "inputs.bin")[:3], 1, 4))
    assert [job.image for job in switch.jobs] == [image] and switch.jobs[0].probe is PROBE
    assert found.outputs == order.pieces("head", "outputs.bin")[:3]
    predicted = read_json(order.file("head", "measurement.json"), "measurement")
    assert sorted(found.cycles)[0] == sorted(predicted["latency"]["cycles"])[0]
    assert len(found.layers) == len(predicted["latency"]["layers"]) and found.uid != "00" * 12


def test_a_board_that_runs_something_else_is_not_measured(orders, desk, liar):
    (order,) = read_orders(orders)
    other = liar / "artifacts/build" / CELL / "firmware.elf"
    bench, _ = desk(other)  # the port leads to a board with another image than the one just flashed
    with pytest.raises(StaleImageError, match="does this port belong to the probe"):
        bench.measure(Request(order.file("head", "firmware.elf"), BOARD, (bytes(784),), 1, 1))


def test_a_probe_without_a_port_says_what_to_do(product, orders, desk):
    (order,) = read_orders(orders)
    image = order.file("head", "firmware.elf")
    bench = replace(desk(image)[0], port=None)
    with pytest.raises(ProbeError, match="no serial port"):
        bench.measure(Request(image, BOARD, (bytes(784),), 1, 1))


@pytest.fixture(scope="module")
def change(product, tmp_path_factory):
    """A change that touches the cell and gives the same image, judged, with orders, and a board that is to measure."""
    scratch = tmp_path_factory.mktemp("change")
    repository = replace(product, root=Path(shutil.copytree(product.root, scratch / "product", symlinks=True)))
    repository.git("checkout", "--quiet", "-b", "change")
    path = repository.root / "firmware/src/main.c"
    path.write_text(path.read_text() + "/* a remark */\n")
    repository.commit()
    folder = scratch / "judged"
    claim = repository.pack(scratch / "claim")
    repository.judge(claim, folder)
    assert prepare(repository.root, claim, folder, repository.base) == [CELL]
    context = {k: v for k, v in read_json(folder / "context.json", "context").items() if k not in ("schema", "version")}
    row = {"board": BOARD, "state": "waiting", "reason": "the bench measures it"}
    write_json(folder / "context.json", "context", {**context, "hardware": [row]})
    return repository, folder


@pytest.fixture
def judged(change, tmp_path):
    return Path(shutil.copytree(change[1], tmp_path / "judged"))


def again(change, folder, measured, bench="success"):
    out = folder.with_name("final")
    verdict = hardware.judge(change[0].root, folder, measured, out, bench)
    return verdict, read_json(out / "context.json", "context")["hardware"][0]


def test_measured_numbers_take_the_place_of_predicted_ones(change, judged, tmp_path):
    (order,) = read_orders(judged)
    measure(judged, BOARD, tmp_path / "measured", Double(order))
    verdict, row = again(change, judged, tmp_path / "measured")
    assert (row["state"], row["reason"]) == ("measured", "1 cells measured")
    (cell,) = verdict["cells"]
    before = read_json(judged / "verdict.json", "verdict")["cells"][0]
    latency = {axis["metric"]: axis for axis in cell["axes"]}["latency_us"]
    assert latency["value"] == pytest.approx(100_000 / 180, rel=1e-4)
    assert latency["value"] != {axis["metric"]: axis for axis in before["axes"]}["latency_us"]["value"]
    others = [axis for axis in cell["axes"] if axis["metric"] != "latency_us"]
    assert [axis["value"] for axis in others] == [a["value"] for a in before["axes"] if a["metric"] != "latency_us"]


def test_a_slower_head_on_a_bench_that_nobody_calibrated_is_never_a_pass(change, judged, tmp_path):
    (order,) = read_orders(judged)
    measure(judged, BOARD, tmp_path / "measured", Double(order, slower=1.10))
    verdict, _ = again(change, judged, tmp_path / "measured")
    assert verdict["outcome"] in ("fail", "inconclusive")


@pytest.mark.parametrize("what", ["error", "nothing", "another image", "a prediction", "garbage"])
def test_a_bench_that_did_not_measure_is_offline_and_never_the_authors_fault(change, judged, tmp_path, what):
    place = tmp_path / "measured" / BOARD / CELL
    (order,) = read_orders(judged)
    if what != "nothing":
        measure(judged, BOARD, tmp_path / "measured", Double(order))
    if what == "error":
        (place / "error.txt").write_text("USB: no debug probe is attached\n")
    document = read_json(place / "head.json", "measurement") if place.exists() else {}
    if what == "another image":
        document["hashes"]["firmware"] = "c" * 64
        (place / "head.json").write_text(json.dumps(document))
    if what == "a prediction":
        shutil.copy(order.file("head", "measurement.json"), place / "head.json")
    if what == "garbage":
        (place / "head.json").write_text("[" * 10_000)
    verdict, row = again(change, judged, tmp_path / "measured")
    assert row["state"] == "offline" and row["reason"].startswith("the bench did not measure: ")
    assert verdict["cells"] == read_json(judged / "verdict.json", "verdict")["cells"]


def test_a_bench_that_was_never_allowed_still_waits(change, judged, tmp_path):
    _, row = again(change, judged, tmp_path / "none", bench="skipped")
    assert row["state"] == "waiting"


def test_a_board_without_a_probe_gets_no_order(product, claim, tmp_path):
    assert "probe" not in load_board("qemu_stm32f405", product.root).tables
    stated = read_claim(claim)
    write_claim(claim, replace(stated, cells={"x": stated.cells[CELL]}))
    assert prepare(product.root, claim, tmp_path / "out") == []
