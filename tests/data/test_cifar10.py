"""CIFAR-10's two forms are the same records; nothing else passes. On a few made-up images."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from hilgate.errors import DataError
from hilgate.task import load_task

N = 10_000  # the package's PNGs have this many rows


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """What the npm package holds, with random pixels: (folder, classes, pixels N x 1024 x 3)."""
    folder = tmp_path_factory.mktemp("package")
    random = np.random.default_rng(3)
    classes, pixels = random.integers(0, 10, N), random.integers(0, 4, (N, 1024, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "data_batch_2.png", compress_level=1)
    (folder / "train_lables.json").write_text(json.dumps([0] * N + classes.tolist()))
    return folder, classes, pixels


@pytest.fixture
def data(root):
    load_task("cifar10", root)
    from tasks.cifar10 import data

    return data


def test_pngs_become_the_original_records(data, package):
    folder, classes, pixels = package
    records = np.frombuffer(data.from_pngs(folder, "data_batch_2.bin"), np.uint8).reshape(N, 3073)
    assert (records[:, 0] == classes).all()
    assert (records[:, 1:1025] == pixels[:, :, 0]).all() and (records[:, 2049:] == pixels[:, :, 2]).all()


def test_records_become_images(data, package, tmp_path):
    folder, classes, pixels = package
    (tmp_path / "test_batch.bin").write_bytes(data.from_pngs(folder, "data_batch_2.bin"))
    split = data.read_records(tmp_path / "test_batch.bin")
    assert (split.y == classes).all() and split.x.shape == (N, 3, 32, 32)
    assert (split.x[5, 1] == pixels[5, :, 1].reshape(32, 32)).all()


def test_a_package_that_holds_something_else(data, package, tmp_path):
    folder = package[0]
    with pytest.raises(DataError, match="not what the package should hold"):
        data.from_pngs(folder, "data_batch_3.bin")
    (tmp_path / "train_lables.json").write_text("[0, 300]")
    (tmp_path / "data_batch_1.png").write_bytes((folder / "data_batch_2.png").read_bytes())
    with pytest.raises(DataError, match="not what the package should hold") as caught:
        data.from_pngs(tmp_path, "data_batch_1.bin")
    assert caught.value.where == "data_batch_1.bin"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "0 bytes are no whole records"), (b"\0" * 3074, "3074 bytes"), (b"\x0a" + b"\0" * 3072, "class 10")],
)
def test_records_that_are_none(data, tmp_path, content, message):
    (tmp_path / "test_batch.bin").write_bytes(content)
    with pytest.raises(DataError, match=message):
        data.read_records(tmp_path / "test_batch.bin")


def test_cifar10_is_split_by_rule(data, tmp_path):
    """The last of the training images validate, in the order of the files; the test set is left as it is."""
    for number, file in enumerate(data.FILES):
        records = np.full((2, 3073), 10 * number, np.uint8) + np.arange(2, dtype=np.uint8)[:, None]
        records[:, 0] = number
        (tmp_path / file.name).write_bytes(records.tobytes())
    splits = data.split(tmp_path, data.Cifar10Data(validation=3))
    seen = {name: [(int(y), int(x[0, 0, 0])) for x, y in zip(s.x, s.y, strict=True)] for name, s in splits.items()}
    assert seen == {
        "train": [(0, 0), (0, 1), (1, 10), (1, 11), (2, 20), (2, 21), (3, 30)],
        "validation": [(3, 31), (4, 40), (4, 41)],
        "test": [(5, 50), (5, 51)],
    }
    for wrong in (0, 10, -1):
        with pytest.raises(DataError, match=f"{wrong} validation images of 10"):
            data.split(tmp_path, data.Cifar10Data(validation=wrong))


def test_the_network_is_mlperf_tinys_resnet8(root):
    """Multiply-accumulates counted from the convolutions and the dense layer that run: MLPerf Tiny says 12,501,632."""
    import torch

    task = load_task("cifar10", root)
    network = task.network(task.train_params(epochs=1, batch=1, learning_rate=0.1, seed=1)).eval()
    macs = []

    def count(module, inputs, output):
        macs.append(output.shape[2:].numel() * module.weight.numel() if output.ndim == 4 else module.weight.numel())

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert sum(macs) == 12_501_632


def test_augmentation_shifts_and_mirrors_whole_images(root):
    import torch

    task = load_task("cifar10", root)
    x = torch.arange(3 * 32 * 32, dtype=torch.float32).reshape(1, 3, 32, 32).repeat(64, 1, 1, 1) + 1
    seen = task.augment(x, torch.Generator().manual_seed(5))
    assert seen.shape == x.shape
    mirrored = 0
    for image in seen:
        row = next(int(v) - 1 for v in image[0, 16] if v > 0) // 32  # the row of the original that is seen at row 16
        steps = {int(b - a) for a, b in zip(image[0, 16, 8:23], image[0, 16, 9:24], strict=True)}
        assert steps in ({1}, {-1}) and abs(row - 16) <= 4
        mirrored += steps == {-1}
        assert torch.equal(image[1][image[1] > 0], image[0][image[0] > 0] + 1024)  # all channels move together
    assert 15 < mirrored < 50
    assert torch.equal(seen, task.augment(x, torch.Generator().manual_seed(5)))
