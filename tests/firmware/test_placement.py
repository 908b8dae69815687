"""Code and weights in RAM, the arena in CCM: the same outputs on the virtual board, and what it costs there."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from hilgate.build.build import build_image
from hilgate.catalogue import load_board
from hilgate.link.connect import connect

pytestmark = pytest.mark.arm
CCM = (
    '[[memory]]\nname = "ccm"\nkind = "ram"\norigin = 0x1000_0000\nbytes = 0x1_0000\ncan = ["read", "write"]\n\n[clock]'
)
INPUT = bytes([3, 200, 17, 90, 255, 128, 127, 1])


@pytest.fixture(scope="module")
def placed(root, model, tmp_path_factory):
    """(board, lines of [layout]) -> URL of the fixture model so placed, on a virtual board in a folder of its own."""

    def make(name: str, *lines: str) -> str:
        folder = tmp_path_factory.mktemp("placed")
        target = folder / "firmware/boards" / name
        shutil.copytree(root / "firmware/boards" / name, target)
        (folder / "firmware/port").symlink_to(root / "firmware/port")
        (folder / "params.yaml").symlink_to(root / "params.yaml")
        text = (target / "board.toml").read_text("utf-8")
        text = text.replace("[clock]", CCM, 1) if "ccm" in "".join(lines) else text
        text = text.replace("[virtual]", "\n".join([*lines, "", "[virtual]"]))
        (target / "board.toml").write_text(text, "utf-8")
        board = load_board(name, folder)
        image = build_image(board, model.folder, folder / "out", firmware=root / "firmware")
        return f"virtual://{name}?image={image.elf}&root={folder}"

    return make


@pytest.fixture(scope="module")
def urls(placed):
    """The same model on nucleo_f446re, differently placed."""
    return {
        "flash": placed("nucleo_f446re"),
        "code": placed("nucleo_f446re", 'hot_code = "sram"'),
        "weights": placed("nucleo_f446re", 'hot_weights = "sram"'),
        "both": placed("nucleo_f446re", 'hot_code = "sram"', 'hot_weights = "sram"'),
    }


@pytest.mark.parametrize("where", ["flash", "code", "weights", "both"])
def test_outputs_are_equal_to_the_bit(urls, model, where):
    with connect(urls[where]) as session:
        who = session.identity
        assert who.image_ok == 1 and who.weights_hash == hashlib.sha256(model.blob).digest()
        for seed in range(5):
            data = hashlib.sha256(bytes([seed])).digest()[:8]
            assert session.run_vector(data).output == model.run(data)
        session.reset(0)
        assert session.run_vector(INPUT).output == model.run(INPUT), "start-up copies again"


def warm_cycles(url: str) -> int:
    with connect(url) as session:
        session.set_input(INPUT)
        counts = set(session.bench(3, 5))
    assert len(counts) == 1
    return counts.pop()


def first_cycles(url: str) -> int:
    with connect(url) as session:
        return session.run_vector(INPUT).cycles


def test_what_moving_costs_and_saves(urls):
    """The fixture's loops and weights may fit the caches of the flash, so weights count in the first run."""
    cycles = {where: warm_cycles(url) for where, url in urls.items()}
    assert cycles["code"] > cycles["flash"], "two cycles a word over the system bus"
    assert cycles["weights"] <= cycles["flash"] and cycles["both"] <= cycles["code"]
    first = {where: first_cycles(url) for where, url in urls.items()}
    assert first["weights"] < first["flash"] and first["both"] < first["code"], "no wait states for weights"
    native = urls["both"] + "&native=0"
    assert warm_cycles(native) == cycles["both"]


def test_memory_says_what_moved(urls):
    static = {}
    for where in ("flash", "weights"):
        with connect(urls[where]) as session:
            static[where] = session.memory().static_bytes
    assert static["weights"] - static["flash"] == 176


def test_the_arena_in_ccm(placed, model):
    with connect(placed("qemu_stm32f405", 'arena = "ccm"', 'hot_weights = "ccm"')) as session:
        assert session.identity.image_ok == 1
        assert session.run_vector(INPUT).output == model.run(INPUT)


def test_code_in_itcm_at_address_0(placed, model):
    with connect(placed("stm32h747i_disco", 'hot_code = "itcm"', 'hot_weights = "axi_sram"')) as session:
        assert session.identity.image_ok == 1
        assert session.run_vector(INPUT).output == model.run(INPUT)
