"""From an admitted claim and main's base to verdict.json and context.json."""
