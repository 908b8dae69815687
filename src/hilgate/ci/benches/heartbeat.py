"""Whether a bench is there. Its last sign of life is a file on a branch: no workflow's token can list runners."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from hilgate.artifacts import parse_json
from hilgate.errors import ArtifactError, UsageError
from hilgate.github.branches import replace_file
from hilgate.github.client import Client
from hilgate.github.contents import read_file

BRANCH = "hilgate-bench"
OLDEST_S = 15 * 60
CLOCK_SLACK_S = 5 * 60  # how far the bench's clock may be ahead of ours
BOARD = re.compile(r"[A-Za-z0-9_]{1,100}")
FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Pulse:
    """State of one board's bench: online, offline (it was there once) or absent (nobody ever set one up)."""

    board: str
    state: str
    reason: str


def pulse(client: Client, board: str) -> Pulse:
    """Look for a board's heartbeat. Raises UsageError for a name that is no board, RefusedError, GitHubError."""
    path = _path(board)
    content = read_file(client, path, BRANCH)
    if content is None:
        return Pulse(board, "absent", f"no bench has ever reported `{board}`: there is no {path} on branch {BRANCH}")
    try:
        beat = parse_json(content.decode("utf-8", "replace"), "heartbeat", where=f"{path} on {BRANCH}")
        at = datetime.strptime(beat["at"], FORMAT).replace(tzinfo=UTC).timestamp()
    except (ArtifactError, ValueError) as error:
        return Pulse(board, "offline", f"the bench's heartbeat cannot be read: {error}"[:500])
    if beat["board"] != board:
        return Pulse(board, "offline", f"the heartbeat of `{board}` is one of another board")
    age = client.clock.now() - at
    if age < -CLOCK_SLACK_S:
        return Pulse(board, "offline", f"the bench's clock is {_minutes(-age)} ahead: its heartbeat says nothing")
    if age > OLDEST_S:
        reason = f"the bench last reported {_minutes(age)} ago; after {_minutes(OLDEST_S)} it counts as offline"
        return Pulse(board, "offline", reason)
    return Pulse(board, "online", f"the bench reported {_minutes(max(age, 0.0))} ago")


def beat(client: Client, board: str) -> None:
    """What the bench does every five minutes: say that this board can be measured. Needs `contents: write`."""
    path = _path(board)
    at = datetime.fromtimestamp(client.clock.now(), UTC).strftime(FORMAT)
    document = {"schema": "heartbeat", "version": 1, "board": board, "at": at}
    replace_file(client, BRANCH, path, json.dumps(document, indent=1) + "\n", "Report the bench")


def _path(board: str) -> str:
    if not BOARD.fullmatch(board):
        raise UsageError(f"{board[:100]!r} is no name of a board", where="heartbeat")
    return f"heartbeat/{board}.json"


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
