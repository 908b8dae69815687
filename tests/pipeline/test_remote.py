"""Push and pull: a folder, and S3 as moto's server speaks it. The command is the documented one."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time

import pytest

DATA = ("train.npz", "validation.npz", "test.npz")


@pytest.fixture
def add_remote(root):
    """The one command of docs/pipeline.md, for another address."""
    line = re.search(r"^dvc remote add .*$", (root / "docs" / "pipeline.md").read_text(), re.MULTILINE).group()
    words = line.split()

    def add(repository, address):
        assert words[-1].startswith("s3://")
        repository.run(*words[:-1], address)
        return words[-2]

    return add


@pytest.fixture
def s3(monkeypatch):
    """moto's S3 server on loopback with one bucket; yields its address."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        import boto3

        address = f"http://127.0.0.1:{port}"
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket="team")
        yield address
    finally:
        server.terminate()
        server.wait(10)


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("moto did not start")


def check_pull(clone, pipeline) -> None:
    """A clone gets the data by `dvc pull` alone, to the byte, and then has nothing to run."""
    for name in DATA:
        wanted = pipeline.folder / "artifacts" / "data" / "waves" / name
        assert (clone.folder / wanted.relative_to(pipeline.folder)).read_bytes() == wanted.read_bytes()
    assert clone.repro() == []


def test_a_folder_as_remote(pipeline, add_remote, tmp_path):
    sender = pipeline.clone(tmp_path / "sender")
    sender.repro()
    add_remote(sender, str(tmp_path / "storage"))
    sender.run("dvc", "push")
    assert len([path for path in (tmp_path / "storage").rglob("*") if path.is_file()]) == len(DATA)
    sender.commit("Add a remote")
    receiver = sender.clone(tmp_path / "receiver")
    receiver.run("dvc", "pull")
    check_pull(receiver, pipeline)
    assert receiver.dirt() == ""


def test_s3_as_remote(pipeline, add_remote, s3, tmp_path):
    sender = pipeline.clone(tmp_path / "sender")
    sender.repro()
    name = add_remote(sender, "s3://team/hilgate")
    sender.run("dvc", "remote", "modify", name, "endpointurl", s3)
    sender.run("dvc", "push")
    import boto3

    stored = boto3.client("s3", endpoint_url=s3).list_objects_v2(Bucket="team")["Contents"]
    assert len(stored) == len(DATA) and all(row["Key"].startswith("hilgate/files/md5/") for row in stored)
    sender.commit("Add a remote")
    receiver = sender.clone(tmp_path / "receiver")
    receiver.run("dvc", "pull")
    check_pull(receiver, pipeline)
