"""Documentation that fails when it lies: links, commands, paths and snippets of every page."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest

from hilgate import cli
from hilgate.params import parse_params

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
    cwd=ROOT, capture_output=True, text=True, check=True,
).stdout.splitlines()  # fmt: skip
PAGES = sorted({ROOT / name for name in LISTED if (ROOT / name).is_file()})
OTHER_PROGRAMS = {"git", "cd", "sed", "sudo", "dvc", ".", "pre-commit", ".venv/bin/python", "arm-none-eabi-gcc", "gcc"}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, language: str) -> list[str]:
    """Contents of the page's fenced blocks, those in lists too."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", page.read_text("utf-8"), re.M | re.S)
    return [textwrap.dedent(content) for _, content in found]


def shell_lines(page: Path) -> list[str]:
    """Commands of the page's sh blocks, without comments, split at &&."""
    text = "\n".join(blocks(page, "sh")).replace("\\\n", " ")
    lines = [line.split(" #")[0].strip() for line in text.splitlines() if not line.startswith("#")]
    return [part.strip() for line in lines for part in line.split("&&") if part.strip()]


def anchors(page: Path) -> set[str]:
    """Anchors as GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_links_resolve(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(there), f"{page.name}: no heading for {target}"


@every_page
def test_commands_exist(page: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    for line in shell_lines(page):
        words = line.split()
        if words[0] == "make":
            assert {word for word in words[1:] if not word.startswith("-")} <= targets, line
        elif words[0].startswith("scripts/"):
            assert os.access(ROOT / words[0], os.X_OK), line
        elif words[0] == "hilgate":
            check_hilgate(words[1:], line)
        else:
            assert words[0] in OTHER_PROGRAMS, line


@every_page
def test_commands_in_sentences_exist(page: Path) -> None:
    """`hilgate gate --base v1.2` in the text, as in a block; <name> stands for something."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for words in (found.split() for found in re.findall(r"`hilgate ([^`]+)`", text)):
        if not words[0].startswith("<"):
            check_hilgate(words, f"{page.name}: hilgate {' '.join(words)}")


def check_hilgate(words: list[str], line: str) -> None:
    """The command exists, and so does every option that the line gives it."""
    if words[0].startswith("-"):
        assert words[0] in ("--help", "--version", "--install-completion"), line
        return
    assert words[0] in cli.command_names(), line
    help_text = help_of(words[0])
    if len(words) > 1 and re.search(rf"^ {{2}}{re.escape(words[1])}\s", help_text, re.M) and "Commands:" in help_text:
        help_text = help_of(words[0], words[1])
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in help_text, f"{line}: {word}"


@cache
def help_of(*words: str) -> str:
    command = [sys.executable, "-m", "hilgate.cli", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@every_page
def test_named_paths_exist(page: Path) -> None:
    """A path in backticks below a folder of the project is really there; <name> and * stand for something."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for path in re.findall(r"`((?:src|scripts|docs|firmware|tests|\.github)/[\w./<>*-]*)`", text):
        pattern = re.sub(r"<\w+>", "*", path).rstrip("/")
        assert [*ROOT.glob(pattern), *page.parent.glob(pattern)], f"{page.relative_to(ROOT)}: {path}"


@every_page
def test_params_snippets_are_legal(page: Path) -> None:
    for block in blocks(page, "yaml"):
        params = parse_params(block, page)
        assert any(params.sections.values()), block


@every_page
def test_python_snippets_are_legal(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, str(page), "exec")
        for module in re.findall(r"^(?:from|import) (hilgate[\w.]*)", block, re.M):
            assert importlib.util.find_spec(module), f"{page.name}: {module}"


def test_readme_begins_with_the_two_commands() -> None:
    assert shell_lines(ROOT / "README.md")[:5].count("make demo") == 1
    assert "make test" in shell_lines(ROOT / "README.md")[:6]


def test_exit_codes_page_is_generated() -> None:
    command = [sys.executable, str(ROOT / "scripts/exit_codes.py"), "--check"]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def test_changelog_and_package_agree_on_the_version() -> None:
    from hilgate import __version__

    text = (ROOT / "CHANGELOG.md").read_text()
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()
    assert re.search(rf"^## \[(Unreleased|{re.escape(__version__)})\]", text, re.M)


def test_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text


def test_every_decision_is_in_the_index_and_says_why() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    pages = sorted((ROOT / "docs/decisions").glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1)), "each number once"
    for page in pages:
        text = page.read_text("utf-8")
        assert f"]({page.name})" in index, page.name
        assert text.startswith(f"# {page.name[:4]}: "), page.name
        assert all(part in text for part in ("Context", "Choice")), page.name
