"""The ruler's counts: equal to the virtual core's instructions, near its cycles, and only of images that answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgate.compile.ruler import nets
from hilgate.compile.ruler.count import count, noise
from hilgate.compile.ruler.ruler import make_image
from hilgate.errors import BuildError


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ruler")
    return make_image(nets.mobile_net(folder / "mobile.onnx"), folder)[0]


@pytest.mark.arm
def test_counts_agree_with_the_virtual_core(image: Path) -> None:
    from hilgate.virtual.bare import BareMachine

    machine = BareMachine(image)
    machine.call("bm_reset")
    machine.call("bm_init")
    place, size = (int.from_bytes(machine.read(machine.symbol(f"bm_in_{n}"), 4), "little") for n in ("ptr", "len"))
    machine.write(place, noise(size))
    call, counted = machine.call("bm_invoke"), count(image)
    assert counted.instructions == call.instructions
    assert counted.cycles == pytest.approx(call.cycles, rel=0.01)


@pytest.mark.arm
def test_an_image_that_fails_has_no_count(image: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.elf"
    broken.write_bytes(image.read_bytes()[:2000])
    with pytest.raises(BuildError):
        count(broken)
    broken.write_bytes(b"no image")
    with pytest.raises(BuildError, match="no ruler image"):
        count(broken)
