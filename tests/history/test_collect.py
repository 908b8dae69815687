"""From measurements to lines, through the command as a user calls it."""

from __future__ import annotations

import json
import shutil

import pytest

from hilgate import cli
from hilgate.errors import ArtifactError, UsageError
from hilgate.history import branch, collect, history
from hilgate.params import load_params

CELL = "toy_board_a"


def measurement(**changed):
    document = {
        "schema": "measurement",
        "version": 1,
        "cell": CELL,
        "task": "toy",
        "board": "board_a",
        "source": "predicted",
        "evidence": "validated",
        "hashes": {
            name: "a" * (32 if name == "architecture" else 64)
            for name in ("firmware", "image", "model", "architecture", "weights", "dataset")
        },
        "accuracy": {"metric": "top1", "value": 0.98, "n": 1000, "low": 0.97, "high": 0.99},
        "parity": {"vectors": 5, "mismatches": 0, "first_layer": None},
        "flash": dict.fromkeys(("total_bytes", "weights_bytes", "kernels_bytes", "runtime_bytes", "capacity_bytes"), 9),
        "ram": dict.fromkeys(
            ("total_bytes", "static_bytes", "arena_bytes", "stack_worst_bytes", "stack_seen_bytes", "capacity_bytes"), 8
        ),
        "latency": {"cycles": [7], "clock_hz": 1000000, "median_us": 7.0, "p99_us": 7.0, "layers": []},
        "energy": None,
        "environment": {"compiler": "gcc", "compiler_version": "12", "target": "virtual_board_a", "cost_model": "0a1b"},
    }
    return {**document, **changed}


@pytest.fixture
def measured(repository):
    """The repository with one predicted and one measured result."""
    folder = repository / "artifacts/run" / CELL
    (folder / "measured").mkdir(parents=True)
    (folder / "measurement.json").write_text(json.dumps(measurement()))
    on_board = measurement(
        source="measured", evidence="measured", environment={"compiler": "gcc", "target": "0123abcd"}
    )
    (folder / "measured/0123abcd.json").write_text(json.dumps(on_board))
    (folder / "measured/0123abcd.provenance.json").write_text("{}")
    return repository


@pytest.fixture
def hilgate(measured, monkeypatch, capsys):
    """The command line in this process: (exit code, stdout, stderr)."""
    monkeypatch.chdir(measured)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments):
        with pytest.raises(SystemExit) as stopped:
            cli.main(arguments)
        return stopped.value.code or 0, *capsys.readouterr()

    return run


def test_a_line_has_what_the_issue_asks_for(measured, run_git):
    commit = collect.commit_of(measured)
    predicted, on_board = collect.collect(measured / "artifacts/run", commit, load_params(measured))
    assert predicted.commit == run_git(measured, "rev-parse", "HEAD")
    assert (predicted.task, predicted.board, predicted.testbed) == ("toy", "board_a", "virtual_board_a")
    assert (predicted.toolchain, predicted.model, predicted.loads) == ("gcc 12", "0a1b", 0)
    assert predicted.values == {"accuracy": 0.98, "flash_bytes": 9, "ram_bytes": 8, "latency_us": 7.0}
    assert predicted.budgets == {"accuracy": 0.9, "flash_bytes": 150000}
    assert (on_board.source, on_board.testbed, on_board.loads) == ("measured", "0123abcd", 1)


def test_no_cycle_counter_means_no_latency(measured):
    path = measured / "artifacts/run" / CELL / "measurement.json"
    path.write_text(json.dumps(measurement(latency=None)))
    line = collect.line_of(path, collect.commit_of(measured), load_params(measured))
    assert "latency_us" not in line.values


@pytest.mark.parametrize(
    ("value", "n", "unit"), [(0.98, 1000, "fraction"), (0.98765, 1000, "score"), (12.0, 10, "score")]
)
def test_a_share_of_samples_is_told_from_other_scores(measured, value, n, unit):
    path = measured / "artifacts/run" / CELL / "measurement.json"
    accuracy = {"metric": "m", "value": value, "n": n, "low": value, "high": value}
    path.write_text(json.dumps(measurement(accuracy=accuracy)))
    assert collect.line_of(path, collect.commit_of(measured), load_params(measured)).unit == unit


def test_hostile_names_become_plain_or_are_refused(measured, run_git):
    run_git(measured, "commit", "-q", "--allow-empty", "-m", "Evil \x1b[31m \u202e <script>alert(1)</script> @everyone")
    path = measured / "artifacts/run" / CELL / "measurement.json"
    path.write_text(json.dumps(measurement(environment={"compiler": "g\x1bcc\n", "target": "../../x y"})))
    line = collect.line_of(path, collect.commit_of(measured), load_params(measured))
    assert line.testbed == "______x_y"
    assert line.toolchain == "g?cc"
    assert not set(line.subject) & {"\x1b", "\u202e"}
    for changed in ({"cell": "../x"}, {"task": "a b"}, {"accuracy": {**measurement()["accuracy"], "value": 1e308}}):
        path.write_text(json.dumps(measurement(**changed)))
        with pytest.raises(ArtifactError, match="against the schema"):
            collect.line_of(path, collect.commit_of(measured), load_params(measured))


def test_edited_code_is_no_commit(measured):
    (measured / "params.yaml").write_text((measured / "params.yaml").read_text() + "# edited\n")
    with pytest.raises(UsageError, match="the files here are not those of"):
        history.append(measured)
    assert history.append(measured, measured / "artifacts/run").added == 2


def test_nothing_measured_is_an_error(repository):
    with pytest.raises(ArtifactError, match="no measurement below"):
        history.append(repository)


@pytest.mark.parametrize("revision", ["nowhere", "--all", "HEAD;id", ""])
def test_what_is_no_commit_is_refused(repository, revision):
    with pytest.raises(UsageError, match="git knows no commit"):
        collect.commit_of(repository, revision)


def test_the_commands_of_a_user(hilgate):
    assert "no branch hilgate-history" in hilgate("history")[2]
    code, said, complaint = hilgate("history", "append")
    assert (code, complaint) == (0, "")
    assert said.startswith("2 of 2 lines added to hilgate-history for ")
    assert hilgate("history", "append")[1].startswith("0 of 2 lines added")
    code, shown, _ = hilgate("history")
    assert code == 0
    assert "toy on board_a, predicted by virtual_board_a" in shown
    assert "toy on board_a, measured by 0123abcd" in shown
    document = json.loads(hilgate("history", "--json")[1])
    assert [series["source"] for series in document["series"]] == ["predicted", "measured"]
    assert document["series"][0]["metrics"]["flash_bytes"]["latest"] == 9


def test_append_pushes(measured, hilgate, tmp_path, run_git):
    run_git(tmp_path, "clone", "-q", "--bare", str(measured), "remote.git")
    run_git(measured, "remote", "add", "origin", str(tmp_path / "remote.git"))
    assert hilgate("history", "append", "--push", "origin")[::2] == (0, "")
    shutil.copytree(tmp_path / "remote.git", tmp_path / "copy.git")
    assert len(branch.read(tmp_path / "copy.git", branch.LOCAL).lines) == 2
