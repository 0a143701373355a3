"""What the recipe of each named system must show before it carries that name, as bars that are measured.

    python -m acceptance                      # every system, five seeds: an hour on two cores
    python -m acceptance gemma --seeds 3
    python -m acceptance --loopback           # only what needs no training: a minute

One module per system. Its `loopback` yields bars that need no training: planted faults that must be detected, with
models behind a server on this machine. Its `trained` yields those that do: each arm is a run of a recipe, over seeds,
in a folder that is kept, so a second call continues where the first stopped.
"""
