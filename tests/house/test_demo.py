"""scripts/demo on fakes of dvc and hilgate: what it runs where, what it leaves, how it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hilgate import tools

FAKES = {
    "dvc": 'echo "dvc $* in $PWD" >>"$LOG"; touch made_by_dvc; exit "${DVC:-0}"',
    "hilgate": 'echo "hilgate $* in $PWD" >>"$LOG"\n'
    'case $1 in gate) echo "the table"; exit "${GATE:-0}" ;; report) echo artifacts/report/report.md ;; esac',
}
COMMITTED = """
cells:
  digits_a: { task: digits, board: a }
  large_b: { task: large, board: b }
"""


@pytest.fixture
def clone(root: Path, tmp_path: Path) -> Path:
    project = tmp_path / "clone"
    (project / "scripts").mkdir(parents=True)
    (project / ".venv/bin").mkdir(parents=True)
    for name in ("lib.sh", "demo"):
        (project / "scripts" / name).write_bytes((root / "scripts" / name).read_bytes())
    (project / "scripts/setup").write_text("#!/bin/bash\n")
    for name in ("demo", "setup"):
        (project / "scripts" / name).chmod(0o755)
    (project / ".gitignore").write_text("/build/\n/.venv/\n")
    (project / "params.yaml").write_text(COMMITTED)
    (project / ".dvc").mkdir()
    (project / ".dvc/.gitignore").write_text("/config.local\n")
    for name, body in {**FAKES, "python": f'exec {sys.executable} "$@"'}.items():
        (project / ".venv/bin" / name).write_text(f"#!/bin/bash\n{body}\n")
        (project / ".venv/bin" / name).chmod(0o755)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in ("init -q", "add .", "commit -q -m first"):
        subprocess.run(["git", *identity, *command.split()], cwd=project, check=True)
    return project


def demo(clone: Path, **env: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    log = clone.parent / "log"
    log.write_text("")
    command = [str(clone / "scripts/demo")]
    full = {**os.environ, "LOG": str(log), **env}
    return subprocess.run(command, env=full, capture_output=True, text=True, timeout=60), log.read_text().splitlines()


def status(clone: Path) -> str:
    command = ["git", "status", "--porcelain", "--ignored"]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True).stdout


def test_whole_arrow_runs_in_a_scratch_copy_and_the_clone_stays_clean(clone: Path) -> None:
    done, log = demo(clone)
    assert done.returncode == 0, done.stderr
    scratch = clone / "build/demo"
    expected = [
        "dvc repro --force run@digits_a",
        "dvc repro run@digits_a",
        "hilgate gate --base HEAD digits_a",
        "hilgate report",
    ]
    assert log == [f"{line} in {scratch}" for line in expected]
    assert "the table" in done.stdout and "build/demo/artifacts/report/report.md" in done.stdout
    assert re.search(r"wall time \d+ min \d+ s", done.stderr)
    assert status(clone) == "!! .venv/\n!! build/\n"
    assert (scratch / "made_by_dvc").is_file()


def test_second_demo_starts_from_a_fresh_copy(clone: Path) -> None:
    demo(clone)
    (clone / "build/demo/params.yaml").write_text("changed by hand\n")
    assert demo(clone)[0].returncode == 0
    assert (clone / "build/demo/params.yaml").read_text() == COMMITTED


def test_uncommitted_changes_are_named_and_left_alone(clone: Path) -> None:
    (clone / "params.yaml").write_text("not committed\n")
    done, _ = demo(clone)
    assert "not part of the demo" in done.stderr
    assert (clone / "params.yaml").read_text() == "not committed\n"
    assert (clone / "build/demo/params.yaml").read_text() == COMMITTED


@pytest.mark.parametrize("gate", ["10", "11", "12", "9"])
def test_verdict_is_the_exit_code(clone: Path, gate: str) -> None:
    done, log = demo(clone, GATE=gate)
    assert done.returncode == int(gate)
    assert any("hilgate report" in line for line in log), "the report is written whatever the verdict"


@pytest.mark.parametrize(
    ("compiler", "gate", "is_explained"),
    [("14.2.1 20241119", "11", True), ("14.2.1 20241119", "10", False), (tools.PINNED_ARM_GCC, "11", False)],
)
def test_inconclusive_because_of_another_compiler_is_explained(clone: Path, compiler, gate, is_explained) -> None:
    fake = clone / ".venv/bin/arm-none-eabi-gcc"
    fake.write_text(f"#!/bin/bash\necho 'arm-none-eabi-gcc (Debian) {compiler}'\n")
    fake.chmod(0o755)
    done, _ = demo(clone, GATE=gate)
    assert done.returncode == int(gate)
    assert ("scripts/in_container make demo" in done.stderr) == is_explained


def test_another_task_can_be_named_and_must_exist(clone: Path) -> None:
    assert demo(clone, TASK="large")[1][0].startswith("dvc repro --force run@large_b in")
    done, log = demo(clone, TASK="nonsense")
    assert done.returncode == 3 and "no cell of the task nonsense" in done.stderr
    assert not log


def test_failing_stage_ends_the_demo_with_its_code(clone: Path) -> None:
    done, log = demo(clone, DVC="3")
    assert done.returncode == 3
    assert len(log) == 1


def test_two_at_once_are_refused_and_what_a_stage_leaves_running_does_not_count(clone: Path) -> None:
    inner = f'{clone}/scripts/demo; echo "the second: $?" >>"$LOG"; sleep 5 >/dev/null 2>&1 &'
    (clone / ".venv/bin/dvc").write_text(f"#!/bin/bash\n[ ! -e {clone}/once ] || exit 0\n: >{clone}/once\n{inner}\n")
    done, log = demo(clone)
    assert done.returncode == 0 and log[0] == "the second: 2"
    assert "another demo runs in this clone" in done.stderr
    assert demo(clone)[0].returncode == 0


def test_ctrl_c_ends_it_with_130_and_one_line(clone: Path) -> None:
    """A stage that catches Ctrl-C and ends in its own way must not look like a failure of its own."""
    (clone / ".venv/bin/dvc").write_text("#!/bin/bash\ntrap 'exit 1' INT\nkill -INT 0\nsleep 20\n")
    command = ["bash", "-c", 'trap "" INT; setsid --wait env --default-signal=INT "$0"', str(clone / "scripts/demo")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "hilgate: stopped; the demo begins anew when it is called again"


def test_without_git_it_says_so(clone: Path) -> None:
    subprocess.run(["rm", "-rf", str(clone / ".git")], check=True)
    done, _ = demo(clone)
    assert done.returncode == 2 and "needs a git clone" in done.stderr
