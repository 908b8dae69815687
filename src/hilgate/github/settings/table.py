"""The findings on stdout: a table of what is how, and below it what to do, in lines that can be copied."""

from __future__ import annotations

from collections.abc import Sequence

from hilgate.github.settings.setting import OK, OPEN, OPTIONAL, Finding

COLOURS = {"ok": "green", "made": "green", "optional": "dim", "paid plan": "yellow"}


def show(repository: str, findings: Sequence[Finding]) -> None:
    """Print it; without colours where stdout is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"GitHub settings of {repository}", box=box.SIMPLE, title_justify="left", pad_edge=False)
    for heading in ("setting", "state", ""):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        colour = "red" if finding.state in OPEN else COLOURS.get(finding.state, "")
        table.add_row(Text(finding.name), Text(finding.state, style=colour), Text(finding.words))
    console = Console(highlight=False)
    console.print(table)
    for line in _to_do(findings):
        console.print(Text(line), soft_wrap=True)


def _to_do(findings: Sequence[Finding]) -> list[str]:
    """What helps against what, each command once: first what is missing, then what may be added."""
    lines: list[str] = []
    for heading, optional in (("Missing:", False), ("Optional:", True)):
        names: dict[str, list[str]] = {}
        for finding in findings:
            if finding.todo and finding.state != OK and (finding.state == OPTIONAL) == optional:
                names.setdefault(finding.todo, []).append(finding.name)
        for todo, things in names.items():
            steps = [f"    {step}" for step in todo.split("\n")]
            lines += [*([heading] if things is next(iter(names.values())) else []), f"  {', '.join(things)}", *steps]
    return lines
