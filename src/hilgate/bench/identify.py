"""What a board says about itself, and what this project knows of it: the question before any measurement.

No input is loaded and nothing is measured. A record of the board's last crash is taken off it and told.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hilgate.artifacts import artifact
from hilgate.bench.boards import boards_by_id
from hilgate.errors import HilgateError
from hilgate.hashing import image_hashes
from hilgate.link.connect import connect
from hilgate.link.contact import Options
from hilgate.link.exchange import name_of
from hilgate.link.faults import crash
from hilgate.link.ports import probe_of
from hilgate.link.protocol import FIRST_BAUD, ClockSource, Counter, IdentifyAnswer, ResetCause
from hilgate.link.timing import Timing, timing_of
from hilgate.link.transports import scheme_of
from hilgate.virtual.peripherals.uid import NO_UID, UID_MARK

ECHO = bytes(range(256))  # every byte value goes there and back
ECHOES = 8  # 0.4 s at 115200 baud: enough to see a cable that is bad


def identify(url: str, root: Path, timing: Timing | None = None) -> dict[str, Any]:
    """Ask the board behind a port. root: the project whose boards and images it is compared with.

    Gives what `hilgate identify --json` prints (docs/link.md). Raises UsageError, LinkError, DeviceError.
    """
    boards = boards_by_id(root)
    rates = {FIRST_BAUD: None} | {int(b.tables["console"]["baud"]): None for b in boards.values()}
    options = Options(timing=timing or timing_of(scheme_of(url)), rates=tuple(rates))
    with connect(url, options=options) as session:
        said, heard = session.identity, session.contact.earlier_crash
        board = boards.get(said.board_id)
        before = dict(vars(session.counters))  # finding a board may cost frames that a good link does not lose
        echoed = all(session.echo(ECHO) == ECHO for _ in range(ECHOES))
        marks = session.memory()
        cell, whole = _cell(said, root)
        if said.fault_pending:
            elf = str(artifact(root, "build.elf", cell)) if cell else None
            heard = crash(session.fault(), session.name, elf)
        counters = {name: count - before[name] for name, count in vars(session.counters).items()}
    return {
        "port": session.name,
        "probe": probe_of(url),
        "board": {"id": said.board_id, "name": board.name if board else None},
        "uid": said.uid.hex(),
        "virtual": said.uid.startswith(UID_MARK),
        "protocol": said.version,
        "clock": {"hz": said.clock_hz, "source": name_of(ClockSource, said.clock_source)},
        "counter": name_of(Counter, said.counter),
        "baud": said.baud,
        "reset_cause": name_of(ResetCause, said.reset_cause),
        "crash": heard.what if heard else None,
        "image": {"hash": said.image_hash.hex(), "intact": bool(said.image_ok), "cell": cell, "same_weights": whole},
        "model": {
            "architecture": said.architecture_hash.hex(),
            "weights": said.weights_hash.hex(),
            "input_bytes": said.input_bytes,
            "output_bytes": said.output_bytes,
            "layers": said.layers,
        },
        "memory": asdict(marks),
        "link": {"echoed": echoed, **counters},
    }


def _cell(said: IdentifyAnswer, root: Path) -> tuple[str | None, bool | None]:
    """The cell of this project whose image runs there, and whether its weights do; (None, None) when none does."""
    found: tuple[str | None, bool | None] = (None, None)
    for elf in sorted(artifact(root, "build.elf", "x").parents[1].glob("*/firmware.elf")):
        try:
            hashes = image_hashes(elf)
        except HilgateError:
            continue  # damaged: `hilgate build` and `hilgate run` say so
        if hashes.image == said.image_hash:
            found = elf.parent.name, hashes.weights == said.weights_hash
            if found[1]:
                break
    return found


def lines(who: dict[str, Any]) -> list[str]:
    """The same for a person, one fact a line; the last says what comes next."""
    board, clock, image, model, ram = (who[name] for name in ("board", "clock", "image", "model", "memory"))
    rows = [
        ("port", who["port"] + (f", probe {who['probe']}" if who["probe"] else "")),
        ("board", f"{board['name'] or 'unknown here, number ' + str(board['id'])} ({_chip(who)})"),
        ("image", f"{image['hash'][:16]}: {_what_runs(image)}"),
        ("model", f"{model['input_bytes']} bytes in, {model['output_bytes']} out, {model['layers']} layers"),
        ("weights", f"{model['weights'][:16]}, architecture {model['architecture'][:16]}"),
        ("clock", f"{clock['hz'] / 1e6:g} MHz from {clock['source']}, cycles by {who['counter']}"),
        ("memory", f"arena {ram['arena_bytes']} B, static {ram['static_bytes']} B"),
        ("stack", f"{ram['stack_seen_bytes']} of {ram['stack_bytes']} B seen"),
        ("reset", who["reset_cause"] + (f"; {who['crash']}" if who["crash"] else "")),
        ("link", f"{who['baud']} baud, {_how_well(who['link'])}"),
    ]
    return [f"{name:<8} {value}" for name, value in rows] + _next(who)


def _what_runs(image: dict[str, Any]) -> str:
    if not image["intact"]:
        return "damaged, it does not match its own hash"
    if image["cell"] is None:
        return "no cell of this project has it"
    return f"cell {image['cell']}" + ("" if image["same_weights"] else ", but with other weights")


def _how_well(link: dict[str, Any]) -> str:
    troubles = {"retried": "repeated", "damaged": "damaged", "refused": "refused by the board"}
    seen = [f"{link[name]} {word}" for name, word in troubles.items() if link[name]]
    if not link["echoed"]:
        seen.append("an echo came back changed")
    return f"{link['sent']} frames sent" + (f", {', '.join(seen)}" if seen else ", none repeated")


def _next(who: dict[str, Any]) -> list[str]:
    image, board = who["image"], who["board"]
    if image["cell"] and image["same_weights"] and image["intact"]:
        return [f"next     hilgate run {image['cell']}" + ("" if who["virtual"] else f" --on {who['port']}")]
    if board["name"] is None or who["virtual"] or bytes.fromhex(who["uid"]) in NO_UID:
        return []
    return [f"next     hilgate flash artifacts/build/CELL/firmware.elf --board {board['name']}"]


def _chip(who: dict[str, Any]) -> str:
    if bytes.fromhex(who["uid"]) in NO_UID:
        return "no unique id: no chip"
    return f"{'virtual board' if who['virtual'] else 'chip'} {who['uid']}"
