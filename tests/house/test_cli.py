"""The command line: quick help, one clear line for each failure, exit codes, completion."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hilgate import cli, commands
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


def test_outside_a_project_is_one_line(tmp_path: Path) -> None:
    done = hilgate("data", "digits", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "no params.yaml here" in done.stderr
