"""hilgate compile MODEL -o OUT, or hilgate compile TASK"""

from pathlib import Path
from typing import Annotated, Any

import typer


def command(  # noqa: PLR0913, PLR0917  one per option of the command line
    model: Annotated[str, typer.Argument(help="A model file (.onnx, .tflite), or a task of params.yaml.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the C files of a model file.")
    ] = None,
    optimize: Annotated[str | None, typer.Option(help="What to save: speed (the default), size or ram.")] = None,
    updatable: Annotated[
        bool | None, typer.Option(help="Weights can be replaced without the code (the default).")
    ] = None,
    io: Annotated[
        str | None,
        typer.Option(help="Type of input and output: int8 (the default), or float32, converted on the device."),
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="An optional pass to skip; may be given again.")] = None,
    layer: Annotated[list[str] | None, typer.Option(help="Another --optimize for one layer: NAME=size.")] = None,
    max_arena_bytes: Annotated[
        int | None, typer.Option(help="Most that the arena may take: layers run in strips where it would be more.")
    ] = None,
    max_slowdown: Annotated[
        float | None, typer.Option(help="Share of cycles that --optimize ram may add for memory (0.1).")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each pass did and what each choice costs.")
    ] = False,
) -> None:
    """Compile an int8 model to plain C11. Prints what each layer costs."""
    from hilgate.compile.compile import DOORS
    from hilgate.compile.standalone import compile_file, compile_task

    chosen: dict[str, Any] = {"output": output, "optimize": optimize, "updatable": updatable, "io": io}
    chosen |= {"without": tuple(without or ()), "layer": tuple(layer or ())}
    chosen |= {"max_arena_bytes": max_arena_bytes, "max_slowdown": max_slowdown}
    given = {name: value for name, value in chosen.items() if value not in (None, ())}
    if Path(model).suffix.lower() in DOORS or Path(model).is_file():
        compile_file(Path(model), given, explain=explain)
    else:
        compile_task(model, given, explain=explain)
