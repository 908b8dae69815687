"""The passes in the order they run: one file each, with one function `run(graph, options) -> int` (changes made)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilgate.compile.graph import Graph
from hilgate.compile.passes import (
    avoid_copies,
    drop_channels,
    drop_dead,
    drop_identities,
    fold_batch_norm,
    fold_pad,
    fuse_activation,
    fuse_bias,
    fuse_requantize,
    hoist_quantize,
    join_transposes,
    lower_quantization,
    split_rows,
    strip_edges,
)
from hilgate.compile.verify import verify, verify_lowered
from hilgate.errors import UsageError

if TYPE_CHECKING:
    from hilgate.compile.options import Options


@dataclass(frozen=True)
class Pass:
    """One rewrite. needed: without it no code can be made; by_weights: its result depends on weight values; lowered: it
    looks at integers, kernels or bytes, so that it sees only graphs for which code can be made."""

    name: str
    run: Callable[[Graph, Options], int]
    needed: bool = False
    by_weights: bool = False
    lowered: bool = False


PASSES = (
    Pass("hoist_quantize", hoist_quantize.run, needed=True),
    Pass("fuse_bias", fuse_bias.run, needed=True),
    Pass("fold_batch_norm", fold_batch_norm.run, needed=True),
    Pass("fuse_activation", fuse_activation.run, needed=True),
    Pass("lower_quantization", lower_quantization.run, needed=True),
    Pass("strip_edges", strip_edges.run, needed=True),
    Pass("drop_dequantize", drop_dead.run, needed=True),  # what lowering left without a reader
    Pass("fuse_activation_int8", fuse_activation.run),
    Pass("fold_pad", fold_pad.run),
    Pass("fuse_requantize", fuse_requantize.run),
    Pass("drop_identities", drop_identities.run),
    Pass("join_transposes", join_transposes.run),
    Pass("drop_channels", drop_channels.run, by_weights=True, lowered=True),
    Pass("drop_dead", drop_dead.run, needed=True),
    Pass("avoid_copies", avoid_copies.run, lowered=True),
    Pass("split_rows", split_rows.run, lowered=True),
)


# what compile.allocate decides after the passes: kernels, and where tensors lie
CHOICES = {"fast_kernels", "in_place", "overlap", "share_kernels", "winograd"}


Watch = Callable[[str, int, Graph], None]


def rewrite(graph: Graph, options: Options, watch: Watch | None = None) -> dict[str, int]:
    """Run every pass that is on; the graph is verified before the first and after each. Returns changes by pass.

    watch: sees each pass's name, its changes and the graph after it.
    """
    known = {p.name for p in PASSES if not p.needed} | CHOICES
    for name in options.without:
        if name not in known:
            raise UsageError(
                f"there is no optional pass `{name}`", where="without", hint=f"passes: {', '.join(sorted(known))}"
            )
    verify(graph)
    changes, legal = {}, False
    for step in PASSES:
        if step.name in options.without or (step.by_weights and options.updatable):
            continue
        if step.lowered and not legal:
            verify_lowered(graph, float_edges=options.io == "float32")
            legal = True
        changes[step.name] = step.run(graph, options)
        verify(graph, after=step.name)
        if watch is not None:
            watch(step.name, changes[step.name], graph)
    return changes
