"""Images that keep every rule and do not work: they refuse their cell in seconds, with words that say what they did."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hilgate.arrays import read_npz
from hilgate.artifacts import artifact
from hilgate.build.build import build_image
from hilgate.build.image import fill_hash_slot, segments
from hilgate.catalogue import load_board
from hilgate.ci.claims.elf_rules import check_elf
from hilgate.ci.claims.interface import check_interface, orders_of, quantized
from hilgate.ci.images import counted, sandbox
from hilgate.ci.images.calls import DirectModel
from hilgate.ci.images.elf_stack import worst_stack_of
from hilgate.ci.images.recount import Order, count_sizes, recount
from hilgate.ci.images.testset import load_test_set
from hilgate.errors import ClaimError
from hilgate.params import load_params
from hilgate.run.settings import settings_of
from hilgate.virtual.elf import load_image

pytestmark = pytest.mark.arm
CELL = "digits_nucleo_f446re"
LOOP, UNDEFINED, RETURN = b"\xfe\xe7", b"\x00\xde", b"\x70\x47"  # b . ; udf #0 ; bx lr


def patch(elf, symbol, code):
    """Other code at the start of a function, in an image that is whole again."""
    address = load_image(elf).symbols[symbol] & ~1
    home = next(one for one in segments(elf) if one.load <= address < one.load + one.file_bytes)
    data = bytearray(elf.read_bytes())
    at = home.offset + address - home.load
    data[at : at + len(code)] = code
    elf.write_bytes(data)
    fill_hash_slot(elf)


@pytest.fixture
def order(repository, claim):
    """The honest claim, to be judged in a tree whose watchdog bites after 20 ms, so that a hang is short."""
    board = repository.root / "firmware/boards/nucleo_f446re/board.toml"
    board.write_text(re.sub(r"timeout_ms = \d+", "timeout_ms = 20", board.read_text()))
    settings = settings_of("digits", load_params(repository.root))
    return Order(CELL, "digits", "nucleo_f446re", claim, repository.root, settings)


@pytest.fixture
def tests(order):
    whole = load_test_set("digits", load_params(order.root), order.root)
    return replace(whole, real=whole.real[:20], labels=whole.labels[:20])


@pytest.mark.parametrize(
    ("symbol", "code", "why"),
    [
        ("reset_handler", LOOP, "nothing answers"),
        ("model_run", LOOP, "longer than the watchdog lets it"),
        ("model_run", UNDEFINED, "ends by undefined instruction at .*model_run"),
    ],
)
def test_an_image_that_does_not_work_refuses_its_cell(order, tests, symbol, code, why):
    patch(order.file("firmware.elf"), symbol, code)
    with pytest.raises(ClaimError, match=why):
        recount(order, tests)


def test_sizes_and_stack_come_from_the_image_alone(order, product):
    """The build room knows GCC's own figures and the map; the image alone gives the same bytes."""
    elf = artifact(product.root, "build.elf", CELL)
    built = json.loads(artifact(product.root, "build.sizes", CELL).read_text())
    assert worst_stack_of(elf).bytes == built["ram"]["stack_worst_bytes"]
    ours = count_sizes(order)
    assert {key: ours[key] for key in ours} == {key: built[key] for key in ours}


def test_kernels_that_run_from_ram_are_counted_too(product, tmp_path):
    """Calls go through veneers of the linker then, whose jump targets are no pointers that code takes."""
    board = load_board("nucleo_f446re", product.root)
    layout = {**board.tables["layout"], "hot_code": "sram"}
    moved = replace(board, tables={**board.tables, "layout": layout})
    model = artifact(product.root, "compile.folder", "digits")
    built = build_image(moved, model, tmp_path / "build", firmware=product.root / "firmware")
    check_elf(built.elf, board)
    assert worst_stack_of(built.elf).bytes == built.sizes["ram"]["stack_worst_bytes"]


@pytest.mark.parametrize(("field", "value"), [(4, 1), (14, 200), (14, 0xFF00), (0, 0xFFFF_FFFF)])
def test_symbols_that_lie_refuse_the_cell_at_most(order, field, value):
    """Address, section or name of every tenth symbol of a size: each made a reader fail in another way."""
    elf = order.file("firmware.elf")
    data = bytearray(elf.read_bytes())
    table, count = struct.unpack_from("<I", data, 32)[0], struct.unpack_from("<H", data, 48)[0]
    rows = [struct.unpack_from("<10I", data, table + 40 * index) for index in range(count)]
    offset, size = next((row[4], row[5]) for row in rows if row[1] == 2)
    sized = [at for at in range(offset, offset + size, 16) if data[at + 12] & 15 in (1, 2)]
    for at in sized[::10]:
        struct.pack_into("<I" if field < 14 else "<H", data, at + field, value)
    elf.write_bytes(data)
    try:
        count_sizes(order)
    except ClaimError as error:
        assert error.what


def test_a_stranger_gets_no_secret_and_no_more_than_its_time(order, tests, monkeypatch, tmp_path):
    environments = []

    def start(command, **options):
        environments.append(options["env"])
        return real(["sleep", "60"], **options)

    real = subprocess.Popen
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(sandbox.subprocess, "Popen", start)
    monkeypatch.setattr(sandbox, "LONGEST_CELL_S", 0.2)
    with pytest.raises(ClaimError, match=r"ran for more than 0\.2 s"):
        recount(order, tests)
    assert environments and not [name for one in environments for name in one if "TOKEN" in name or "SECRET" in name]


