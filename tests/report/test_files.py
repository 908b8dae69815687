"""`hilgate report`: every format as a file, the same story in each, a job's summary and its annotations."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilgate.artifacts import artifact, read_json, write_json
from hilgate.cli import application
from hilgate.errors import ArtifactError, UsageError
from hilgate.report import markdown, view
from hilgate.report.document import document
from hilgate.report.report import LARGEST_SUMMARY_BYTES, Places, append_summary, execute
from hilgate.report.words import Row

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["report.md", "report.html", "junit.xml", "annotations.json", "report.json"]


def written(folder, verdict, context=None):
    """A project with this verdict."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "params.yaml", folder)
    write_json(
        artifact(folder, "gate.verdict"),
        "verdict",
        {k: v for k, v in verdict.items() if k not in ("schema", "version")},
    )
    if context:
        plain = {key: value for key, value in context.items() if key not in ("schema", "version")}
        write_json(artifact(folder, "gate.verdict").with_name("context.json"), "context", plain)
    return folder


@pytest.fixture
def project(tmp_path, verdicts, contexts):
    return written(tmp_path / "project", verdicts["one_regress"], contexts["one_regress"])


def test_every_format_is_written(project):
    made = execute(project)
    assert [path.name for path in made.paths] == NAMES
    assert all(path.parent == project / "artifacts/report" for path in made.paths)
    assert read_json(made.paths[4], "report")["headline"] == made.report.headline
    levels = [note["annotation_level"] for note in json.loads(made.paths[3].read_text("utf-8"))]
    assert levels == ["failure", "warning"]


def test_equal_verdicts_give_equal_files(project):
    before = [path.read_bytes() for path in execute(project).paths]
    assert [path.read_bytes() for path in execute(project).paths] == before


def test_files_can_come_from_and_go_to_other_folders(project, tmp_path):
    source = (project / "artifacts/gate").rename(tmp_path / "judged")
    made = execute(project, Places(source, tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(NAMES)
    assert made.report.setup.run_url


def test_without_a_verdict_the_error_names_the_command(project):
    artifact(project, "gate.verdict").unlink()
    with pytest.raises(ArtifactError, match="hilgate gate"):
        execute(project)


def test_every_format_tells_the_same_verdict(verdicts, contexts, tmp_path):
    for name, verdict in verdicts.items():
        made = execute(written(tmp_path / name, verdict, contexts[name]))
        text = {path.name: path.read_text("utf-8") for path in made.paths}
        outcome = verdict["outcome"]
        assert f" {outcome}: " in text["report.md"].split("\n")[2], name
        assert f"<title>{outcome}: " in text["report.html"], name
        assert json.loads(text["report.json"])["outcome"] == outcome
        if outcome in ("fail", "inconclusive", "waiting"):
            assert "<failure " in text["junit.xml"] or "<error " in text["junit.xml"] or verdict["requests"], name


def test_the_json_form_holds_every_field_of_the_view(project):
    shown = document(execute(project).report)
    assert set(shown) == {field.name for field in dataclasses.fields(view.Report)}
    assert set(shown["cells"][0]) == {field.name for field in dataclasses.fields(view.CellView)}
    assert set(shown["cells"][0]["rows"][0]) == {field.name for field in dataclasses.fields(Row)}
    assert shown["cells"][0]["causes"][0].startswith("latency +7.1 %: `conv2d_3` +18 %")


def test_a_summary_is_appended(project, tmp_path):
    place = tmp_path / "summary"
    place.write_text("before\n")
    report = execute(project).report
    append_summary(report, {"GITHUB_STEP_SUMMARY": str(place)})
    assert place.read_text("utf-8") == f"before\n\n{markdown.body(report)}"
    assert "hilgate:verdict" not in place.read_text("utf-8")


def test_a_summary_of_the_pull_requests_own_job_says_that_it_decides_nothing(project, tmp_path):
    place = tmp_path / "summary"
    append_summary(execute(project).report, {"GITHUB_STEP_SUMMARY": str(place), "GITHUB_EVENT_NAME": "pull_request"})
    assert place.read_text("utf-8").startswith("\n> Computed by this pull request's own jobs: advice")


def test_a_full_summary_gets_the_first_lines_only(project, tmp_path):
    place = tmp_path / "summary"
    place.write_text("x" * (LARGEST_SUMMARY_BYTES - 3000))
    append_summary(execute(project).report, {"GITHUB_STEP_SUMMARY": str(place)})
    assert place.stat().st_size <= LARGEST_SUMMARY_BYTES
    assert "## ❌ fail: " in place.read_text("utf-8")


def test_annotations_name_the_file_from_the_repositorys_top(project, monkeypatch):
    made = execute(project, Places(workspace=project.parent))
    assert made.policy == "project/params.yaml"
    assert made.commands()[0].startswith("::error file=project/params.yaml,line=")
    assert json.loads(made.paths[3].read_text("utf-8"))[0]["path"] == "project/params.yaml"
    assert execute(project, Places(workspace=project / "artifacts")).policy == "params.yaml"


def test_outside_of_a_job_there_is_no_summary(project):
    with pytest.raises(UsageError, match="GITHUB_STEP_SUMMARY is not set"):
        append_summary(execute(project).report, {})


def test_the_command_prints_paths_and_annotations(project, monkeypatch):
    monkeypatch.chdir(project)
    result = CliRunner().invoke(application(["report"]), ["report", "--annotate"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line for line in lines if line.startswith("::")] == lines[:2]
    assert lines[0].startswith("::error file=params.yaml,line=")
    assert "artifacts/report/report.html" in lines
