"""One module per command of `hilgate`, found by its file name; see hilgate/cli.py. A command holds no logic."""
