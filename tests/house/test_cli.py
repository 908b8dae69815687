"""The command line: quick help, one clear line for each failure, exit codes, completion."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hilgate import cli, commands
from hilgate.artifacts import atomic_write
from hilgate.errors import GarbageError

HEAVY = set("torch onnx onnxruntime numpy unicorn capstone matplotlib scipy jsonschema dvc rich yaml ruamel".split())

PROBE = """
import sys
from hilgate.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print(sorted(set(sys.modules) & {heavy}), file=sys.stderr)
"""


def hilgate(*arguments: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hilgate.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={**os.environ, **env}, timeout=60)


def heavy_modules(*arguments: str) -> str:
    command = [sys.executable, "-c", PROBE.format(heavy=HEAVY), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_help_lists_every_command_with_its_summary() -> None:
    text = " ".join(hilgate("--help").stdout.split())
    for name in cli.command_names():
        assert cli.summary(name), f"{name} has no docstring"
        assert f"{name} {cli.summary(name)[:25]}" in text


def test_help_imports_nothing_heavy() -> None:
    assert heavy_modules("--help") == "[]"


@pytest.mark.parametrize("name", cli.command_names())
def test_help_of_a_command_imports_nothing_heavy(name: str) -> None:
    assert heavy_modules(name, "--help") == "[]"


def test_help_is_quick(benchmark) -> None:
    assert benchmark(hilgate, "--help").returncode == 0


def test_version() -> None:
    assert re.fullmatch(r"hilgate \d+\.\d+\.\d+\n", hilgate("--version").stdout)


@pytest.mark.parametrize("arguments", [("nonsense",), ("doctor", "--nonsense"), ("new", "task")])
def test_wrong_usage_is_exit_code_2_without_a_traceback(arguments: tuple[str, ...]) -> None:
    done = hilgate(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_completion_of_a_command_name() -> None:
    env = {"_HILGATE_COMPLETE": "complete_bash", "COMP_WORDS": "hilgate doct", "COMP_CWORD": "1"}
    assert hilgate(**env).stdout.split() == ["doctor"]


@pytest.fixture
def fake_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes the body of a command and returns how `hilgate fake` ended: exit code."""

    def run(body: str) -> object:
        source = f'def command() -> None:\n    """Fake."""\n    {body}\n'
        (tmp_path / "fake.py").write_text(source)
        monkeypatch.setattr(commands, "__path__", [str(tmp_path)])
        monkeypatch.delitem(sys.modules, "hilgate.commands.fake", raising=False)
        with pytest.raises(SystemExit) as end:
            cli.main(["fake"])
        return end.value.code

    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("")
    return run


def test_hilgate_error_is_one_line_and_its_exit_code(fake_command, capsys: pytest.CaptureFixture[str]) -> None:
    error = "from hilgate.errors import GarbageError; raise GarbageError('what', where='port', hint='try')"
    assert fake_command(error) == GarbageError.exit_code == 24
    assert capsys.readouterr().err == "hilgate: port: what (try)\n"


