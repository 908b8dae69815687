"""Steps of verdict.yml and approve.yml that ask GitHub and write nothing to it: environment in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hilgate.ci import again
from hilgate.ci.base import find_base
from hilgate.ci.event import read_event, write_outputs
from hilgate.github.access import access_from
from hilgate.github.client import Client

Environment = Mapping[str, str]


def run_base(environment: Environment) -> list[str]:
    """`hilgate ci base`: the merge-base, and the run that keeps its build."""
    found = find_base(Client(access_from(environment)), read_event(environment))
    tell(environment, found.as_outputs() if found else {"base_sha": "", "base_ref": "", "base_run": ""})
    if found is None:
        return ["nobody wants to merge this head: no base"]
    kept = f"run {found.run_id} keeps its build" if found.run_id else "no run keeps its build, so it is built again"
    return [f"base {found.sha[:10]} on {found.ref}: {kept}"]


def run_again(environment: Environment) -> list[str]:
    """`hilgate ci again`: start the verdict of an approved head once more."""
    return [again.execute(Client(access_from(environment)), environment)]


def tell(environment: Environment, values: Mapping[str, str]) -> None:
    """Hand values to later jobs, where there are any."""
    path = environment.get("GITHUB_OUTPUT", "")
    if path:
        write_outputs(Path(path), values)
