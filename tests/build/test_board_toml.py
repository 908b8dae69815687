"""board.toml as a person may leave it: never a crash, always the file's name."""

from __future__ import annotations

import copy
import functools
import json
import tomllib
from collections.abc import Iterator

import pytest

from hilgate.build import board_header, linker, placement
from hilgate.build.layout import check_memories
from hilgate.build.vectors import load_vectors
from hilgate.catalogue import load_board
from hilgate.errors import ParamsError

WRONG = ("x", -1, 2**40, 1.5, True, [1], {"a": 1}, None)  # None: the fact is missing


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def places(facts: dict | list, above: tuple = ()) -> Iterator[tuple]:
    """The way to each fact; of a long list to the list alone."""
    for key, value in facts.items() if isinstance(facts, dict) else enumerate(facts):
        yield (*above, key)
        if isinstance(value, (dict, list)) and len(value) < 8:
            yield from places(value, (*above, key))


def test_every_fact_may_be_wrong_or_missing(root, tmp_path, name="stm32h747i_disco"):
    """Each fact of the board with the most of them, of each wrong type: an error of ours, or a board that generates."""
    facts = tomllib.loads((root / "firmware/boards" / name / "board.toml").read_text("utf-8"))
    folder = tmp_path / "firmware/boards" / name
    folder.mkdir(parents=True)
    (tmp_path / "firmware/port").symlink_to(root / "firmware/port")
    refused = 0
    for way in places(facts):
        for value in WRONG:
            changed = copy.deepcopy(facts)
            at = functools.reduce(lambda table, key: table[key], way[:-1], changed)
            if value is None:
                del at[way[-1]]
            else:
                at[way[-1]] = value
            text = "\n".join(f"{key} = {toml(item)}" for key, item in changed.items())
            (folder / "board.toml").write_text(text, "utf-8")
            try:
                board = load_board(name, tmp_path)
                check_memories(board, load_vectors(board)["memories"])
                board_header.render(board)
                linker.render(board, placement.place(board, 1000, 1000))
            except ParamsError:
                refused += 1
    assert refused > 300


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"memory = 3", b"schema = 1", None])
def test_a_board_toml_that_is_none(root, tmp_path, content):
    path = tmp_path / "firmware/boards/odd/board.toml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content or b"")
    if content is None:
        path.unlink()
    with pytest.raises(ParamsError) as error:
        load_board("odd", tmp_path)
    assert str(path) == error.value.where


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("schema = 1", "schema = 2", "schema is 2, this hilgate reads 1"),
        ("schema = 1", "schema = 1\ncolour = 3", "unknown key `colour`"),
        ('name = "sram"', 'name = "image"', "memory `image` cannot be called so"),
        ('name = "sram"', 'name = "sram (rw)"', "cannot be called so"),
        ('name = "sram"', 'name = "flash"', "two memories have one name"),
        ("bytes = 0x2_0000", "bytes = 0xF000_0000", "within the 4 GB"),
        ("board_id = 1", "board_id = 65536", "board_id is 65536"),
        ("baud = 921600", "baud = 0", r"\[console\] baud is 0"),
        ("sectors = [16384, ", "sectors = [-16384, 32768, ", "its sectors are"),
        ("sectors = [", "sectors = { count = 99999999, bytes = 1 }\nolder = [", "count is 99999999, not 1 to 65536"),
    ],
)
def test_facts_that_are_checked_for_everybody(board_with, old, new, word):
    with pytest.raises(ParamsError, match=word):
        board_with((old, new))
