"""Measure every model on the ruler and write measured.csv, docs/benchmarks.md and its picture: `make bench`.

Models: small ones of our own, the tasks' quantized models, and *.tflite and *.onnx in the folder that
HILGATE_PEER_MODELS names (ic, vww and ad of MLPerf Tiny are not ours to ship; without them their recorded rows stay).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(Path(__file__).parent)]

import page  # noqa: E402
import picture  # noqa: E402

from hilgate.compile.ruler import grid, layers, nets, record  # noqa: E402

MEASURED = Path(__file__).parent / "measured.csv"
LAYERS = Path(__file__).parent / "layers.csv"


def models(folder: Path) -> list[Path]:
    """Every model file that is here, under the name that its rows have."""
    found = [make(folder / f"{name}.onnx") for name, make in nets.OWN.items()]
    for path in sorted((ROOT / "artifacts" / "quantize").glob("*/model.onnx")):
        named = folder / f"{path.parent.name}.onnx"
        named.write_bytes(path.read_bytes())
        found.append(named)
    peers = os.environ.get("HILGATE_PEER_MODELS")
    if peers:
        found += sorted(p for p in Path(peers).iterdir() if p.suffix in (".tflite", ".onnx"))
    return found


def main() -> None:
    """Measure, keep the rows of models that are not here, write all three files."""
    rows = {row.key: row for row in record.read(MEASURED)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model in models(folder):
            for row in record.measure_all(model, folder):
                rows[row.key] = row
                print(
                    f"{row.model:<12} {row.optimize:<5} updatable {row.updatable!s:<5} {row.cycles:>11,} cycles",
                    file=sys.stderr,
                )
        points = grid.measure(folder / "grid")
        layers.write(LAYERS, layers.measure(folder / "layers"))
    record.write(MEASURED, rows.values())
    sorted_rows = record.read(MEASURED)
    (ROOT / "docs" / "benchmarks.md").write_text(page.text(sorted_rows, points), "utf-8")
    picture.write(ROOT / "docs" / "pictures" / "cycles_per_mac.svg", sorted_rows, points)


if __name__ == "__main__":
    main()
