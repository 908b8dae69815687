"""`python -m hilgate.link.codegen [--check]`."""

from __future__ import annotations

import sys

from hilgate.artifacts import atomic_write
from hilgate.console import say
from hilgate.errors import HilgateError
from hilgate.link.codegen import generate, stale
from hilgate.project import project_root


def main(arguments: list[str]) -> int:
    root = project_root()
    if "--check" in arguments:
        wrong = stale(root)
        for path in wrong:
            say(f"{path.relative_to(root)} is not what firmware/protocol.toml says: run hilgate.link.codegen")
        return 1 if wrong else 0
    for path, text in generate(root).items():
        atomic_write(path, text.encode())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except HilgateError as error:
        say(str(error))
        sys.exit(error.exit_code)
