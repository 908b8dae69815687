"""params.yaml: read as DVC reads it, and whatever is wrong with it is one line that names the place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dvc.utils.serialize import parse_yaml
from hypothesis import given
from hypothesis import strategies as st

from hilgate.errors import ParamsError
from hilgate.params import SECTIONS, build, load_params, parse_params
from hilgate.yamltext import LONGEST, MOST_VALUES, read_yaml

HERE = Path("params.yaml")


@dataclass(frozen=True)
class Inner:
    epochs: int


@dataclass(frozen=True)
class Settings:
    """One field for each kind of value that a room has."""

    count: int
    rate: float = 1.0
    name: str = ""
    on: bool = False
    layers: tuple[int, ...] = ()
    inner: Inner | None = None
    limit: float | str | None = None
    choices: dict[str, Inner] = field(default_factory=dict)


def settings(text: str) -> Settings:
    return parse_params(f"train: {{ digits: {text} }}", HERE).section("train", "digits", Settings)


def test_every_kind_of_value():
    text = '{ count: 3, rate: 1e-3, name: a, on: true, layers: [1, 2], inner: { epochs: 4 }, limit: "2%", '
    text += "choices: { b: { epochs: 1 } } }"
    expected = Settings(3, 0.001, "a", True, (1, 2), Inner(4), "2%", {"b": Inner(1)})
    assert settings(text) == expected
    assert settings("{ count: 3, rate: 2, limit: 7, inner: null }") == Settings(3, 2.0, limit=7.0)
    assert type(settings("{ count: 3, rate: 2 }").rate) is float


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{ count: 3, ephocs: 4 }", "train.digits: unknown key `ephocs` (keys: count, rate,"),
        ("{ rate: 1 }", "train.digits: key `count` is missing (add it: int)"),
        ("{ count: '3' }", "train.digits.count: must be int, not '3'"),
        ("{ count: 3.0 }", "count: must be int, not 3.0"),
        ("{ count: true }", "count: must be int, not True"),
        ("{ count: }", "count: must be int, not null"),
        ("{ count: [3] }", "count: must be int, not [3]"),
        ("{ count: 3, rate: true }", "rate: must be float, not True"),
        ("{ count: 3, rate: fast }", "rate: must be float, not 'fast'"),
        ("{ count: 3, name: 4 }", "name: must be str, not 4"),
        ("{ count: 3, on: 1 }", "on: must be bool, not 1"),
        ("{ count: 3, on: yes }", "on: must be bool, not 'yes'"),
        ("{ count: 3, layers: 4 }", "layers: must be a list of int, not 4"),
        ("{ count: 3, layers: [4, x] }", "layers[1]: must be int, not 'x'"),
        ("{ count: 3, inner: { epochs: x } }", "inner.epochs: must be int, not 'x'"),
        ("{ count: 3, inner: 4 }", "inner: must be a mapping, not 4 (keys: epochs)"),
        ("{ count: 3, limit: [1] }", "limit: must be float or str or null, not [1]"),
        ("{ count: 3, choices: [1] }", "choices: must be a mapping, not [1]"),
        ("{ count: 3, choices: { a: 1 } }", "choices.a: must be a mapping, not 1"),
        ("{ count: .nan }", "train.digits.count: nan is no number to work with"),
        ("{ count: 3, rate: .inf }", "rate: inf is no number"),
        ("{ count: 3, rate: 1e999 }", "rate: inf is no number"),
        (f"{{ count: {2**63} }}", "count: a number beyond 64 bits"),
        ("{ count: 2026-11-20 }", "count: datetime.date(2026, 11, 20) is neither text nor a number"),
        ("{ 1: 3 }", "train.digits: the key 1 is no text (put it in quotes, or choose a name)"),
        ("3", "train.digits: must be a mapping, not 3 (keys: count"),
        ("null", "train.digits: must be a mapping, not null"),
        (f"{{ count: {'x' * 5000} }}", "count: must be int, not 'xxx"),
    ],
)
def test_a_wrong_entry_is_one_line_with_its_place(entry, message):
    with pytest.raises(ParamsError) as caught:
        settings(entry)
    line = str(caught.value)
    assert line.startswith("params.yaml: ") and message in line
    assert "\n" not in line and len(line) < 500 and caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "params.yaml: must be a mapping of sections (sections: cells, data,"),
        ("- data", "params.yaml: must be a mapping of sections"),
        ("trian: {}", "params.yaml: unknown section `trian` (sections: cells, data,"),
        ("train: 3", "params.yaml: section `train` must be a mapping, not 3"),
        ("train: []", "params.yaml: section `train` must be a mapping, not []"),
        ("on: {}", "params.yaml: unknown section `on`"),
        ("cells: { a: }", "params.yaml: cells.a: must be a mapping, not null (keys: task, board)"),
        ("cells: { a: { task: t } }", "params.yaml: cells.a: key `board` is missing"),
        ("cells: { a-b: { task: t, board: b } }", "params.yaml: cells: `a-b` is no cell name (letters, digits, _;"),
        ("cells: { ../a: { task: t, board: b } }", "params.yaml: cells: `../a` is no cell name"),
        ("data:\n  a: {}\ndata:\n  b: {}\n", "params.yaml, line 3: not valid YAML: found duplicate key"),
        ("data:\n  a: { b: 1,\n    b: 2 }\n", "params.yaml, line 3: not valid YAML: found duplicate key"),
        ("data:\n\ta: {}", "params.yaml, line 2: not valid YAML: found character"),
        ("data: {}\ndata: a: b", "params.yaml, line 2: not valid YAML: mapping values are not allowed here"),
        ("data: {}\nrun: \x00", "params.yaml, line 2: not valid YAML: special characters are not allowed"),
        ("data: *a", "params.yaml, line 1: not valid YAML: found undefined alias 'a'"),
        ("data: {}\n---\ndata: {}", "params.yaml, line 2: not valid YAML: but found another document"),
        ("data: !!python/object/apply:os.system [ls]", "params.yaml, line 1: not valid YAML: could not determine"),
        ("data: 2026-13-45", "params.yaml: not valid YAML: month must be in 1..12"),
        ("data: !!int abc", "params.yaml: not valid YAML: invalid literal for int"),
        ("data: !!bool maybe", "params.yaml: not valid YAML: 'maybe'"),
        ("data: !!set { a }", "params.yaml: data: {'a'} is neither text nor a number"),
        (f"data: {'9' * 5000}", "params.yaml: not valid YAML: Exceeds the limit"),
        ("data: " + "[" * 3000, "params.yaml: not valid YAML: nested too deep"),
        ("x" * (LONGEST + 1), f"params.yaml: longer than {LONGEST:,} characters"),
        ("data: &a { b: *a }", f"params.yaml: more than {MOST_VALUES:,} values, with aliases followed"),
    ],
)
def test_a_wrong_file_is_one_line_with_its_place(text, message):
    with pytest.raises(ParamsError) as caught:
        parse_params(text, HERE)
    line = str(caught.value)
    assert line.startswith(message), line
    assert "\n" not in line and len(line) < 500


def test_few_lines_cannot_stand_for_millions():
    """Aliases of aliases, as lists and as merged mappings: either would fill the memory of who looks at the values."""
    for first, part in (("[x, x]", "[{}]"), ("{ k: 1, l: 2 }", "{{ <<: [{}] }}")):
        lines = [f"  a0: &a0 {first}"]
        lines += [f"  a{n}: &a{n} {part.format(', '.join([f'*a{n - 1}'] * 10))}" for n in range(1, 9)]
        with pytest.raises(ParamsError, match="with aliases followed"):
            parse_params("data:\n" + "\n".join(lines), HERE)


def test_anchors_and_merges_are_for_people_who_repeat_themselves():
    text = "train:\n  a: &usual { epochs: 3 }\n  b: { <<: *usual }\n  c: *usual\n"
    assert {name: entry["epochs"] for name, entry in parse_params(text, HERE).sections["train"].items()} == {
        "a": 3,
        "b": 3,
        "c": 3,
    }


VALUES = (
    "1e-3 1.0e-3 1e3 1.e3 +.5 0755 09 -012 0o17 0x1F 0b11 5_000 1_0.5 1:30 yes no on Off y True TRUE false ~ null Null "
    "'3' abc 2% -0 .5 1. 1e"
).split()


@pytest.mark.parametrize("text", VALUES)
def test_values_are_those_that_dvc_sees(text):
    """DVC compares values to find out what is stale: 0755 or `yes` must not mean something else to hilgate."""
    ours, theirs = read_yaml(f"a: {text}", "x")["a"], parse_yaml(f"a: {text}", "x")["a"]
    assert (type(ours), ours) == (type(theirs), theirs)


@given(st.text(max_size=60) | st.text("{}[]&*!|>-:,?#'\" \n\tab<19.~", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        params = parse_params(text, HERE)
    except ParamsError as error:
        assert "\n" not in str(error)
    else:
        assert set(params.sections) == set(SECTIONS)


def test_an_item_that_is_missing():
    params = parse_params("train: { digits: { count: 3 } }", HERE)
    with pytest.raises(ParamsError, match=r"section `train` has no entry `waves` \(it has: digits\)"):
        params.section("train", "waves", Settings)
    with pytest.raises(ParamsError, match=r"section `run` has no entry `waves` \(it has: none\)"):
        params.section("run", "waves", Settings)
    with pytest.raises(ParamsError, match=r"there is no cell `a` \(cells: none\)"):
        params.cell("a")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"data: {} # \xe9\n", "not UTF-8 text"), (b"\xff\xfe\x00d", "not UTF-8 text"), (None, "cannot be read")],
)
def test_files_that_are_no_text(tmp_path, content, message):
    if content is not None:
        (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(ParamsError, match=message) as caught:
        load_params(tmp_path)
    assert caught.value.where == str(tmp_path / "params.yaml")


def test_the_committed_file(root):
    params = load_params(root)
    assert params.cells and all(params.sections[name] for name in SECTIONS)


def test_entries_from_elsewhere_are_checked_too():
    """Board tables come from TOML."""
    with pytest.raises(ParamsError, match=r"board\.toml: pll: unknown key `m`"):
        build(Inner, {"epochs": 1, "m": 2}, "board.toml: pll")
