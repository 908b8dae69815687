"""The findings as a table on stdout: what, in which state, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from hilgate.github.settings.setting import OK, OPEN, Finding

COLOURS = {"ok": "green", "made": "green", "optional": "dim", "paid plan": "yellow"}


def show(repository: str, findings: Sequence[Finding]) -> None:
    """Print it; without colours where stdout is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"GitHub settings of {repository}", box=box.SIMPLE, title_justify="left", pad_edge=False)
    for heading in ("setting", "state", "what to know, and what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        colour = "red" if finding.state in OPEN else COLOURS.get(finding.state, "")
        words = Text(finding.words)
        if finding.todo and finding.state != OK:
            words.append(("\n" if finding.words else "") + finding.todo, style="bold")
        table.add_row(Text(finding.name), Text(finding.state, style=colour), words)
    Console(soft_wrap=False, highlight=False).print(table)
