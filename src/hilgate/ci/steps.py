"""Steps of verdict.yml and approve.yml that ask GitHub and write nothing to it: environment in, sentences out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hilgate.ci.benches import hardware
from hilgate.ci.pulls import again
from hilgate.ci.pulls.base import find_base
from hilgate.ci.pulls.event import read_event, tell
from hilgate.ci.pulls.undecided import write_undecided
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


def run_plan(environment: Environment, folder: Path) -> list[str]:
    """`hilgate ci hardware plan`: the boards of the job matrix."""
    planned = hardware.plan(Client(access_from(environment)), read_event(environment), folder)
    tell(environment, planned.as_outputs())
    rows = [f"{row['board']}: {row['state']}, {row['reason']}" for row in planned.rows]
    return rows or ["nothing of this change needs a board"]


def run_online(environment: Environment, root: Path) -> list[str]:
    """`hilgate ci hardware online`: every board whose bench is there."""
    pulses = hardware.online(Client(access_from(environment)), root)
    boards = [one.board for one in pulses if one.state == "online"]
    tell(environment, {"boards": json.dumps(boards)})
    return [f"{one.board}: {one.state}, {one.reason}" for one in pulses] or ["no board of this project can be flashed"]


def run_undecided(environment: Environment, folder: Path, complete: bool) -> list[str]:
    """`hilgate ci undecided`: say that nothing could be judged, where that is so."""
    client = Client(access_from(environment))
    made = write_undecided(client, read_event(environment), folder, complete=complete)
    return [f"no verdict was computed: {folder} says so now" if made else f"{folder} has a verdict"]
