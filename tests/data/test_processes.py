"""Processes that die or meet: whatever moment it is, the next one finds a cache that it can use."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time

from hilgate.data.fetch import fetch

# What a process of its own does: fetch one file of `size` bytes, gzipped, into a cache.
PROCESS = """
import sys
from pathlib import Path
from types import SimpleNamespace
from hilgate.data.fetch import fetch
from hilgate.task import RawFile, Source

url, cache, sha256, size = sys.argv[1:]
TASK = SimpleNamespace(
    name="small", files=(RawFile("raw.bin", sha256, int(size)),), sources=(Source("files", url, suffix=".gz"),)
)
"""


def process(host, cache, content, body="fetch(TASK, Path(cache))") -> subprocess.Popen[str]:
    arguments = [host.url, str(cache), hashlib.sha256(content).hexdigest(), str(len(content))]
    command = [sys.executable, "-c", PROCESS + body, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_process_that_is_killed_leaves_what_the_next_one_goes_on_from(host, content, packed, make_task, tmp_path):
    host.files["raw.bin.gz"], host.holds = packed, [150_000]
    part = tmp_path / "raw.bin.gz.part"
    with process(host, tmp_path, content) as child:
        deadline = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
    assert list(tmp_path.glob(".fetch")) and not (tmp_path / "raw.bin").exists()
    have = part.stat().st_size
    host.go_on.set()
    assert (fetch(make_task(content, host.source(".gz")), tmp_path) / "raw.bin").read_bytes() == content
    assert host.asked[-1] == ("raw.bin.gz", f"bytes={have}-")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "raw.bin"]


def test_two_processes_fetch_once(host, content, packed, tmp_path):
    host.files["raw.bin.gz"], host.holds = packed, [1000]
    with process(host, tmp_path, content) as first:
        assert host.holding.wait(60)
        with process(host, tmp_path, content) as second:
            said = second.stderr.readline()
            host.go_on.set()
            said += second.stderr.read()
    assert "another process fetches into" in said
    assert (first.returncode, second.returncode) == (0, 0)
    assert host.asked == [("raw.bin.gz", None)]
    assert (tmp_path / "raw.bin").read_bytes() == content


KILLED_EVERYWHERE = """
import gzip, os, requests, rich.progress, shutil

EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "fcntl.flock", "os.scandir"}

def die_at(step):
    count = 0
    def hook(event, arguments):
        nonlocal count
        if event in EVENTS and (event == "fcntl.flock" or cache in str(arguments[0])):
            count += 1
            if count == step:
                os._exit(9)
    sys.addaudithook(hook)

def in_a_child(step):
    child = os.fork()
    if child == 0:
        die_at(step)
        fetch(TASK, Path(cache))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

step = 1
while in_a_child(step) == 9:
    assert in_a_child(0) == 0, f"after a death at step {step}"
    names = sorted(os.listdir(cache))
    assert names == [".lock", "raw.bin"], f"after a death at step {step}: {names}"
    shutil.rmtree(cache)
    step += 1
print(step - 1)
"""


def test_death_at_every_step_on_the_disk_leaves_nothing_that_harms(host, packed, content, tmp_path):
    """The process dies, as by kill -9, before its 1st, 2nd, 3rd, ... file operation in the cache."""
    host.files["raw.bin.gz"] = packed
    child = process(host, tmp_path / "cache", content, KILLED_EVERYWHERE)
    said, errors = child.communicate(timeout=120)
    assert child.returncode == 0, errors
    assert int(said) >= 10
