"""protocol.toml is the only source of the header, the codec and the document."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilgate.errors import ParamsError
from hilgate.link import protocol
from hilgate.link.codegen import SOURCE, generate, stale
from hilgate.link.codegen.spec import Spec, load_spec


@pytest.fixture(scope="module")
def spec(root: Path) -> Spec:
    return load_spec(root / SOURCE)


def test_regeneration_changes_nothing(root: Path) -> None:
    assert stale(root) == []


def test_an_edit_of_the_source_makes_every_generated_file_stale(root: Path, tmp_path: Path) -> None:
    (tmp_path / "firmware").mkdir()
    text = (root / SOURCE).read_text("utf-8")
    (tmp_path / SOURCE).write_text(text.replace("version = 1 ", "version = 2 "), "utf-8")
    assert len(stale(tmp_path)) == len(generate(tmp_path)) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("frame_bytes = 1037", "frame_bytes = 1036", "frame_bytes must be 1037"),
        ("window = 3", "window = 4", "less than ring_bytes"),
        ("ring_bytes = 4096", "ring_bytes = 5000", "power of two"),
        ("opcode = 0x03", "opcode = 0x02", "given twice"),
        ("bench_runs = 200", "bench_runs = 256", "limits.bench_runs"),
        ("opcode = 0x0A", "opcode = 0x7A", "0x01-0x6F"),
        ('["data", "bytes"]]\n[[command]]\nname = "load"', '["data", "u64"]]\n[[command]]\nname = "load"', "u64"),
        ('["offset", "u32"], ["data", "bytes"]', '["data", "bytes"], ["offset", "u32"]', "last one"),
        ("[limits]", "[limits", "understood"),
    ],
)
def test_a_rule_that_is_broken_is_named(root: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (root / SOURCE).read_text("utf-8")
    assert old in text
    path = tmp_path / "protocol.toml"
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ParamsError, match=re.escape(message)):
        load_spec(path)


def test_sizes_of_the_two_languages_agree(root: Path, spec: Spec) -> None:
    header = (root / "firmware/src/protocol.h").read_text("utf-8")
    sizes = dict(re.findall(r"#define PROTOCOL_(\w+)_BYTES (\d+)u", header))
    assert int(sizes["IDENTIFY_ANSWER"]) == 120
    assert protocol.IdentifyAnswer.decode(bytes(120)).encode() == bytes(120)
    for command in spec.commands:
        if command.answer.fixed and command.answer.rest is None:
            decode = getattr(protocol, command.name.capitalize() + "Answer").decode
            decode(bytes(int(sizes[f"{command.name.upper()}_ANSWER"])))
            with pytest.raises(ValueError, match="are due"):
                decode(b"")


@pytest.mark.parametrize("compiler", ["gcc", pytest.param("arm-none-eabi-gcc", marks=pytest.mark.arm)])
def test_the_header_compiles_without_a_warning(root: Path, tmp_path: Path, compiler: str) -> None:
    program = shutil.which(compiler)
    assert program, f"{compiler} is needed"
    use = (
        '#include "protocol.h"\n#define ROW(n, o, a, b, c) +1\nextern int rows;\nint rows = 0 PROTOCOL_COMMANDS(ROW);\n'
    )
    (tmp_path / "use.c").write_text(use, "utf-8")
    flags = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", f"-I{root / 'firmware/src'}", "-c"]
    subprocess.run([program, *flags, "use.c"], cwd=tmp_path, check=True)


def test_generated_files_are_formatted(root: Path) -> None:
    clang = shutil.which("clang-format")
    assert clang, "clang-format is needed"
    subprocess.run([clang, "--dry-run", "--Werror", "firmware/src/protocol.h"], cwd=root, check=True)


LAYOUTS = [value for name, value in vars(protocol).items() if dataclasses.is_dataclass(value)]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
@given(body=st.binary(max_size=160))
def test_any_body_either_round_trips_or_is_refused(layout: type, body: bytes) -> None:
    try:
        decoded = layout.decode(body)
    except ValueError:
        return
    assert decoded.encode() == body