def test_defect_is_one_line_and_a_saved_traceback(
    fake_command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fake_command("raise ZeroDivisionError('first\\nsecond')") == 1
    text = capsys.readouterr().err
    saved = list((tmp_path / ".cache/hilgate").glob("crash-*.txt"))
    assert len(saved) == 1
    assert text.count("\n") == 1 and "Traceback" not in text
    assert str(saved[0]) in text and "ZeroDivisionError: first" in text
    assert "Traceback" in saved[0].read_text() and "ZeroDivisionError: first\nsecond" in saved[0].read_text()


def test_ctrl_c_is_130(fake_command, capsys: pytest.CaptureFixture[str]) -> None:
    assert fake_command("raise KeyboardInterrupt") == 130
    assert "Traceback" not in capsys.readouterr().err


def test_ctrl_c_while_a_command_is_imported_is_130(fake_command) -> None:
    assert fake_command("pass\nraise KeyboardInterrupt") == 130


@pytest.mark.parametrize("module", ["hilgate.cli", "typer", "hilgate.commands"])
def test_ctrl_c_while_python_still_imports_is_130_without_a_word(module: str) -> None:
    script = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from hilgate.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (cli.STOPPED, "", "")


def test_the_installed_command_starts_in_the_module_that_imports_nothing() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["scripts"] == {"hilgate": "hilgate.__main__:main"}
    script = "import sys; before = set(sys.modules); import hilgate.__main__; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert set(done.stdout.split()) <= {"hilgate", "hilgate.__main__", "__future__"}


def test_outside_a_project_is_one_line(tmp_path: Path) -> None:
    done = hilgate("data", "digits", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "no params.yaml here" in done.stderr


@pytest.mark.parametrize("module", ["hilgate", "hilgate.cli"])
def test_python_runs_it_as_a_module(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("hilgate ")


@pytest.mark.parametrize(("typed", "meant"), [("compil", "compile"), ("gat", "gate"), ("Doctor", "doctor")])
def test_a_mistyped_command_gets_a_suggestion(typed: str, meant: str) -> None:
    done = hilgate(typed)
    assert done.returncode == 2 and f"Did you mean '{meant}'?" in done.stderr


def test_no_summary_is_cut_in_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for words in ([], ["ci", "hardware"], *([name] for name in cli.command_names())):
        lines = CliRunner().invoke(cli.application(words), [*words, "--help"]).output.splitlines()
        cut = [line for line in lines if line.endswith("...") and not line.startswith("Usage")]
        assert lines and not cut, f"{words}: shorten the first sentence of the docstring"


@pytest.mark.parametrize("name", cli.command_names())
def test_every_argument_and_option_says_what_it_is(name: str) -> None:
    def check(command: Any, words: str) -> None:
        assert command.help, words
        for option in command.params:
            said = getattr(option, "help", None) or ""
            assert said.endswith("."), f"{words} {option.name}: {said!r}"
        for word, inner in getattr(command, "commands", {}).items():
            check(inner, f"{words} {word}")

    check(typer.main.get_command(cli.application([name])).commands[name], name)


def test_a_terminal_without_unicode_gets_question_marks(fake_command, capfd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert fake_command("print('2.4 µs')") == 0
    assert sys.stdout.buffer.getvalue() == b"2.4 ?s\n"


@pytest.mark.parametrize(
    "body", ["print('x' * 100_000)", "print('x')", "from rich.console import Console; Console().print('x')"]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])  # written at the end, or at once
def test_a_reader_that_goes_away_is_141_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reader, writer = os.pipe()
    os.close(reader)
    done = in_a_process(tmp_path, body, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("body", ["print('x' * 100_000)", "print('x')"])
def test_a_full_disk_is_one_line(tmp_path: Path, body: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = in_a_process(tmp_path, body, stdout=full)
    assert done.returncode == 2
    assert done.stderr == "hilgate: writing: No space left on device (free some space)\n"


def test_closed_output_does_not_matter(tmp_path: Path) -> None:
    done = in_a_process(tmp_path, "import sys; sys.stdout = None; raise SystemExit(11)")
    assert (done.returncode, done.stderr) == (11, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_cleans_up(tmp_path: Path, number: int, code: int) -> None:
    kill = f"os.kill(os.getpid(), {number})"
    body = f"import os, tempfile\n    with tempfile.TemporaryDirectory(dir='.', prefix='left-'): {kill}"
    done = in_a_process(tmp_path, body)
    assert (done.returncode, done.stderr) == (code, "")
    assert not list(tmp_path.glob("left-*"))


def in_a_process(folder: Path, body: str, stdout: object = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """How `hilgate fake` with this body ends, in a process of its own."""
    (folder / "fake.py").write_text(f'def command() -> None:\n    """Fake."""\n    {body}\n')
    start = "from hilgate import cli, commands; commands.__path__[:] = ['.']; cli.main(['fake'])"
    command = [sys.executable, "-c", start]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=folder, timeout=60)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            "PermissionError(13, 'Permission denied', 'artifacts/x.json')",
            "artifacts/x.json: Permission denied (look at",
        ),
        ("OSError(30, 'Read-only file system', 'params.yaml')", "params.yaml: Read-only file system (work in a copy"),
        ("OSError(28, 'No space left on device')", "writing: No space left on device (free some space)"),
    ],
)
def test_what_this_computer_refuses_is_no_defect(fake_command, capsys, error: str, words: str) -> None:
    assert fake_command(f"raise {error}") == 2
    assert capsys.readouterr().err.startswith(f"hilgate: {words}")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space left") as caught:
        atomic_write(tmp_path / "x.json", b"{}")
    assert caught.value.filename == str(tmp_path / "x.json")
    assert not list(tmp_path.iterdir())


def test_in_a_folder_that_was_removed_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = f'rmdir "$PWD" && "{sys.executable}" -m hilgate.cli data digits'
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path / "gone", capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and f"{tmp_path}/gone: no params.yaml here" in done.stderr
