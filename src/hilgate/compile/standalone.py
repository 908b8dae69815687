"""What `hilgate compile` does with a file, a product on its own without board, pipeline or project, and with a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hilgate.artifacts import atomic_write, needed
from hilgate.compile.compile import compile_model, execute
from hilgate.compile.explain import explain as explain_file
from hilgate.compile.options import Options, layer_choices
from hilgate.compile.table import show, show_explanation
from hilgate.console import say
from hilgate.errors import UsageError
from hilgate.params import load_params
from hilgate.project import project_root


def compile_file(model: Path, given: dict[str, Any], *, explain: bool) -> None:
    """Compile `model` and print the tables.

    given: `output`, the folder (default: <stem>_c in the current folder), `layer`, texts such as NAME=size, and fields
    of Options. explain: also what
    each pass did, and arena.svg in the folder.
    """
    choices = dict(given)
    folder = choices.pop("output", None) or Path(f"{model.stem}_c")
    if "layer" in choices:
        choices["layers"] = layer_choices(choices.pop("layer"))
    options = Options(**choices)
    show(compile_model(model, folder, options))
    if explain:
        _explain(model, options, folder / "arena.svg")


def compile_task(task: str, given: dict[str, Any], *, explain: bool) -> None:
    """Compile a task of params.yaml. Raises UsageError when options are given.

    explain: as for a file, with the picture in build/.
    """
    if given:
        words = ", ".join(f"--{name}" for name in given)
        raise UsageError(
            f"a task takes no {words}", where=task, hint="its options stand in section `compile` of params.yaml"
        )
    root = project_root()
    params = load_params(root)
    show(execute(task, params, root))
    if explain:  # not beside the C files: those are an output of the pipeline
        options = params.section("compile", task, Options)
        _explain(needed(root, "quantize.onnx", task), options, root / "build" / f"{task}_arena.svg")


def _explain(model: Path, options: Options, picture: Path) -> None:
    explanation = explain_file(model, options)
    show_explanation(explanation)
    atomic_write(picture, explanation.arena_svg().encode())
    say(f"the arena as a picture: {picture}")
