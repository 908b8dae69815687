"""Draw what `hilgate gate` shows in a terminal: scripts/screenshot.py VERDICT.json PICTURE.svg.

The picture is the real output for a real verdict, such as that of `make demo`; nothing in it is typed by hand.
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from hilgate.report.terminal import show

WIDTH = 104  # columns: enough for the wide table


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    show(json.loads(Path(sys.argv[1]).read_text("utf-8")), console)
    picture = console.export_svg(title="hilgate gate", theme=MONOKAI, unique_id="hilgate")
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)  # no fonts from elsewhere
    Path(sys.argv[2]).write_text("".join(line.rstrip() + "\n" for line in picture.splitlines()), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
