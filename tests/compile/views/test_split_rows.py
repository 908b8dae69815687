"""The search for strips: what it promises about memory and cycles holds in the code that is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgate.compile.compile import Compiled, compile_model, load, lower
from hilgate.compile.explain import explain
from hilgate.compile.graph import Graph, Node, Quantization, Tensor
from hilgate.compile.layer_rows import layer_rows
from hilgate.compile.ops.add.op import Add
from hilgate.compile.options import Options
from hilgate.compile.passes import rewrite, split_rows
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.ruler import nets
from hilgate.errors import DoesNotFitError, ModelError, ParamsError

WHOLE = ("split_rows",)


@pytest.fixture(scope="module")
def residual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nets.residual_net(tmp_path_factory.mktemp("nets") / "residual.onnx")


@pytest.fixture(scope="module")
def mobile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nets.mobile_net(tmp_path_factory.mktemp("nets") / "mobile.onnx")


def made(path: Path, tmp_path: Path, **choices) -> Compiled:
    return compile_model(path, tmp_path / "out", Options(**choices))


def arena(compiled: Compiled) -> int:
    return compiled.model["arena_bytes"]


@pytest.mark.parametrize("name", ["residual", "mobile"])
def test_ram_takes_less_memory_within_the_cycles_allowed(name: str, tmp_path: Path, request) -> None:
    path = request.getfixturevalue(name)
    whole, strips = (made(path, tmp_path, optimize="ram", without=without) for without in (WHOLE, ()))
    assert arena(strips) < 0.9 * arena(whole)
    assert sum(strips.cycles) <= 1.1 * sum(whole.cycles)
    assert strips.model["macs"] == whole.model["macs"]
    assert strips.model["weights_bytes"] == whole.model["weights_bytes"]
    assert strips.changes["split_rows"] > 0


def test_no_slowdown_allowed_means_no_strips(residual: Path, tmp_path: Path) -> None:
    assert made(residual, tmp_path, optimize="ram", max_slowdown=0.0).changes["split_rows"] == 0


@pytest.mark.parametrize("optimize", ["speed", "size"])
def test_other_choices_leave_layers_whole(optimize: str, residual: Path, tmp_path: Path) -> None:
    with_pass, without = (made(residual, tmp_path, optimize=optimize, without=w) for w in ((), WHOLE))
    assert with_pass.changes["split_rows"] == 0
    assert with_pass.model["architecture_hash"] == without.model["architecture_hash"]


@pytest.mark.parametrize("optimize", ["speed", "size", "ram"])
def test_a_limit_is_kept_and_a_tighter_one_costs_cycles(optimize: str, residual: Path, tmp_path: Path) -> None:
    whole = made(residual, tmp_path, optimize=optimize, without=WHOLE)
    cycles = sum(whole.cycles)
    for limit in (arena(whole), 10_000, 8_000, 6_400):
        tight = made(residual, tmp_path, optimize=optimize, max_arena_bytes=limit)
        assert arena(tight) <= limit
        assert sum(tight.cycles) >= cycles
        cycles = sum(tight.cycles)
        if limit == arena(whole):
            assert tight.model["architecture_hash"] == whole.model["architecture_hash"]


def test_a_limit_that_cannot_be_kept_says_the_smallest(residual: Path, tmp_path: Path) -> None:
    with pytest.raises(DoesNotFitError, match="max_arena_bytes") as caught:
        made(residual, tmp_path, max_arena_bytes=1_000)
    smallest = int(str(caught.value).split("takes ")[1].split(" bytes")[0].replace(",", ""))
    assert 1_000 < smallest < 6_432
    assert arena(made(residual, tmp_path, max_arena_bytes=smallest)) == smallest
    with pytest.raises(DoesNotFitError):
        made(residual, tmp_path, max_arena_bytes=smallest - 1)


def test_a_limit_without_the_pass_is_still_a_limit(residual: Path, tmp_path: Path) -> None:
    with pytest.raises(DoesNotFitError, match="split_rows"):
        made(residual, tmp_path, max_arena_bytes=8_000, without=WHOLE)


@pytest.mark.parametrize("choices", [{"max_arena_bytes": -1}, {"max_slowdown": -0.1}])
def test_senseless_limits_are_refused(choices: dict) -> None:
    with pytest.raises(ParamsError, match="max_"):
        Options(**choices)


def test_equal_models_are_split_alike(residual: Path, tmp_path: Path) -> None:
    one, other = (made(residual, tmp_path, optimize="ram") for _ in range(2))
    assert one.model == other.model


def test_the_whole_network_gives_the_same_numbers(residual: Path, make_bundle) -> None:
    whole, strips = load(residual), load(residual)
    lower(whole, Options("ram", without=WHOLE))
    lower(strips, Options("ram"))
    inputs = random_inputs(whole, 3, seed=2)
    (wanted,), (found,) = (run_reference(graph, inputs) for graph in (whole, strips))
    (on_host,) = make_bundle([strips], Options("ram")).host(0, inputs)
    assert (wanted == found).all()
    assert (wanted == on_host).all()


def test_the_table_has_one_row_for_all_strips_of_a_layer(residual: Path, tmp_path: Path) -> None:
    whole, strips = (made(residual, tmp_path, optimize="ram", without=without) for without in (WHOLE, ()))
    rows = [row for row in layer_rows(strips.model, strips.cycles) if row.op != "slice"]
    wanted = layer_rows(whole.model, whole.cycles)
    assert {(r.name, r.shape, r.macs, r.weights_bytes) for r in rows} == {
        (r.name, r.shape, r.macs, r.weights_bytes) for r in wanted
    }
    assert sum(row.calls for row in rows) > len(wanted)
    assert max(row.arena_bytes for row in rows) <= strips.model["arena_bytes"]


def test_explain_shows_what_the_pass_did(residual: Path) -> None:
    explanation = explain(residual, Options("ram"))
    steps, strips = {step.name: step for step in explanation.steps}, explanation.strips
    assert strips is not None
    assert strips.calls > len(strips.layers) >= 2
    assert strips.moved_bytes == sum(s.output.bytes for s in explanation.made.layers if s.node.op.kind == "slice")
    assert strips.dropped_macs == 0
    before, after = steps["avoid_copies"], steps["split_rows"]
    assert after.changes > 0
    assert after.macs == before.macs
    assert after.weight_bytes == before.weight_bytes
    assert after.arena_bytes < before.arena_bytes
    assert after.layers > before.layers


@pytest.mark.parametrize("choices", [{"updatable": False}, {"optimize": "ram"}, {"max_arena_bytes": 100}])
def test_passes_that_look_at_integers_see_only_legal_ones(choices: dict) -> None:
    """A scale that no multiplier can hold is refused in words, whichever pass would have met it first."""
    graph = Graph("far", inputs=["a", "b"], outputs=["y"], rounding="double")
    for name, scale in (("a", 1e30), ("b", 1e30), ("y", 1e-30)):
        graph.add(Tensor(name, (1, 8, 4, 4), "int8", Quantization((scale,), 0)))
    graph.nodes = [Node("add", Add(), ["a", "b"], ["y"])]
    with pytest.raises(ModelError, match="add"):
        rewrite(graph, Options(**choices))


def test_a_graph_of_thousands_of_nodes_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file may have them, and every stretch of them would be looked at."""

    def never(*_: object) -> None:
        raise AssertionError("searched")

    graph = Graph("long", inputs=["t0"], outputs=[f"t{split_rows.NODES_MAX + 1}"])
    graph.add(Tensor("t0", (1, 4, 4, 2), "int8", Quantization((0.1,), 0)))
    for index in range(split_rows.NODES_MAX + 1):
        made = graph.add(Tensor(f"t{index + 1}", (1, 4, 4, 2), "int8", Quantization((0.1,), 0)))
        graph.nodes.append(Node(f"n{index}", Add(), [f"t{index}", f"t{index}"], [made.name]))
    monkeypatch.setattr(split_rows, "Search", never)
    assert split_rows.run(graph, Options(optimize="ram")) == 0
    graph.nodes.pop()
    with pytest.raises(AssertionError, match="searched"):
        split_rows.run(graph, Options(optimize="ram"))
