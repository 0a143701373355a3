"""What each named system's recipe must show before it is called by that name, as bars that are measured.

    python -m acceptance                      # every system, five seeds: an hour on two cores
    python -m acceptance gemma --seeds 3
    python -m acceptance --loopback           # only what a server on the loopback can show: a minute

A file is a system. Its `loopback` yields bars that need no training: planted faults that must be found. Its `learned`
yields those that do: each arm is a run of a recipe, over seeds, in a folder that is kept, so that a second call goes
on where the first was ended.
"""
