"""From a claim to a verdict: what is recounted, what is taken from main, and that lies do not help."""

from __future__ import annotations

import json
import shutil

import pytest

from hilgate.artifacts import artifact, read_json
from hilgate.ci.judging.settle import settled_in
from hilgate.ci.local import LocalOptions, run_locally
from hilgate.gate.gate import execute as gate
from hilgate.gate.verdict import Outcome

pytestmark = pytest.mark.arm
CELL = "digits_nucleo_f446re"


def numbers(verdict):
    """Metric -> value, base, change of the one cell."""
    return {axis.metric: (axis.value, axis.base, axis.change) for axis in verdict.cells[0].axes}


def changed_comment(repository):
    """Touches the cell, changes no image."""
    path = repository.root / "firmware/src/main.c"
    path.write_text(path.read_text() + "/* a remark */\n")
    return repository.commit()


def told(judged):
    """What the claim said and did not hold."""
    return [row["what"] for row in read_json(judged / "context.json", "context")["claims"]]


def use(repository, folder):
    """The tree builds another image: the files of its cell."""
    for name in ("build.elf", "build.sizes"):
        shutil.copy(artifact(folder, name, CELL), artifact(repository.root, name, CELL))
    source = "firmware/src/runner.c"
    shutil.copy(folder / source, repository.root / source)


def forge(repository, **changed):
    """A measurement of good form that says what one likes."""
    path = artifact(repository.root, "run.measurement", CELL)
    document = json.loads(path.read_text())
    document["hashes"]["firmware"] = json.loads(artifact(repository.root, "build.sizes", CELL).read_text())["hashes"][
        "elf"
    ]
    document["hashes"]["image"] = json.loads(artifact(repository.root, "build.sizes", CELL).read_text())["hashes"][
        "image"
    ]
    document.update(changed)
    path.write_text(json.dumps(document))


def test_a_change_that_touches_nothing_keeps_mains_numbers(repository, tmp_path):
    repository.write("docs/page.md", "words")
    repository.commit()
    claim = repository.pack(tmp_path / "claim")
    assert json.loads((claim / "claim.json").read_text())["cells"][CELL]["state"] == "unchanged"
    verdict = repository.judge(claim, tmp_path / "judged")
    assert verdict.outcome is Outcome.PASS
    assert all(change in (0, None) for _, _, change in numbers(verdict).values())
    context = read_json(tmp_path / "judged/context.json", "context")
    assert [(cell["state"], cell["error"]) for cell in context["cells"]] == [("unchanged", "")]
    assert (context["pull_request"], context["approval"]["state"], context["missing"]) == (7, "none", [])


def test_the_gate_in_a_clone_and_the_trusted_verdict_give_the_same_numbers(repository, tmp_path, monkeypatch):
    """The same code, once measured by `hilgate run`, once recounted from the image of a claim."""
    from hilgate.ci.judging import settle

    changed_comment(repository)
    monkeypatch.setattr(settle.Baseline, "image", lambda self, cell: "")  # else the equal image is not run again
    trusted = repository.judge(repository.pack(tmp_path / "claim"), tmp_path / "judged")
    here = gate(repository.root, "main")
    assert numbers(trusted) == numbers(here)
    assert [axis.outcome for axis in trusted.cells[0].axes] == [axis.outcome for axis in here.cells[0].axes]
    ours = read_json(tmp_path / f"judged/measurements/{CELL}/measurement.json", "measurement")
    theirs = read_json(artifact(repository.root, "run.measurement", CELL), "measurement")
    assert {**ours, "parity": theirs["parity"]} == theirs
    assert not told(tmp_path / "judged")


def test_a_firmware_that_reports_false_cycles_is_found(repository, liar, tmp_path):
    """It halves its cycles, hides 4 KiB of RAM, and its measurement claims fewer still."""
    use(repository, liar)
    honest = json.loads(artifact(repository.root, "run.measurement", CELL).read_text())
    latency = {**honest["latency"], "cycles": [1000] * 5, "median_us": 1000 / 180, "p99_us": 1000 / 180}
    forge(repository, latency=latency)
    repository.commit()
    verdict = repository.judge(repository.pack(tmp_path / "claim"), tmp_path / "judged")
    found = read_json(tmp_path / f"judged/measurements/{CELL}/measurement.json", "measurement")
    assert min(found["latency"]["cycles"]) >= 0.99 * honest["latency"]["cycles"][0]
    assert found["ram"]["static_bytes"] >= honest["ram"]["static_bytes"] + 4096 - 32  # a few bytes were so by chance
    assert {"cycles of an inference", "ram used beyond what the ELF declares", "latency.median_us"} <= set(
        told(tmp_path / "judged")
    )
    assert any("cycles of an inference" in note for note in verdict.notes)
    kept = settled_in(read_json(tmp_path / "judged/context.json", "context"))
    assert [row["what"] for row in kept[CELL].claims] == told(tmp_path / "judged")
    assert verdict.cells[0].outcome is Outcome.FAIL  # RAM grew by more than worse_fail


