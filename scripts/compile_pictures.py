#!/usr/bin/env python3
"""Draw the pictures of docs/compile.md: what `hilgate compile --explain` prints first, and the arena.

Needs chromium for the terminal's picture. tests/compile/test_explain_pages.py compares the arena's.
"""

from __future__ import annotations

import tempfile
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

from browser import Browser
from PIL import Image
from rich.console import Console

from hilgate.compile import table
from hilgate.compile.compile import compile_model
from hilgate.compile.explain import explain
from hilgate.compile.options import Options
from hilgate.compile.ruler import nets

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
COMMAND = "hilgate compile residual.onnx -o out --no-updatable --explain"
OPTIONS = Options(updatable=False)
COLUMNS = 84
COLOURS = 32
SCALE = 0.75  # rich draws letters of 20 pixels


def main() -> None:
    """Write both files."""
    with tempfile.TemporaryDirectory(prefix="hilgate-") as scratch:
        model = nets.residual_net(Path(scratch) / "residual.onnx")
        compiled, explanation = compile_model(model, Path(scratch) / "out", OPTIONS), explain(model, OPTIONS)
    (PICTURES / "compile-arena.svg").write_text(explanation.arena_svg(), "utf-8")
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(table.layers_table(compiled, wide=False), "", table.passes_table(explanation))
    screenshot(console.export_svg(title=COMMAND), PICTURES / "compile-terminal.png")


def screenshot(svg: str, path: Path) -> None:
    """The SVG as a PNG of SCALE times its size, in few colours."""
    sides = ElementTree.fromstring(svg).attrib["viewBox"].split()[2:]  # noqa: S314  rich's output
    width, height = (round(SCALE * float(side)) for side in sides)
    with tempfile.TemporaryDirectory(prefix="hilgate-") as scratch, Browser(width, height) as browser:
        page = Path(scratch) / "page.html"
        page.write_text(f"<style>body{{margin:0}}svg{{display:block;width:{width}px}}</style>{svg}", "utf-8")
        browser.open(page)
        browser.screenshot(path)
    with Image.open(path) as picture:
        picture.quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main()
