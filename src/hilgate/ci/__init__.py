"""What the jobs of the workflows do, and `hilgate ci` on this computer.

The modules beside this one are what the commands call. Below them, each importing only what stands to its left:
changes <- claims <- images <- judging <- pulls <- benches.
"""
