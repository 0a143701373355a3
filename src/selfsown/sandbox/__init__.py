"""Run untrusted programs: no network, no files but their own, no environment, and limits on everything they use.

`sandbox.py` is what graders call. Each worker is a process (`supervisor.py`) that forks two processes per program: one
runs the program in isolation (`isolation.py`) and answers requests about it (`program_side.py`); the other runs the
tests (`test_script.py`, `test_collection.py`), isolated as well, on proxies of what the program defines
(`test_side.py`), and writes the verdict (`test_verdict.py`). The two exchange plain data only (`protocol.py`), so a
program neither sees its tests nor writes the verdict. The watchdog of both (`watchdog.py`) enforces their limits and
that of the scratch folder (`scratch_folder.py`), and reports a pass only where the tests reported one.
"""
