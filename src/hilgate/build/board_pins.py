"""Where a line of the console is, checked against the MCU's own table."""

from __future__ import annotations

from typing import Any

from hilgate.build.board_facts import Facts


def pin_of(facts: Facts, uart: str, line: str, vectors: dict[str, Any]) -> tuple[str, int]:
    """Port letter and pin number, checked against the MCU's own table."""
    place = facts.text("console", line)
    possible = vectors["usart_pins"].get(f"{uart}_{line.upper()}", {})
    if possible.get(place) != facts.get("console", "alternate_function"):
        raise facts.refuse(f"[console] {line} = {place} is not {uart}'s on this MCU", f"possible: {possible}")
    return place[1], int(place[2:])
