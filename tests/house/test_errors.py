"""The tree of errors: drawn on top of errors.py, in docs/exit-codes.md, and in the classes themselves."""

from __future__ import annotations

import re

from hilgate import errors


def test_drawn_error_tree_is_the_real_one() -> None:
    rows = re.findall(r"^([│├└─ ]*)(\w+Error|VirtualFault) +(\d+|exit code)", errors.__doc__ or "", re.M)
    drawn, parents = {}, {0: "Exception"}
    for lines, name, code in rows:
        depth = len(lines) // 4
        drawn[name] = (parents.get(depth, ""), None if code == "exit code" else int(code))
        parents[depth + 1] = name
    real = {
        name: (kind.__mro__[1].__name__, kind.__dict__.get("exit_code"))
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.HilgateError)
    }
    drawn["HilgateError"] = ("Exception", 1)
    assert drawn == real


def test_every_exit_code_means_one_thing() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HilgateError)]
    codes = [kind.exit_code for kind in kinds]
    taken = {0, 10, 11, 12, 130, 141, 143}  # done, verdicts, signals
    assert len(codes) == len(set(codes)) and not taken & set(codes)
