"""Running programs that a model wrote: no network, no files but their own, no environment, bounded in all they use.

cells.py is what graders call. A cell is a process (warden.py) that forks two more for each program: one runs it behind
walls (walls.py) and answers for it (near.py), the other runs the tests (tested.py, collected.py), behind walls of its
own, on what it can see of the program (far.py), and says the verdict (verdict.py). What the two say to each other is
plain data (wire.py), so that a program neither sees its tests nor speaks the verdict. The guard of both (guard.py)
keeps their limits and the folder's (store.py), and believes in a pass only where one was said.
"""
