"""scripts/setup on a machine made of fakes: what it installs, when it does nothing, what it says when it may not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

BASICS = (
    "bash cat cp cut df dirname env flock grep id mkdir mktemp pwd rm sed sha256sum sleep sort tail tee tr wc".split()
)
COMPLETE = "git gcc arm-none-eabi-gcc cmake ninja qemu-system-arm npm".split()
FOR_TESTS = ["openocd", "chromium"]
PYTHON = """#!/bin/bash
echo "$@" >>"$LOG"
case "$*" in
    *urlopen*) exit "${INDEX_ANSWERS:-0}" ;;
    *ensurepip*) exit "${WITHOUT_ENSUREPIP:-0}" ;;
    *version_info*) exit "${PYTHON_IS_OLD:-0}" ;;
    "-m venv"*) [ -z "${VENV_SAYS:-}" ] || { echo "$VENV_SAYS" >&2; exit 1; }
        mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo "#!$PWD/.venv/bin/python" >.venv/bin/pip ;;
    *"pip install"*) eval "${PIP:-}"; exit "${PIP_FAILS:-0}" ;;
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

    def run(*present: str, stdin: int | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        for name in COMPLETE + FOR_TESTS:
            (programs / name).unlink(missing_ok=True)
        for name in present:
            script(programs / name, ARM_GCC)
        log.write_text("")
        bare = {"PATH": str(programs), "LOG": str(log), "HOME": str(tmp_path), **env}
        command = [str(programs / "bash"), str(project / "scripts/setup")]
        return subprocess.run(command, env=bare, stdin=stdin, capture_output=True, text=True, timeout=60)

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
    assert "as root, apt-get update && apt-get install --no-install-recommends" in line
    assert "gcc-arm-none-eabi libnewlib-arm-none-eabi cmake ninja-build qemu-system-arm npm" in line
    assert "openocd" not in line
    assert not pip_calls(machine)


def test_installs_missing_packages_through_sudo_or_as_root(machine) -> None:
    script(machine.programs / "apt-get", '#!/bin/bash\necho "apt-get $*" >>"$LOG"\n')
    script(machine.programs / "sudo", '#!/bin/bash\n[ "$1" = -n ] && exit 0\necho sudo >>"$LOG"\nexec "$@"\n')
    done = machine(*[name for name in COMPLETE if name not in ("ninja", "npm")])
    assert done.returncode == 0, done.stderr
    log = machine.log.read_text()
    assert "apt-get install --no-install-recommends ninja-build npm -q -y" in log
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
    assert "sudo apt-get update && sudo apt-get install --no-install-recommends gcc-arm-none-eabi" in done.stderr


@pytest.mark.parametrize(
    ("env", "packages"),
    [
        ({"PYTHON_IS_OLD": "1"}, "python3.11 python3.11-venv"),
        ({"WITHOUT_ENSUREPIP": "1"}, "python3-venv"),
        ({"WITHOUT_ENSUREPIP": "1", "PYTHON": "python3.12"}, "python3.12-venv"),
    ],
)
def test_what_python_lacks_is_asked_for_by_its_package(machine, env, packages) -> None:
    script(machine.programs / "python3.12", PYTHON)
    done = machine(*COMPLETE, HILGATE_NO_APT="1", **env)
    assert done.returncode == 8
    assert done.stderr.splitlines()[-1].endswith(f" --no-install-recommends {packages}")


def test_without_any_python_debians_own_is_asked_for(machine) -> None:
    (machine.programs / "python3").unlink()
    done = machine(*COMPLETE)
    assert done.returncode == 8 and done.stderr.splitlines()[-1].endswith(" python3 python3-venv")


@pytest.fixture
def person(machine):
    """Not root; sudo wants a password and refuses it; a terminal as stdin."""
    (machine.programs / "id").unlink()
    script(machine.programs / "id", "#!/bin/bash\n[ $1 = -u ] && echo 1000 || echo ann\n")
    script(machine.programs / "sudo", '#!/bin/bash\necho "sudo $*" >>"$LOG"\nexit 1\n')
    script(machine.programs / "apt-get", '#!/bin/bash\necho "apt-get $*" >>"$LOG"\n')
    ours, theirs = os.openpty()
    yield theirs
    os.close(ours)
    os.close(theirs)


def test_a_refused_password_is_asked_for_once_and_nothing_is_begun(machine, person) -> None:
    done = machine("git", "gcc", stdin=person)
    assert done.returncode == 8
    assert "sudo asks for your password, to install gcc-arm-none-eabi" in done.stderr
    assert "sudo apt-get update && sudo apt-get install" in done.stderr.splitlines()[-1]
    log = machine.log.read_text()
    assert log.count("sudo -v") == 1 and "apt-get" not in log
    assert not (machine.project / "build").exists()


def test_nobody_is_asked_for_a_password_without_a_terminal_or_for_a_browser(machine, person) -> None:
    assert machine("git", "gcc", stdin=subprocess.DEVNULL).returncode == 8
    assert "sudo -v" not in machine.log.read_text()
    assert machine(*COMPLETE, "openocd", stdin=person, HILGATE_SETUP="tests").returncode == 0
    assert "sudo -v" not in machine.log.read_text()


def test_apt_is_read_in_english_and_missing_lists_are_named(machine) -> None:
    fail = "[ $1 != update ] || { [[ $* == *Error-Mode=any* ]] && exit 100; }\n"
    script(machine.programs / "apt-get", f'#!/bin/bash\necho "apt-get $1 in $LC_ALL" >>"$LOG"\n{fail}')
    script(machine.programs / "sudo", '#!/bin/bash\n[ "$1" = -n ] && exit 0\nexec "$@"\n')
    done = machine(*COMPLETE[:-1], LC_ALL="de_DE.UTF-8")
    assert done.returncode == 0
    assert "apt-get install in C.UTF-8" in machine.log.read_text()
    assert "package lists could not be renewed (is there a network?)" in done.stderr


def test_progress_counts_to_the_true_number_and_says_when_pip_is_silent(machine) -> None:
    packages = 'for i in {1..80}; do echo "Collecting p$i"; done; echo "Installing collected packages: p1"'
    done = machine(*COMPLETE, PIP=packages)
    lock = (machine.project / "requirements.lock").read_text()
    names = {line.split("=")[0] for line in lock.splitlines() if "==" in line and "win32" not in line}
    assert done.stderr.count(f"   40 of {len(names)} packages\n") == 1
    assert done.stderr.count("   40 packages\n") == 2  # how many torch and hilgate take is not known before
    assert done.stderr.count("80 packages fetched; installing them takes a while") == 3


def test_progress_of_apt_shows_both_halves(machine) -> None:
    says = 'for i in {1..40}; do [[ $* == *--download-only* ]] && echo "Get:$i http" || echo "Unpacking p$i"; done'
    simulate = '[[ $* != *--simulate* ]] || { for i in {1..50}; do echo "Inst p$i"; done; exit; }'
    script(machine.programs / "apt-get", f"#!/bin/bash\n{simulate}\n{says}\n")
    script(machine.programs / "sudo", '#!/bin/bash\n[ "$1" = -n ] && exit 0\nexec "$@"\n')
    done = machine(*COMPLETE[:-1])
    assert done.returncode == 0
    lines = [line.strip() for line in done.stderr.splitlines()]
    assert lines[1:] and lines.count("40 of 50 packages") == 2
    assert "40 packages fetched" in lines and "40 packages installed" in lines


def venvs(run: Callable[..., object]) -> int:
    return run.log.read_text().count("-m venv --clear .venv")  # type: ignore[attr-defined]


def test_an_environment_is_used_again_unless_it_was_left_half_done_or_does_not_run(machine) -> None:
    machine(*COMPLETE)
    with (machine.project / "requirements.lock").open("a") as file:
        file.write("# changed\n")
    machine(*COMPLETE, PIP_FAILS="1")
    assert venvs(machine) == 0, "pins changed, and it was complete"
    machine(*COMPLETE)
    assert venvs(machine) == 1, "nobody knows what the failed run left"
    script(machine.project / ".venv/bin/python", "#!/bin/bash\nexit 1\n")
    assert machine(*COMPLETE).returncode == 0
    assert venvs(machine) == 1, "it did not run any more"
    (machine.project / ".venv/.hilgate-stamp").unlink()
    assert machine(*COMPLETE).returncode == 0
    assert venvs(machine) == 0, "somebody's own"
    (machine.project / ".venv/bin/pip").write_text("#!/where/it/was/.venv/bin/python")
    with (machine.project / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert machine(*COMPLETE).returncode == 0
    assert venvs(machine) == 1, "its scripts name the place from which it was moved"


def test_failing_venv_is_one_message(machine) -> None:
    done = machine(*COMPLETE, VENV_SAYS="Error: Not a directory")
    assert done.returncode == 8
    assert "hilgate: python3 could not make .venv: Error: Not a directory" in done.stderr


def test_an_index_that_does_not_answer_is_named(machine) -> None:
    says = "echo 'WARNING: Retrying (Retry(total=4))'; echo 'ERROR: No matching distribution found'"
    done = machine(*COMPLETE, PIP=says, PIP_FAILS="1")
    assert done.returncode == 8
    assert "ERROR: No matching distribution found" in done.stderr and "is there a network" in done.stderr


def test_a_full_disk_is_found_before_it_is_full(machine) -> None:
    (machine.programs / "df").unlink()
    script(machine.programs / "df", "#!/bin/bash\necho ' Avail'; echo '  812M'\n")
    done = machine(*COMPLETE)
    assert done.returncode == 8 and "812 MB are free" in done.stderr
    assert venvs(machine) == 0


def test_folders_of_another_user_are_named(machine) -> None:
    (machine.project / ".venv").symlink_to("/proc/sys")  # which not even root may write to
    done = machine(*COMPLETE)
    assert done.returncode == 2
    assert "may not write to .venv" in done.stderr and "sudo chown -R" in done.stderr


def test_ctrl_c_ends_it_with_130_and_a_line(machine) -> None:
    """pip catches Ctrl-C and ends with an error of its own, which is not the reason."""
    pip = "trap 'echo ERROR: Operation cancelled; exit 1' INT; for i in {1..40}; do echo Collecting p$i; done; read"
    for name in COMPLETE:
        script(machine.programs / name, ARM_GCC)
    env = {"PATH": str(machine.programs), "LOG": str(machine.log), "HOME": str(machine.project), "PIP": pip}
    command = [str(shutil.which("env")), "--default-signal=INT", "bash", str(machine.project / "scripts/setup")]
    pipes = dict.fromkeys(("stdin", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, env=env, start_new_session=True, text=True, **pipes) as process:
        said = next((line for line in process.stderr if "   40 of" in line), "")  # now pip, tee and the counter all run
        os.killpg(process.pid, signal.SIGINT)
        said += process.stderr.read()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "hilgate: stopped; the same command begins again"
    assert "Operation cancelled" not in said
