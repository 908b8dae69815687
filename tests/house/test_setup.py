"""scripts/setup on a machine made of fakes: what it installs, when it does nothing, what it says when it may not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

BASICS = "bash cat cp cut dirname env flock grep id mktemp pwd rm sha256sum sed tail tee tr mkdir".split()
COMPLETE = "git gcc arm-none-eabi-gcc cmake ninja qemu-system-arm npm".split()
FOR_TESTS = ["openocd", "chromium"]
PYTHON = """#!/bin/bash
echo "$@" >>"$LOG"
case "$*" in
    *urlopen*) exit "${INDEX_ANSWERS:-0}" ;;
    *version_info*) exit "${PYTHON_IS_OLD:-0}" ;;
    "-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *"pip install"*) echo "Collecting something"; exit "${PIP_FAILS:-0}" ;;
esac
"""
ARM_GCC = "#!/bin/bash\necho /usr/bin/env\n"  # -print-file-name: an existing file


@pytest.fixture
def machine(tmp_path: Path, root: Path):
    """A project folder and a PATH with exactly the named programs; returns a function that runs scripts/setup there."""
    project, programs, log = tmp_path / "project", tmp_path / "bin", tmp_path / "log"
    project.mkdir()
    programs.mkdir()
    shutil.copytree(root / "scripts", project / "scripts")
    for name in ("requirements.lock", "requirements-torch.txt", "pyproject.toml"):
        shutil.copy(root / name, project)
    for name in BASICS:
        (programs / name).symlink_to(shutil.which(name) or "/missing")
    script(programs / "python3", PYTHON)

    def run(*present: str, **env: str) -> subprocess.CompletedProcess[str]:
        for name in COMPLETE + FOR_TESTS:
            (programs / name).unlink(missing_ok=True)
        for name in present:
            script(programs / name, ARM_GCC)
        log.write_text("")
        bare = {"PATH": str(programs), "LOG": str(log), "HOME": str(tmp_path), **env}
        command = [str(programs / "bash"), str(project / "scripts/setup")]
        return subprocess.run(command, env=bare, capture_output=True, text=True, timeout=60)

    run.project, run.programs, run.log = project, programs, log  # type: ignore[attr-defined]
    return run


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def pip_calls(run: Callable[..., object]) -> list[str]:
    return [line for line in run.log.read_text().splitlines() if "pip install" in line]  # type: ignore[attr-defined]


def test_makes_the_environment_once_and_again_when_pins_change(machine) -> None:
    assert machine(*COMPLETE).returncode == 0
    pins, torch, engine = pip_calls(machine)
    assert "--require-hashes -r requirements.lock" in pins
    assert "--index-url https://download.pytorch.org/whl/cpu -r requirements-torch.txt" in torch
    assert engine.endswith("--no-deps --no-build-isolation -e .")

    again = machine(*COMPLETE)
    assert again.returncode == 0 and not again.stderr and not pip_calls(machine)

    with (machine.project / "requirements.lock").open("a") as file:
        file.write("# changed\n")
    machine(*COMPLETE)
    assert len(pip_calls(machine)) == 3


def test_without_the_cpu_index_torch_comes_from_pips_own_sources(machine) -> None:
    done = machine(*COMPLETE, INDEX_ANSWERS="1")
    assert done.returncode == 0
    assert pip_calls(machine)[1].endswith("pip install -r requirements-torch.txt")
    assert "index does not answer" in done.stderr


def test_failing_pip_is_one_message_and_is_tried_again(machine) -> None:
    done = machine(*COMPLETE, PIP_FAILS="1")
    assert done.returncode == 8
    assert "pip could not install everything" in done.stderr and "the whole output: .venv/setup.log" in done.stderr
    assert machine(*COMPLETE).returncode == 0
    assert len(pip_calls(machine)) == 3


def test_says_exactly_what_to_install_where_apt_is_not_allowed(machine) -> None:
    done = machine("git", "gcc", HILGATE_NO_APT="1")
    assert done.returncode == 8
    line = done.stderr.strip().splitlines()[-1]
    assert "sudo apt-get install --no-install-recommends" in line
    assert "gcc-arm-none-eabi libnewlib-arm-none-eabi cmake ninja-build qemu-system-arm npm" in line
    assert "openocd" not in line
    assert not pip_calls(machine)


def test_installs_missing_packages_through_sudo_or_as_root(machine) -> None:
    script(machine.programs / "apt-get", '#!/bin/bash\necho "apt-get $*" >>"$LOG"\n')
    script(machine.programs / "sudo", '#!/bin/bash\n[ "$1" = -n ] && exit 0\necho sudo >>"$LOG"\nexec "$@"\n')
    done = machine(*[name for name in COMPLETE if name not in ("ninja", "npm")])
    assert done.returncode == 0, done.stderr
    log = machine.log.read_text()
    assert "apt-get install -q -y --no-install-recommends ninja-build npm" in log
    assert ("sudo" in log) == (os.getuid() != 0)


@pytest.mark.parametrize("browser_fails", [False, True])
def test_tests_want_openocd_and_where_it_can_be_had_a_browser(machine, browser_fails) -> None:
    fail = "[[ $* == *chromium* ]] && exit 100\n" if browser_fails else ""
    script(machine.programs / "apt-get", f'#!/bin/bash\necho "apt-get $*" >>"$LOG"\n{fail}exit 0\n')
    script(machine.programs / "sudo", '#!/bin/bash\n[ "$1" = -n ] && exit 0\nexec "$@"\n')
    done = machine(*COMPLETE, HILGATE_SETUP="tests")
    assert done.returncode == 0, done.stderr
    log = machine.log.read_text()
    assert "--no-install-recommends openocd" in log
    is_debian = "ID=debian" in Path("/etc/os-release").read_text().splitlines()
    assert ("--no-install-recommends chromium" in log) == is_debian
    assert ("tests that look at pages will be skipped" in done.stderr) == (is_debian and browser_fails)
    again = machine(*COMPLETE, *FOR_TESTS, HILGATE_SETUP="tests")
    assert again.returncode == 0 and "apt-get" not in machine.log.read_text()


def test_failing_apt_names_the_command_to_try(machine) -> None:
    script(machine.programs / "apt-get", "#!/bin/bash\necho 'E: no such package'\nexit 100\n")
    script(machine.programs / "sudo", '#!/bin/bash\n[ "$1" = -n ] && exit 0\nexec "$@"\n')
    done = machine("git", "gcc")
    assert done.returncode == 8
    assert "apt-get could not install everything: E: no such package" in done.stderr
    assert "sudo apt-get install --no-install-recommends gcc-arm-none-eabi" in done.stderr


def test_old_python_is_refused(machine) -> None:
    done = machine(*COMPLETE, PYTHON_IS_OLD="1")
    assert done.returncode == 8
    assert "no Python 3.11 or later" in done.stderr
