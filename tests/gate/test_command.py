"""`hilgate gate` and `hilgate report` as people call them: exit codes, output, one-line errors."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PARAMS = """
cells:
  toy_board_a: { task: toy, board: board_a }
gate:
  toy_board_a:
    accuracy: { min: 0.95, worse_warn: 0.001, worse_fail: 0.01 }
    flash_bytes: { max: 150000, worse_warn: "0.5%", worse_fail: "2%" }
    ram_bytes: { max: 30000, worse_warn: "0.5%", worse_fail: "2%" }
    latency_us: { max: 2500, worse_warn: "1%", worse_fail: "3%" }
"""


@pytest.fixture
def hilgate(tmp_path, make):
    """Run the command in a project whose base is the folder `base`."""
    (tmp_path / "params.yaml").write_text(PARAMS)
    for folder, flash in (("base", 100_000), ("artifacts/run", 100_000), ("larger", 103_000), ("more", 101_000)):
        place = tmp_path / folder / "toy_board_a"
        place.mkdir(parents=True)
        document = make.document()
        document["flash"] |= {"total_bytes": flash, "weights_bytes": flash - 20_000}
        document["hashes"]["image"] = f"{flash:064x}"
        (place / "measurement.json").write_text(json.dumps(document))
        (place / "samples.json").write_text(make.samples([0] * 20 + [1] * 980))

    def run(*words):
        command = [sys.executable, "-m", "hilgate.cli", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    run.root = tmp_path
    return run


def test_pass_is_0_and_the_table_goes_to_stdout(hilgate):
    answer = hilgate("gate", "--base", "base")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "PASS" in answer.stdout
    assert "nothing changed against base" in answer.stdout


def test_fail_is_10(hilgate):
    answer = hilgate("gate", "--base", "base", "--head", "larger")
    assert answer.returncode == 10
    assert "flash: +3,000 B (+3.00 %) against base" in " ".join(answer.stdout.split())


def test_warn_is_0_and_says_what_got_worse(hilgate):
    answer = hilgate("gate", "--base", "base", "--head", "more")
    assert answer.returncode == 0
    assert "WARN" in answer.stdout and "beyond the 0.5 % that worse_warn allows" in " ".join(answer.stdout.split())


def test_inconclusive_is_11(hilgate):
    assert hilgate("gate").returncode == 11


def test_waiting_is_12_until_somebody_approves(hilgate):
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q", "-b", "main"], ["add", "params.yaml", "artifacts"], ["commit", "-q", "-m", "base"]):
        subprocess.run(["git", *settings, *words], cwd=hilgate.root, check=True)
    assert hilgate("gate").returncode == 0
    (hilgate.root / "params.yaml").write_text(PARAMS.replace("max: 150000", "max: 160000"))
    answer = hilgate("gate")
    assert answer.returncode == 12
    assert "toy_board_a flash_bytes.max: 150000 → 160000 (loosens)" in " ".join(answer.stdout.split())
    assert hilgate("gate", "--approved-by", "maria").returncode == 0


def test_one_cell_alone_is_judged_against_one_file_and_says_so(hilgate):
    (hilgate.root / "params.yaml").write_text(PARAMS.replace("gate:", "  other: { task: toy, board: board_a }\ngate:"))
    base = ("--base", "base/toy_board_a/measurement.json")
    assert hilgate("gate", *base).returncode == 11
    answer = hilgate("gate", "toy_board_a", *base)
    assert answer.returncode == 0
    assert "judged: only toy_board_a; 1 other cell was left out" in answer.stdout
    answer = hilgate("gate", "toy_board_b", *base)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "there is no cell 'toy_board_b' to judge (cells: other, toy_board_a)" in answer.stderr


def test_json_is_the_verdict_file(hilgate):
    answer = hilgate("gate", "--base", "base", "--json")
    document = json.loads(answer.stdout)
    assert document == json.loads((hilgate.root / "artifacts/gate/verdict.json").read_text())
    assert (document["schema"], document["version"], document["outcome"]) == ("verdict", 1, "pass")


def test_a_refused_measurement_is_one_line_and_leaves_the_old_verdict(hilgate):
    hilgate("gate", "--base", "base")
    before = (hilgate.root / "artifacts/gate/verdict.json").read_bytes()
    (hilgate.root / "artifacts/run/toy_board_a/measurement.json").write_text(
        '{"schema": "measurement", "version": NaN}'
    )
    answer = hilgate("gate", "--base", "base")
    assert answer.returncode == 9
    assert answer.stdout == ""
    assert len(answer.stderr.strip().splitlines()) == 1
    assert "NaN is not a number" in answer.stderr
    assert (hilgate.root / "artifacts/gate/verdict.json").read_bytes() == before


def test_a_wrong_base_is_2_and_a_wrong_policy_3(hilgate):
    assert hilgate("gate", "--base", "no/such/thing").returncode == 2
    (hilgate.root / "params.yaml").write_text("gate: { x: {} }")
    answer = hilgate("gate", "--base", "base")
    assert answer.returncode == 3
    assert "budgets for a cell that `cells` does not have" in answer.stderr


def test_help_documents_the_exit_codes(hilgate):
    text = " ".join(hilgate("gate", "--help").stdout.split())
    assert "0 pass or warn, 10 fail, 11 inconclusive" in text
    assert "12 waiting" in text


def test_report_prints_the_paths_of_its_files(hilgate):
    hilgate("gate", "--base", "base")
    answer = hilgate("report")
    assert answer.returncode == 0
    paths = answer.stdout.split()
    assert "artifacts/report/report.md" in paths
    assert "artifacts/run/toy_board_a/measurement.json" in paths
    assert all((hilgate.root / path).is_file() for path in paths)


def test_report_without_a_verdict_says_how_to_make_one(hilgate):
    answer = hilgate("report")
    assert answer.returncode == 9
    assert "hilgate gate" in answer.stderr
