"""`hilgate new`: a copy of one of the three TEMPLATE folders under a name of its own."""

from __future__ import annotations

import keyword
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hilgate.catalogue import board_names, load_board
from hilgate.errors import UsageError

C_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while main".split()
)
LONGEST_NAME = 40


@dataclass(frozen=True)
class Kind:
    """What can be made new. parent: the folder that holds TEMPLATE; steps: what is left to do, with {name} in it."""

    parent: str
    steps: tuple[str, ...]


KINDS = {
    "task": Kind(
        "src/tasks",
        (
            "data, and how it is split: src/tasks/{name}/data.py",
            "network, loss and metric: src/tasks/{name}/network.py, metric.py",
            "params.yaml: each line of src/tasks/{name}/params.example.yaml under its section, then delete that file",
            "params.yaml: for each board a cell, and its budgets under gate",
            "dvc repro; hilgate gate; hilgate report (the gate waits: somebody else must agree to a new cell)",
        ),
    ),
    "op": Kind(
        "src/hilgate/compile/ops",
        (
            "attributes, shape rule and the integer reference: src/hilgate/compile/ops/{name}/op.py",
            "the kernel: src/hilgate/compile/ops/{name}/{name}.c and {name}.h",
            "the cases that it must pass: src/hilgate/compile/ops/{name}/cases.toml",
            "its row in the table of operators of docs/compile.md",
            "all runtimes: .venv/bin/python -m pytest tests/compile -k {name}",
        ),
    ),
    "board": Kind(
        "firmware/boards",
        (
            "its facts, each with its source: firmware/boards/{name}/board.toml",
            "params.yaml: `{name}` in build; a cell and its budgets for each task",
            "dvc repro; hilgate gate; hilgate report (the gate waits: somebody else must agree to a new cell)",
        ),
    ),
}


def create(word: str, name: str, root: Path) -> list[str]:
    """Copy the template of a task, op or board to `name`; the steps that are left. Raises UsageError."""
    kind = KINDS[word]
    parent = root / kind.parent
    template, target = parent / "TEMPLATE", parent / name
    check_name(word, name)
    if target.exists():
        raise UsageError(f"there is a {word} `{name}` already", where=str(target), hint="take another name")
    if not template.is_dir():
        hint = f"restore it with `git checkout -- {kind.parent}/TEMPLATE`"
        if word == "op" and not parent.is_dir():  # the engine is installed, not a part of the project
            hint = "operators belong to the engine: make it in a clone of hilgate, and install that"
        raise UsageError("the template is missing", where=str(template), hint=hint)
    facts = {"board_id": str(_free_board_id(root))} if word == "board" else {}
    with tempfile.TemporaryDirectory(dir=parent, prefix=".new-") as folder:
        fresh = Path(folder) / name
        try:
            shutil.copytree(template, fresh, ignore=shutil.ignore_patterns("__pycache__"))
        except shutil.Error as error:  # a list of (from, to, reason)
            raise UsageError(f"it cannot be copied: {error.args[0][0][2]}", where=str(template)) from error
        _rename(fresh, name, facts)
        fresh.rename(target)
    return [step.format(name=name) for step in kind.steps]


def check_name(word: str, name: str) -> None:
    """Raises UsageError unless `name` can be a folder, a Python module and a part of a C identifier."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > LONGEST_NAME:
        hint = f"snake_case of at most {LONGEST_NAME} lower-case letters, digits and _, such as nucleo_f446re"
        raise UsageError("this cannot be a name", where=name, hint=hint)
    if keyword.iskeyword(name) or name in C_KEYWORDS or name in ("template", "test", "tests"):
        raise UsageError(f"this name is taken by Python, C or hilgate: no {word} can have it", where=name)


def _free_board_id(root: Path) -> int:
    return 1 + max((load_board(name, root).board_id for name in board_names(root)), default=0)


def _rename(folder: Path, name: str, facts: dict[str, str]) -> None:
    """Put the name, in each spelling, where the template has its own, in file names and text; set facts of a board."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            text = renamed(path.read_text("utf-8"), name)
            for key, value in facts.items():
                text = re.sub(rf"^{key} = \d+", f"{key} = {value}", text, flags=re.MULTILINE)
            path.write_text(text, "utf-8")
        path.rename(path.with_name(path.name.replace("TEMPLATE", name).replace("template", name)))


def renamed(text: str, name: str) -> str:
    """TEMPLATE and template_s8 with `name` instead; in macros PUMP_STATE_H; the class Template as PumpState."""

    def spelled(found: re.Match[str]) -> str:
        rest = found.group(0).replace("TEMPLATE", "")
        return found.group(0).replace("TEMPLATE", name.upper() if rest.isupper() else name)

    camel = "".join(part.capitalize() for part in name.split("_"))
    text = re.sub(r"\w*TEMPLATE\w*", spelled, text)
    text = re.sub(r"\btemplate(?=[_.]\w)", name, text)  # template_s8, template.h
    return re.sub(r"\bTemplate\b", camel, text)