def test_a_forged_measurement_changes_nothing_and_is_told(repository, tmp_path):
    changed_comment(repository)
    honest = json.loads(artifact(repository.root, "run.measurement", CELL).read_text())
    flash = {
        **honest["flash"],
        "runtime_bytes": 1,
        "total_bytes": honest["flash"]["total_bytes"] - honest["flash"]["runtime_bytes"] + 1,
    }
    forge(repository, flash=flash)
    verdict = repository.judge(repository.pack(tmp_path / "claim"), tmp_path / "judged")
    assert numbers(verdict)["flash_bytes"] == (honest["flash"]["total_bytes"],) * 2 + (0,)
    assert told(tmp_path / "judged") == ["flash.total_bytes"]


def test_a_forged_test_set_is_not_used(repository, tmp_path):
    """The claim's samples say that all is right, on data of its own."""
    changed_comment(repository)
    samples = json.loads(artifact(repository.root, "run.samples", CELL).read_text())
    forged = {**samples, "dataset": "0" * 64, "n": 8, "bits": "/w=="}
    artifact(repository.root, "run.samples", CELL).write_text(json.dumps(forged))
    honest = json.loads(artifact(repository.root, "run.measurement", CELL).read_text())
    hashes = {**honest["hashes"], "dataset": "0" * 64}
    forge(repository, hashes=hashes, accuracy={**honest["accuracy"], "value": 1.0, "n": 8, "high": 1.0})
    verdict = repository.judge(repository.pack(tmp_path / "claim"), tmp_path / "judged")
    assert numbers(verdict)["accuracy"][0] == honest["accuracy"]["value"]
    assert {"test set", "accuracy.value"} <= set(told(tmp_path / "judged"))


def test_budgets_come_from_git_whatever_the_claim_says(repository, tmp_path):
    """The change loosens a budget, and uploads main's params.yaml to hide it."""
    main = (repository.root / "params.yaml").read_text()
    repository.change(lambda params: params["gate"][CELL]["flash_bytes"].update(max=400_000))
    claim = repository.pack(tmp_path / "claim")
    (claim / "params.yaml").write_text(main)
    verdict = repository.judge(claim, tmp_path / "judged")
    assert [(one.what, one.effect) for one in verdict.requests] == [("flash_bytes.max", "loosens")]
    assert verdict.outcome is Outcome.WAITING
    hardware = read_json(tmp_path / "judged/context.json", "context")["approval"]
    assert hardware["state"] == "none", "who approves budgets is the verdict's affair"
    approved = repository.judge(claim, tmp_path / "again", approved_by="reviewer")
    assert approved.outcome is Outcome.PASS and approved.approved_by == "reviewer"


def test_an_approval_where_nothing_is_requested_is_none(repository, tmp_path):
    """A label left on an old branch must not let that branch's older budgets judge."""
    changed_comment(repository)
    verdict = repository.judge(repository.pack(tmp_path / "claim"), tmp_path / "judged", approved_by="reviewer")
    assert (verdict.requests, verdict.approved_by) == ((), "")
    assert "this PR" not in verdict.policy


def test_a_cell_that_is_said_to_be_unchanged_and_is_not_is_refused(repository, tmp_path):
    claim = repository.pack(tmp_path / "claim")
    path = repository.root / "firmware/src/main.c"
    path.write_text(path.read_text() + "/* a remark */\n")
    head = repository.commit()
    document = json.loads((claim / "claim.json").read_text())
    (claim / "claim.json").write_text(json.dumps({**document, "head_sha": head}))
    verdict = repository.judge(claim, tmp_path / "judged")
    assert verdict.outcome is Outcome.FAIL
    assert "firmware/src/main.c, which changed" in verdict.cells[0].checks[0].reason


@pytest.mark.parametrize(
    ("state", "outcome"), [("failed", Outcome.FAIL), ("missing", Outcome.INCONCLUSIVE), ("none", Outcome.INCONCLUSIVE)]
)
def test_a_cell_without_numbers_is_shown(repository, tmp_path, state, outcome):
    changed_comment(repository)
    errors = tmp_path / "errors"
    errors.mkdir()
    if state == "failed":
        (errors / f"{CELL}.txt").write_text("cc1: all warnings\n<b>@everyone</b> \x1b[31m boom\u202e\n")
    claim = repository.pack(tmp_path / "claim", errors=errors)
    if state == "missing":
        shutil.rmtree(claim / "cells")
        document = json.loads((claim / "claim.json").read_text())
        (claim / "claim.json").write_text(json.dumps({**document, "cells": {}}))
    verdict = repository.judge(None if state == "none" else claim, tmp_path / "judged")
    assert verdict.outcome is outcome
    reason = verdict.cells[0].checks[0].reason
    assert reason.isprintable()
    assert ("boom?" in reason) == (state == "failed")


