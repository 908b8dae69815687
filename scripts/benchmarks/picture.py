"""The plot of docs/benchmarks.md: cycles per MAC against MACs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from hilgate.compile.ruler.grid import WINOGRAD_SUFFIX, Point
from hilgate.compile.ruler.record import Row

HERE = Path(__file__).parent
TO_RULER = (0.83, 0.858, 0.97)  # silicon to the ruler: low, middle, high
TO_RULER_FROM_FLASH = (0.77, 0.774, 0.88)  # fully connected layers whose weights stream from flash
PEERS = {  # colour and marker: Okabe and Ito's palette
    "TFLM 2.3.1 + CMSIS-NN": ("#999999", "v"),
    "microTVM + CMSIS-NN": ("#CC79A7", "^"),
    "ONNC + CMSIS-NN": ("#E69F00", "<"),
    "Bosch HALE 1.0.175": ("#56B4E9", ">"),
    "Plumerai 2023.05": ("#009E73", "D"),
    "X-CUBE-AI 9.0": ("#0072B2", "s"),
}
OURS = "#D55E00"
LABELS = {"digits": (-32, 6), "cifar10": (-14, -14)}  # points from the star, where the usual place is taken
KERNELS = {
    "conv2d": ("o", "convolution"),
    "depthwise_conv2d": ("x", "depthwise"),
    "fully_connected": ("+", "fully connected"),
}


def write(path: Path, rows: list[Row], points: list[Point]) -> None:
    """Draw into an SVG file that is equal every time."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "hilgate", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8.2, 5.6), layout="constrained")
    _kernels(axes, points)
    _published(axes)
    _models(axes, rows)
    axes.set(xscale="log", yscale="log", xlabel="MACs", ylabel="cycles per MAC, zero wait states")
    ticks = [0.8, 1, 1.5, 2, 3, 4, 6, 8]
    axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Creator": None}, facecolor="white")
    plt.close(figure)


def _kernels(axes: Any, points: list[Point]) -> None:
    for kind, (marker, title) in KERNELS.items():
        chosen = [
            p
            for p in points
            if p.name.startswith(kind + "_") and p.name.removesuffix(WINOGRAD_SUFFIX).endswith("_single")
        ]
        axes.plot(
            [p.macs for p in chosen], [p.cycles_per_mac for p in chosen], marker, color=OURS, alpha=0.55, markersize=5,
            fillstyle="none", label=f"hilgate, one {title} layer",
        )  # fmt: skip


def _published(axes: Any) -> None:
    with (HERE / "published.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    for engine, (colour, marker) in PEERS.items():
        mine = [line for line in lines if line["engine"] == engine]
        ranges = [_range(line) for line in mine]
        axes.errorbar(
            [int(line["macs"]) for line in mine],
            [middle for _, middle, _ in ranges],
            yerr=[[m - low for low, m, _ in ranges], [high - m for _, m, high in ranges]],
            fmt=marker, color=colour, markersize=5, elinewidth=1, capsize=2, label=engine,
        )  # fmt: skip


def _range(line: dict[str, str]) -> tuple[float, float, float]:
    """Cycles per MAC on the ruler: low, middle, high."""
    silicon = float(line["published_ms"]) * 1e3 * float(line["clock_mhz"]) / float(line["macs"])
    low, middle, high = TO_RULER_FROM_FLASH if line["model"] == "ad" else TO_RULER
    return silicon * low, silicon * middle, silicon * high


def _models(axes: Any, rows: list[Row]) -> None:
    for updatable, style in ((False, "full"), (True, "none")):
        chosen = [row for row in rows if row.optimize == "speed" and row.updatable == updatable and row.macs > 100_000]
        choice = "updatable" if updatable else "with passes by weight values"
        axes.plot(
            [row.macs for row in chosen], [row.cycles_per_mac for row in chosen], "*", color=OURS, markersize=12,
            fillstyle=style, label=f"hilgate, whole model, {choice}",
        )  # fmt: skip
        if updatable:
            for row in chosen:
                axes.annotate(
                    row.model,
                    (row.macs, row.cycles_per_mac),
                    LABELS.get(row.model, (7, 4)),
                    textcoords="offset points",
                    color=OURS,
                )
