"""hilgate compile MODEL -o OUT, or hilgate compile TASK"""

from pathlib import Path
from typing import Annotated

import typer


def command(  # noqa: PLR0913, PLR0917  one per option of the command line
    model: Annotated[str, typer.Argument(help="a model file (.onnx, .tflite), or a task of params.yaml")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="folder for the C files of a model file")
    ] = None,
    optimize: Annotated[str, typer.Option(help="speed, size or ram")] = "speed",
    updatable: Annotated[bool, typer.Option(help="weights can be replaced without the code")] = True,
    io: Annotated[str, typer.Option(help="int8, or float32 to convert at the edges on the device")] = "int8",
    without: Annotated[list[str] | None, typer.Option(help="an optional pass to skip")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="what each pass did and each choice costs")] = False,
) -> None:
    """Compile an int8 model to plain C11. Prints what each layer costs."""
    from hilgate.compile.compile import DOORS, execute
    from hilgate.compile.options import Options
    from hilgate.compile.standalone import compile_file
    from hilgate.compile.table import show
    from hilgate.params import load_params
    from hilgate.project import project_root

    if Path(model).suffix.lower() in DOORS:
        options = Options(optimize, updatable, io, tuple(without or ()))
        compile_file(Path(model), output, options, explain=explain)
        return
    root = project_root()
    show(execute(model, load_params(root), root))
