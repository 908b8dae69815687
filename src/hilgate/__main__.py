"""`python -m hilgate`."""

from hilgate.cli import main

main()
