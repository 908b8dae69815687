"""README's commands, run one after another in a copy of this project, as a reader would who begins with the template.

A command stands in RUN, with what README promises of it, or in NOT_HERE, with the test that does it instead.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hilgate.gate.verdict import EXIT_CODES

README = Path(__file__).resolve().parents[2] / "README.md"
CELL = "vibration_nucleo_f446re"
MADE = (README.parent / "src/tasks/vibration", README.parent / "firmware/boards/my_board")
IN_A_SENTENCE = "hilgate gate --approved-by me"
LONGEST_S = 900  # only against a command that never ends, however busy the machine is


@dataclass(frozen=True)
class Outcome:
    """What a command says (a pattern) and makes, and its exit code. only: what this test adds to its line."""

    says: str = ""
    makes: tuple[str, ...] = ()
    code: int = 0
    only: str = ""


RUN = {
    ". .venv/bin/activate": Outcome(),
    "hilgate doctor": Outcome(says=r"ok +arm-none-eabi-gcc"),
    "hilgate new task vibration": Outcome(
        makes=tuple(f"src/tasks/vibration/{n}.py" for n in ("data", "network", "metric"))
    ),
    # The other cells would download their data and train, because DVC's cache is not in git.
    "dvc repro --keep-going": Outcome(
        only=f"run@{CELL}",
        says=rf"(?s)data@vibration.*train@vibration.*compile@vibration.*build@{CELL}.*run@{CELL}",
        makes=(f"artifacts/build/{CELL}/firmware.elf", f"artifacts/run/{CELL}/measurement.json"),
    ),
    "hilgate gate": Outcome(code=12, says=rf"(?s)WAITING.*{CELL}"),
    "hilgate report": Outcome(
        says=rf"artifacts/run/{CELL}/measurement\.json",
        makes=("artifacts/report/report.md", "artifacts/report/report.html"),
    ),
    "git add params.yaml dvc.lock src artifacts && git commit": Outcome(
        says=rf"create mode 100644 artifacts/run/{CELL}/measurement\.json"
    ),
    IN_A_SENTENCE: Outcome(says=rf"(?s){CELL} +pass.*me approved"),
    "hilgate new board my_board": Outcome(makes=("firmware/boards/my_board/board.toml",)),
    "hilgate gate --base v1.2": Outcome(code=12, says=r"against v1\.2"),
    "hilgate compile model.tflite -o out": Outcome(
        makes=("out/README.md", "out/model.c", "out/example/main.c", "out/example/test_vector.h")
    ),
}

NOT_HERE = {
    "make demo": ("it downloads, and trains for minutes", "tests/house/test_demo.py"),
    "make test": ("this test is a part of it", ".github/workflows/run-ci.yml"),
    "hilgate flash artifacts/build/digits_nucleo_f446re/firmware.elf --board nucleo_f446re": (
        "a board on the desk",
        "tests/bench/test_flash_command.py",
    ),
    "hilgate identify --on /dev/ttyACM0": ("a board on the desk", "tests/run/test_identify.py"),
    "hilgate run digits_nucleo_f446re --on /dev/ttyACM0": ("a board on the desk", "tests/run/test_way_to_the_board.py"),
    "scripts/in_container make test": ("docker", "tests/workflows/test_scripts.py"),
}


def steps() -> Iterator[tuple[str, str]]:
    """(language, content) of README's sh and yaml blocks in order, an sh block line by line and without comments."""
    pattern = rf"^( *)```(sh|yaml)\n(.*?)^ *```|`({IN_A_SENTENCE})`"
    for _, language, content, sentence in re.findall(pattern, README.read_text("utf-8"), re.M | re.S):
        if language == "yaml":
            yield language, textwrap.dedent(content)
            continue
        for line in (content or sentence).splitlines():
            if command := re.split(r"(?:^|\s)#", line)[0].strip():
                yield "sh", command


COMMANDS = [content for language, content in steps() if language == "sh"]


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """This project as it stands, in one commit as GitHub makes one from a template; a branch, and an environment."""
    copy = tmp_path / "project"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.gitconfig").write_text(
        "[user]\nname = t\nemail = t@example.org\n[core]\neditor = sed -i 1iMine\n"
    )
    (copy / ".venv/bin").mkdir(parents=True)
    (copy / ".venv/bin/activate").symlink_to(Path(sys.prefix) / "bin/activate")
    for command in (
        "git init -q -b main",
        "git add .",
        "git commit -q -m Template",
        "git tag v1.2",
        "git switch -q -c mine",
    ):
        done = shell(copy, [command])
        assert done.returncode == 0, done.stdout
    shutil.copy(root / "tests/compile/fuzz/seeds/convolutions.tflite", copy / "model.tflite")
    return copy


def shell(project: Path, lines: list[str]) -> subprocess.CompletedProcess[str]:
    """bash in the project, with a home of its own and nothing of this environment before it is activated."""
    outside = [place for place in os.environ["PATH"].split(":") if Path(place) != Path(sys.prefix) / "bin"]
    environment = {
        "PATH": ":".join(outside),
        "HOME": str(project.parent / "home"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(project / "src"),  # the copy's engine: the environment has the one that is tested
        "DVC_SITE_CACHE_DIR": str(project.parent / "home"),
    }
    return subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_S,
    )


def sections(text: str) -> dict[str, str]:
    """The lines below each key of a file like params.yaml."""
    return dict(re.findall(r"^(\w+):.*\n((?: +.*\n)+)", text, re.M))


def add_params(project: Path, lines: str) -> None:
    """Copy lines into the sections of params.yaml, as a person does."""
    path = project / "params.yaml"
    text = path.read_text("utf-8")
    for name, content in sections(lines).items():
        text, places = re.subn(rf"^{name}:.*\n", lambda found, more=content: found[0] + more, text, flags=re.M)
        assert places == 1, f"params.yaml has no section {name}"
    path.write_text(text, "utf-8")


def test_verdicts_have_the_exit_codes_of_the_gate() -> None:
    rows = re.findall(r"^\| (\w+) \| (\d+) \|", README.read_text("utf-8"), re.M)
    assert {name: int(code) for name, code in rows} == {outcome.value: code for outcome, code in EXIT_CODES.items()}


def test_every_command_is_run_or_has_a_reason_not_to_be() -> None:
    assert sorted(COMMANDS) == sorted([*RUN, *NOT_HERE])


@pytest.mark.parametrize("command", NOT_HERE)
def test_what_cannot_run_here_is_done_elsewhere(root: Path, command: str) -> None:
    why, instead = NOT_HERE[command]
    assert why and (root / instead).is_file()


@pytest.mark.arm
@pytest.mark.skipif(any(path.exists() for path in MADE), reason="somebody has followed README here")
def test_every_command_does_what_readme_says(project: Path) -> None:
    entered: list[str] = []  # what changes the reader's shell holds for all that follows
    for language, content in steps():
        if language == "yaml":
            add_params(project, (project / "src/tasks/vibration/params.example.yaml").read_text("utf-8"))
            add_params(project, content)
        elif content in RUN:
            expected = RUN[content]
            done = shell(project, [*entered, f"{content} {expected.only}"])
            said = f"$ {content}\n{done.stdout}=> {done.returncode}"
            assert done.returncode == expected.code, said
            assert re.search(expected.says, done.stdout), said
            assert not [name for name in expected.makes if not (project / name).is_file()], said
            entered += [content] if content.startswith(". ") else []
    left = shell(project, ["git status --porcelain -- params.yaml dvc.lock src artifacts"])
    assert left.stdout == "", "what README commits is not all that changed"