def test_without_a_build_of_main_nothing_passes(repository, tmp_path):
    repository.write("docs/page.md", "words")
    repository.commit()
    claim = repository.pack(tmp_path / "claim")
    verdict = repository.judge(claim, tmp_path / "judged", base=tmp_path / "nothing")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    missing = read_json(tmp_path / "judged/context.json", "context")["missing"]
    assert [row["what"].partition(" at ")[0] for row in missing] == ["base missing: there is no build of main"]


def test_a_build_of_another_commit_counts_only_where_nothing_changed_since(repository, tmp_path):
    repository.git("checkout", "--quiet", "main")
    repository.write("docs/page.md", "words")
    repository.commit("docs")
    repository.git("checkout", "--quiet", "-B", "change")
    verdict = repository.judge(repository.pack(tmp_path / "claim"), tmp_path / "judged")
    assert verdict.outcome is Outcome.PASS
    repository.git("checkout", "--quiet", "main")
    changed_comment(repository)
    repository.git("checkout", "--quiet", "-B", "change")
    verdict = repository.judge(repository.pack(tmp_path / "other"), tmp_path / "later")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert (
        "firmware/src/main.c changed since"
        in read_json(tmp_path / "later/context.json", "context")["missing"][0]["what"]
    )


def test_a_change_of_the_metric_asks_for_an_approval(repository, tmp_path):
    path = repository.root / "src/tasks/digits/metric.py"
    path.write_text(path.read_text() + "\n# more\n")
    repository.commit()
    verdict = repository.judge(repository.pack(tmp_path / "claim"), tmp_path / "judged")
    assert [(one.kind, one.what) for one in verdict.requests] == [("metric code", "src/tasks/digits/metric.py")]
    assert verdict.outcome is Outcome.WAITING


def test_todays_budgets_of_main_judge_an_old_branch(repository, tmp_path):
    repository.write("docs/page.md", "words")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.change(lambda params: params["gate"][CELL]["flash_bytes"].update(max=1000))
    repository.git("checkout", "--quiet", "change")
    verdict = repository.judge(repository.pack(tmp_path / "claim"), tmp_path / "judged")
    assert verdict.outcome is Outcome.FAIL and not verdict.requests
    assert any("today's judge" in note for note in verdict.notes)


@pytest.mark.parametrize("text", ["[" * 5000, "cells: 7", "a: &a [*a]\ncells: *a", "gate: {x: {}}", ""])
def test_a_params_file_that_cannot_be_read_never_passes(repository, tmp_path, text):
    claim = repository.pack(tmp_path / "claim")
    repository.write("params.yaml", text)
    head = repository.commit()
    document = json.loads((claim / "claim.json").read_text())
    (claim / "claim.json").write_text(json.dumps({**document, "head_sha": head}))
    verdict = repository.judge(claim, tmp_path / "judged")
    assert verdict.outcome.severity >= Outcome.WAITING.severity
    assert verdict.requests


def test_the_local_twin_says_the_same(repository, tmp_path):
    changed_comment(repository)
    here = run_locally(repository.root, tmp_path / "ci", LocalOptions(base="main", make=False))
    trusted = repository.judge(repository.pack(tmp_path / "claim"), tmp_path / "judged")
    assert numbers(here) == numbers(trusted) and here.outcome is trusted.outcome is Outcome.PASS


def test_the_steps_of_the_workflows_work_as_commands(repository, tmp_path, monkeypatch, capsys):
    """pack in the head's checkout; recompute in main's, with the download as it comes and the facts of the event."""
    from hilgate.cli import main

    repository.write("docs/page.md", "words")
    head = repository.commit()
    packed = ["--out", str(tmp_path / "claim"), "--base", "main", "--repository", "o/r", "--event", "pull_request"]
    with pytest.raises(SystemExit) as end:
        main(["ci", "pack", *packed])
    assert end.value.code == 0
    (tmp_path / "download").mkdir()
    shutil.make_archive(str(tmp_path / "download/hilgate-claim"), "zip", tmp_path / "claim")
    repository.git("checkout", "--quiet", "main")
    facts = {"HEAD_SHA": head, "REPOSITORY": "o/r", "EVENT": "pull_request", "PULL_REQUEST": "7", "BASE_REF": "main"}
    facts |= {"AUTHOR": "dependabot[bot]", "FORK": "true", "RUN_URL": "https://example.org/o/r/actions/runs/1"}
    for name, value in facts.items():
        monkeypatch.setenv(f"HILGATE_{name}", value)
    with pytest.raises(SystemExit) as end:
        judged = ["--base", str(repository.base), "--out", str(tmp_path / "judged"), "--approved-by", ""]
        main(["ci", "recompute", str(tmp_path / "download"), *judged])
    assert end.value.code == 0
    context = read_json(tmp_path / "judged/context.json", "context")
    assert (context["author"], context["fork"], context["pull_request"]) == ("dependabot[bot]", True, 7)
    assert context["head_sha"] == head
    assert read_json(tmp_path / "judged/verdict.json", "verdict")["outcome"] == "pass"
    assert capsys.readouterr().out.startswith("pass: ")
