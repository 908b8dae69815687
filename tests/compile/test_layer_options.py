"""`optimize` for single layers: from params.yaml and the command line; it changes those layers and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hilgate import cli
from hilgate.artifacts import read_json
from hilgate.compile.compile import compile_model, load, lower
from hilgate.compile.explain import explain
from hilgate.compile.options import LayerChoice, Options
from hilgate.compile.reference import random_inputs, run_reference
from hilgate.compile.ruler import nets
from hilgate.errors import ParamsError, UsageError
from hilgate.params import parse_params

YAML = "compile: { m: { optimize: speed, layers: { %s } } }"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nets.residual_net(tmp_path_factory.mktemp("layers") / "residual.onnx")


@pytest.fixture(scope="module")
def kernels(model: Path, tmp_path_factory: pytest.TempPathFactory):
    """kernels(options) -> kernel of each layer by name."""
    folder = tmp_path_factory.mktemp("out")

    def compiled(options: Options) -> dict[str, str]:
        made = compile_model(model, folder, options).model
        return {layer["name"]: layer["kernel"] for layer in made["layers"]}

    return compiled


@pytest.fixture(scope="module")
def winograd(kernels) -> list[str]:
    """Layers that take Winograd's kernel when speed counts."""
    names = [name for name, kernel in kernels(Options()).items() if kernel == "conv2d_winograd_s8"]
    assert len(names) >= 2
    return names


@pytest.mark.parametrize("optimize", ["size", "ram"])
def test_one_layer_changes_and_no_other(optimize: str, kernels, winograd) -> None:
    plain, chosen = kernels(Options()), kernels(Options(layers={winograd[0]: LayerChoice(optimize)}))
    assert {name for name in plain if plain[name] != chosen[name]} == {winograd[0]}


def test_one_layer_is_fast_where_the_others_are_small(kernels, winograd) -> None:
    chosen = kernels(Options("size", layers={winograd[0]: LayerChoice("speed")}))
    assert [name for name, kernel in chosen.items() if kernel == "conv2d_winograd_s8"] == [winograd[0]]


def test_every_layer_chosen_alike_is_the_option_itself(model: Path, kernels, tmp_path: Path) -> None:
    names = kernels(Options())
    one = compile_model(model, tmp_path / "a", Options("size"))
    other = compile_model(model, tmp_path / "b", Options(layers=dict.fromkeys(names, LayerChoice("size"))))
    assert (tmp_path / "a/model.c").read_bytes() == (tmp_path / "b/model.c").read_bytes()
    assert one.model["architecture_hash"] == other.model["architecture_hash"]


def test_mixed_choices_give_the_reference(model: Path, winograd, make_bundle) -> None:
    graph = load(model)
    options = Options(layers={winograd[0]: LayerChoice("size"), winograd[1]: LayerChoice("ram")})
    lower(graph, options)
    inputs = random_inputs(graph, 3, seed=5)
    for mine, wanted in zip(make_bundle([graph], options).host(0, inputs), run_reference(graph, inputs), strict=True):
        np.testing.assert_array_equal(mine, wanted)


def test_the_kernels_reason_says_that_it_was_chosen(model: Path, winograd) -> None:
    reasons = explain(model, Options(layers={winograd[0]: LayerChoice("size")})).reasons
    said = [reason.layer for reason in reasons if reason.why.startswith("optimize: size for this layer; ")]
    assert said == [winograd[0]]


def test_an_unknown_layer_lists_near_names(model: Path, winograd, tmp_path: Path) -> None:
    wrong = winograd[0][:-1] + "Q"
    with pytest.raises(ParamsError, match="there is no layer") as caught:
        compile_model(model, tmp_path, Options(layers={wrong: LayerChoice("size")}))
    assert winograd[0] in caught.value.hint


def test_params_take_choices_by_layer() -> None:
    params = parse_params(YAML % "conv2d_3: { optimize: size }, '7': { optimize: ram }", Path("params.yaml"))
    options = params.section("compile", "m", Options)
    assert options.layers == {"conv2d_3": LayerChoice("size"), "7": LayerChoice("ram")}
    assert (options.of("conv2d_3").optimize, options.of("other").optimize) == ("size", "speed")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: { optimize: fast }", "`optimize` is 'fast'"),
        ("a: { optimise: size }", "m.layers.a: unknown key `optimise`"),
        ("a: {}", "m.layers.a: key `optimize` is missing"),
        ("a: size", "m.layers.a: must be a mapping"),
    ],
)
def test_params_refuse_other_choices(text: str, says: str) -> None:
    params = parse_params(YAML % text, Path("params.yaml"))
    with pytest.raises(ParamsError) as caught:
        params.section("compile", "m", Options)
    assert says in str(caught.value)


def test_params_refuse_a_list_of_layers() -> None:
    params = parse_params("compile: { m: { layers: [a] } }", Path("params.yaml"))
    with pytest.raises(ParamsError, match="must be a mapping, not"):
        params.section("compile", "m", Options)


def test_the_command_takes_the_option_repeatedly(model: Path, winograd, tmp_path: Path) -> None:
    choices = [word for name in winograd[:2] for word in ("--layer", f"{name}=size")]
    words = ["compile", str(model), "-o", str(tmp_path), *choices]
    done = CliRunner().invoke(cli.application(words), words, catch_exceptions=False)
    assert done.exit_code == 0
    document = read_json(tmp_path / "model.json", "model")
    assert document["options"]["layers"] == {name: {"optimize": "size"} for name in winograd[:2]}
    by_name = {layer["name"]: layer["kernel"] for layer in document["layers"]}
    assert "conv2d_winograd_s8" not in {by_name[name] for name in winograd[:2]}


@pytest.mark.parametrize(
    ("texts", "error", "says"),
    [
        (["conv2d_3"], UsageError, "`conv2d_3` is no NAME=speed"),
        (["=size"], UsageError, "`=size` is no NAME=speed"),
        (["a=size", "a=ram"], UsageError, "chosen for twice"),
        (["a=tiny"], ParamsError, "`optimize` is 'tiny'"),
    ],
)
def test_the_command_refuses_other_words(texts: list[str], error, says: str, model: Path, tmp_path: Path) -> None:
    words = ["compile", str(model), "-o", str(tmp_path), *(w for text in texts for w in ("--layer", text))]
    with pytest.raises(error, match=says):
        CliRunner().invoke(cli.application(words), words, catch_exceptions=False, standalone_mode=False)
