"""Boards on a desk: which probes there are, how an image gets onto a board, and how a bench is asked to measure one."""