@pytest.mark.parametrize("name", [".arena", ".weights", ".kernels"])
def test_sections_with_other_names_refuse_the_cell(order, name):
    elf = order.file("firmware.elf")
    elf.write_bytes(elf.read_bytes().replace(name.encode() + b"\0", b".x" + name[2:].encode() + b"\0"))
    with pytest.raises(ClaimError, match="cannot be read"):
        count_sizes(order)


def branch_with_link(at, target):
    """BL from one address to another: ARM DDI 0403E.e A7.7.18, encoding T1."""
    offset = target - at - 4
    sign, i1, i2 = (offset >> bit & 1 for bit in (24, 23, 22))
    first = 0xF000 | sign << 10 | offset >> 12 & 0x3FF
    second = 0xD000 | (1 ^ i1 ^ sign) << 13 | (1 ^ i2 ^ sign) << 11 | offset >> 1 & 0x7FF
    return first.to_bytes(2, "little") + second.to_bytes(2, "little")


def test_recursion_has_no_bound_and_is_refused(order):
    """The first layer calls the model, which calls the first layer."""
    elf = order.file("firmware.elf")
    symbols = load_image(elf).symbols
    patch(elf, "layer_0", branch_with_link(symbols["layer_0"] & ~1, symbols["model_run"] & ~1))
    with pytest.raises(ClaimError, match="recursion"):
        count_sizes(order)


def test_a_stripped_image_is_refused(tmp_path):
    machine = SimpleNamespace(core=None, image=SimpleNamespace(symbols={}))
    with pytest.raises(ClaimError, match="no symbol model_run"):
        DirectModel(machine, (0, 1), (0, 1))


def test_inputs_are_the_ones_that_the_compiler_made(product):
    """Main's raw images by main's preprocess and the declared scale: to the bit what the change's own jobs sent."""
    tests = load_test_set("digits", load_params(product.root), product.root)
    interface = check_interface(json.loads(artifact(product.root, "compile.model", "digits").read_text()))
    (order,) = orders_of(tests.real.shape[1:], interface)
    theirs = read_npz(artifact(product.root, "compile.vectors", "digits"), ("input",))["input"]
    assert (quantized(tests.real, order, interface.input) == theirs).all()


def test_images_with_channels_go_in_as_the_device_takes_them():
    tensor = SimpleNamespace(shape=(4, 5, 3))
    assert orders_of((3, 4, 5), SimpleNamespace(input=tensor)) == [(1, 2, 0)]
    assert orders_of((4, 5, 3), SimpleNamespace(input=tensor)) == [(0, 1, 2)]
    assert orders_of((60,), SimpleNamespace(input=tensor)) == [(0,)]
    assert orders_of((61,), SimpleNamespace(input=tensor)) == []
    cube = SimpleNamespace(input=SimpleNamespace(shape=(3, 3, 3)))
    assert orders_of((3, 3, 3), cube) == [(1, 2, 0), (0, 1, 2)]


def found(**changed):
    """What a session of an honest board says."""
    session = {
        "cycles": [1030, 1030], "counted": 1000, "spots": [{"cycles": 1000}], "clock_hz": 180_000_000,
        "rows": [{"cycles": 520, "crc32": 1}], "layers": [{"cycles": 500, "crc32": 1}],
    }  # fmt: skip
    return {**session, **changed}


@pytest.mark.parametrize(
    ("changed", "cycles", "told"),
    [
        ({}, [1030, 1030], []),
        ({"cycles": [500, 500]}, [1000, 1000], ["cycles of an inference"]),
        ({"cycles": [1030, 900]}, [1030, 1030], ["cycles of an inference"]),
        ({"cycles": [5000]}, [5000], ["cycles of an inference"]),
        ({"cycles": []}, [1000], ["cycles of an inference"]),
        ({"spots": [{"cycles": 1500}] * 3}, [1500, 1500], ["cycles of an inference, other inputs"]),
        ({"rows": [{"cycles": 5, "crc32": 2}]}, [1030, 1030], ["cycles of layer fc1"]),
        ({"clock_hz": 90_000_000}, [1030, 1030], ["clock in Hz"]),
    ],
)
def test_a_number_is_kept_only_when_the_boards_own_count_agrees(changed, cycles, told):
    subject = SimpleNamespace(layer_names=["fc1"], cell=CELL)
    doubts = counted.Doubts(CELL)
    identity = SimpleNamespace(clock_hz=180_000_000)
    latency = counted._latency(found(**changed), identity, subject, doubts)
    assert latency["cycles"] == cycles
    assert latency["clock_hz"] == changed.get("clock_hz", 180_000_000)
    assert [row["what"] for row in doubts.rows] == told


def test_layers_must_be_those_of_the_model():
    subject = SimpleNamespace(layer_names=["fc1", "fc2"], cell=CELL)
    with pytest.raises(ClaimError, match="has 2 layers, the board reports 1 and runs 1"):
        counted._latency(found(), SimpleNamespace(clock_hz=1), subject, counted.Doubts(CELL))
