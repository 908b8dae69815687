"""The tables that `hilgate compile` prints on stdout: layers, and with --explain passes, choices and kernels.

Nothing is cut: in a narrow terminal names fold onto more lines, and a layer's kernel stands below its name.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from hilgate.compile.layer_rows import layer_rows

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from hilgate.compile.compile import Compiled
    from hilgate.compile.explain import Choice, Explanation
    from hilgate.compile.why import Reason

WIDE_COLUMNS = 124  # from here on every fact has its own column
PIPE_COLUMNS = 160  # into a file or a log
PREDICTED = "predicted cycles of a Cortex-M4 at zero wait states"


def show(compiled: Compiled) -> None:
    """Print the layers of a compilation and their sums."""
    console = _console()
    console.print(layers_table(compiled, wide=console.width >= WIDE_COLUMNS))


def show_explanation(explanation: Explanation) -> None:
    """Print what each pass did, the kernel of each layer and why, what the alternatives cost, and the arena's map."""
    console = _console()
    console.print("", passes_table(explanation), "", _kernels(explanation), "", _choices(explanation), "")
    console.print(memory_sentence(explanation), markup=False, highlight=False)
    console.print(explanation.arena_text(), markup=False, highlight=False, soft_wrap=True)


def memory_sentence(explanation: Explanation) -> str:
    """What each way of sharing memory saves."""
    arena = explanation.made.plan.arena_bytes
    parts = [f"{without - arena:+,} without `{name}`" for name, without in explanation.memory.items()]
    return (
        f"The arena of {arena:,} bytes would change by {', by '.join(parts)}." if parts else f"arena: {arena:,} bytes"
    )


def layers_table(compiled: Compiled, *, wide: bool) -> Table:
    """One row a layer; in a narrow one a layer's kernel stands below its name."""
    model, cycles = compiled.model, compiled.cycles
    words = ("layer", "op", "kernel", "output") if wide else ("layer, kernel", "output")
    table = _table(model["name"], words, ("MACs", "weights B", "cycles", "arena B"))
    for row in layer_rows(model, cycles):
        names = (row.title, row.op, row.kernel) if wide else (f"{row.title}\n  [dim]{row.kernel}[/dim]",)
        numbers = (row.macs, row.weights_bytes, row.cycles, row.arena_bytes)
        table.add_row(*names, row.shape, *(f"{n:,}" for n in numbers))
    table.caption = _sums(model, sum(cycles))
    return table


def _sums(model: dict[str, Any], cycles: int) -> str:
    shapes = " -> ".join("x".join(map(str, edge["shape"])) for edge in (*model["input"], *model["output"]))
    arena, weights, macs = model["arena_bytes"], model["weights_bytes"], model["macs"]
    return (
        f"{shapes}: {macs:,} MACs, {weights:,} bytes of weights, {arena:,} bytes of arena, {cycles:,} cycles.\n"
        f"cycles: {PREDICTED}; arena B: in use while the layer runs"
    )


def passes_table(explanation: Explanation) -> Table:
    """A cell of a pass that changed nothing there says so by `=`."""
    numbers = ("changes", "layers", "MACs", "weights B", "copied B", "arena B")
    table = _table("passes: the network after each", ("pass",), numbers)
    before: tuple[int | None, ...] = ()
    for step in explanation.steps:
        after = (step.layers, step.macs, step.weight_bytes, step.copied_bytes, step.arena_bytes)
        cells = [_cell(b, a) for b, a in zip(before or (None,) * 5, after, strict=True)]
        table.add_row(step.name, f"{step.changes:,}" if before else "", *cells)
        before = after
    table.caption = (
        "=: as before the pass. weights B: int8 values; copied B: by slices and concatenations;\n"
        "arena B: tensors alone, `-` while they are not yet integers.\n"
        + _with_kernels(explanation)
        + _in_strips(explanation)
    )
    return table


def _cell(before: int | None, after: int | None) -> str:
    if after is None:
        return "-"
    if before is None or before == after:
        return f"{after:,}" if before is None else "[dim]=[/dim]"
    return f"{after:,}\n[dim]{after - before:+,}[/dim]"


def _with_kernels(explanation: Explanation) -> str:
    made = explanation.choices[0]
    return f"With kernels chosen: {made.blob_bytes:,} bytes of weights blob, {made.arena_bytes:,} bytes of arena."


def _in_strips(explanation: Explanation) -> str:
    """Which layers run a few rows at a time, and what that costs."""
    strips = explanation.strips
    if strips is None:
        return ""
    names = f"`{strips.layers[0]}` to `{strips.layers[-1]}`" if len(strips.layers) > 1 else f"`{strips.layers[0]}`"
    return (
        f"\nsplit_rows: {names} run a few rows at a time, {strips.calls} calls for {len(strips.layers)} layers; "
        f"no MAC twice,\n{strips.moved_bytes:,} bytes of rows moved, {strips.dropped_macs:,} MACs of rows that "
        "nobody reads left out."
    )


def _kernels(explanation: Explanation) -> Table:
    """Layers that got the same kernel for the same reason share a row."""
    table = _table("kernels", ("kernel, layers",), ("cycles", "portable"), ("why",))
    groups: dict[tuple[str, str], list[Reason]] = {}
    for reason in explanation.reasons:
        groups.setdefault((reason.kernel, reason.why), []).append(reason)
    for (kernel, why), reasons in groups.items():
        plain = [r.portable_cycles for r in reasons if r.portable_cycles is not None]
        names = ", ".join(dict.fromkeys(reason.layer for reason in reasons))
        total = sum(reason.cycles for reason in reasons)
        cells = (f"{total:,}", f"{sum(plain):,}" if plain else "-", why)
        table.add_row(f"{kernel.removesuffix('_s8')}\n[dim]{names}[/dim]", *cells)
    table.caption = f"{PREDICTED}; portable: of the plain definition in C, `-` where there is no other kernel"
    return table


def _choices(explanation: Explanation) -> Table:
    table = _table("choices", ("optimize", "updatable"), ("MACs", "weights blob B", "arena B", "cycles"))
    for choice in explanation.choices:
        numbers = (choice.macs, choice.blob_bytes, choice.arena_bytes, choice.cycles)
        table.add_row(choice.options.optimize, str(choice.options.updatable).lower(), *(f"{n:,}" for n in numbers))
    table.caption = "first: what was compiled.\n" + updatable_sentence(explanation.choices)
    return table


def updatable_sentence(choices: list[Choice]) -> str:
    """What the other choice of `updatable` would change."""
    made, others = choices[0], choices[1:]
    other = next((c for c in others if c.options.updatable != made.options.updatable), None)
    if other is None:
        return "The other choice of `updatable` does not suit this model."
    parts = (
        (other.macs - made.macs, "MACs"),
        (other.blob_bytes - made.blob_bytes, "bytes of weights"),
        (other.arena_bytes - made.arena_bytes, "bytes of arena"),
        (other.cycles - made.cycles, "cycles"),
    )
    changes = ", ".join(f"{difference:+,} {what}" for difference, what in parts if difference) or "nothing"
    price = "new weights would need new code" if made.options.updatable else "new weights would be data"
    return f"`updatable: {str(other.options.updatable).lower()}` would change {changes}; {price}."


def _table(title: str, left: tuple[str, ...], right: tuple[str, ...], last: tuple[str, ...] = ()) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left", caption_justify="left")
    for heading in left:
        table.add_column(heading, overflow="fold", min_width=min(len(heading), 10))
    for heading in right:
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in last:
        table.add_column(heading, overflow="fold")
    return table


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS, highlight=False)
