"""Names that attack, put where a pull request can put them, followed from its files to what people read."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from hilgate.artifacts import artifact, read_json
from hilgate.report.markdown import render
from hilgate.report.page import render as page
from hilgate.report.terminal import show

pytestmark = pytest.mark.arm
CELL = "digits_nucleo_f446re"
EVIL = "<img src=x onerror=alert(1)>@everyone [x](http://evil.example) `x` | # ::error::x \u202eevil\x1b[31m\u200b"
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@pytest.fixture
def judged(repository, liar, tmp_path, capsys):
    """Hostile layer names, parameter names, a new cell's error text and a compiler's name, all in one pull request."""
    root = repository.root
    for name in ("build.elf", "build.sizes"):
        shutil.copy(artifact(liar, name, CELL), artifact(root, name, CELL))
    shutil.copy(liar / "firmware/src/runner.c", root / "firmware/src/runner.c")
    sizes = json.loads(artifact(root, "build.sizes", CELL).read_text())
    sizes["toolchain"]["version"] = EVIL
    artifact(root, "build.sizes", CELL).write_text(json.dumps(sizes))
    model = json.loads(artifact(root, "compile.model", "digits").read_text())
    model["layers"][0]["name"] = EVIL
    artifact(root, "compile.model", "digits").write_text(json.dumps(model))
    measured = json.loads(artifact(root, "run.measurement", CELL).read_text())
    measured["hashes"] |= {"firmware": sizes["hashes"]["elf"], "image": sizes["hashes"]["image"]}
    artifact(root, "run.measurement", CELL).write_text(json.dumps(measured))

    def edit(params):
        params["train"]["digits"][EVIL] = EVIL
        params["cells"]["new_cell"] = {"task": "digits", "board": "nucleo_f446re"}

    repository.change(edit)
    errors = tmp_path / "errors"
    errors.mkdir()
    (errors / "new_cell.txt").write_text(EVIL)
    repository.judge(repository.pack(tmp_path / "claim", errors=errors), tmp_path / "judged")
    said = capsys.readouterr()
    assert not re.search(r"^\s*(::|##\[)", said.out + said.err, re.M), "a job's log takes such a line for a command"
    folder = tmp_path / "judged"
    return read_json(folder / "verdict.json", "verdict"), read_json(folder / "context.json", "context")


def test_hostile_names_on_the_whole_way(judged, capsys):
    verdict, context = judged
    everything = json.dumps([verdict, context])
    assert everything.count("onerror") >= 4, "the names must reach the verdict, or this test tests nothing"
    markdown = render(verdict, "hilgate", (), context)
    prose = re.sub(r"```.*?```|`[^`\n]*`|<code>.*?</code>|\n\n    [^\n]*\n", "", markdown, flags=re.S)
    assert "onerror" in markdown and "<img" not in prose and "http://evil" not in prose
    assert not re.search(r"@(?!&)\w", prose)
    assert not FORBIDDEN.search(markdown)
    assert "<img src=x" not in page(verdict, "hilgate", ())
    show(verdict)
    shown = capsys.readouterr().out
    assert "onerror" in shown and not FORBIDDEN.search(re.sub(r"\x1b\[[0-9;]*m", "", shown))
    assert not re.search(r"^\s*(::|##\[)", shown, re.M)


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a b", "$(id)", "<b>", "@everyone", "a\nb", "\u202ex", "x" * 200, ".git", ""]
)
def test_a_cell_of_such_a_name_never_gets_a_folder(repository, tmp_path, name):
    """Cell names become folders and job names; the gate refuses the whole params.yaml of such a head."""
    repository.change(lambda params: params["cells"].update({name: {"task": "digits", "board": "nucleo_f446re"}}))
    verdict = repository.judge(None, tmp_path / "judged")
    assert verdict.requests and verdict.outcome.exit_code != 0
    assert {path.name for path in (tmp_path / "judged").rglob("*") if path.is_dir()} <= {"base", "measurements", CELL}
