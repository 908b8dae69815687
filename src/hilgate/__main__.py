"""Where `hilgate` and `python -m hilgate` start: Ctrl-C is quiet while Python still imports the rest, too."""

from __future__ import annotations


def main() -> None:
    """Import and run the command line; it exits as hilgate.cli.main does."""
    try:
        from hilgate.cli import main as run

        run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # hilgate.cli.STOPPED, which may not be there yet


if __name__ == "__main__":
    main()
