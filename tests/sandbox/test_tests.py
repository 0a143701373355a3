"""Tests of programs: what passes, what does not and why, and that no program can forge a pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from selfsown.records import SelfsownError
from selfsown.sandbox.sandbox import Job, Outcome, Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        made = Sandbox(cpu_seconds=1, workers=1)
    except SelfsownError as error:
        pytest.skip(str(error))
    with made:
        yield made


def run(sandbox: Sandbox, program: str, tests: str, entry: str = "") -> Outcome:
    return sandbox.run(Job(program, tests=tests, entry_point=entry))


PASSING = {
    "values": ("def f(x): return [x, (x,), {x: {1.5, 'a'}}, b'b', None, 2**100, 1j]", "assert f(1)[:2] == [1, (1,)]"),
    "every kind comes back as it was": (
        "from decimal import Decimal\nfrom fractions import Fraction\nfrom collections import *\nimport datetime\n"
        "def f(): return [2**100, -0.5, 1j, b'x', bytearray(b'y'), range(1, 9, 2), frozenset({1}), Decimal('1.10'),"
        " Fraction(1, 3), deque([1]), Counter('aab'), OrderedDict(a=1), datetime.date(2020, 1, 2), {(1, 2): None}]",
        "from decimal import Decimal\nfrom fractions import Fraction\nfrom collections import *\nimport datetime\n"
        "assert f() == [2**100, -0.5, 1j, b'x', bytearray(b'y'), range(1, 9, 2), frozenset({1}), Decimal('1.10'),"
        " Fraction(1, 3), deque([1]), Counter('aab'), OrderedDict(a=1), datetime.date(2020, 1, 2), {(1, 2): None}]\n"
        "assert [type(each) for each in f()][4:8] == [bytearray, range, frozenset, Decimal]\n"
        "assert str(f()[7]) == '1.10'",
    ),
    "a list is changed in place": (
        "def f(x, y):\n x.sort()\n y['k'] = x\n return x",
        "l, d = [3, 1, 2], {}\nassert f(l, d) is l\nassert l == [1, 2, 3] and d == {'k': [1, 2, 3]}",
    ),
    "an exception": (
        "class Wrong(ValueError): pass\ndef f(x):\n raise Wrong('no', x)\ndef g(): raise KeyError('k')",
        "try:\n f(1); assert False\nexcept Wrong as error:\n assert error.args == ('no', 1)\n"
        "try:\n f(1); assert False\nexcept ValueError: pass\n"
        "try:\n g(); assert False\nexcept KeyError: pass",
    ),
    "a class": (
        "class Stack:\n  'a stack'\n  kind = 'lifo'\n  def __init__(self): self.all = []\n"
        "  def push(self, x): self.all.append(x); return self\n  def __len__(self): return len(self.all)\n"
        "  def __iter__(self): return iter(self.all)\n  def __contains__(self, x): return x in self.all\n"
        "  def __getitem__(self, at): return self.all[at]\n  def __str__(self): return 'stack'\n"
        "  def __eq__(self, other): return self.all == other.all\n"
        "  def __add__(self, other):\n    made = Stack()\n    made.all = self.all + other.all\n    return made\n"
        "  def __enter__(self): return self\n  def __exit__(self, *error): self.all.clear()\n",
        "s = Stack()\ns.push(1).push(2)\nassert len(s) == 2 and list(s) == [1, 2] and 2 in s and s[0] == 1\n"
        "assert isinstance(s, Stack) and not isinstance(3, Stack) and str(s) == 'stack' and Stack.kind == 'lifo'\n"
        "assert s + s == Stack().push(1).push(2).push(1).push(2) and s != Stack() and s == s\n"
        "s.name = 'x'\nassert s.name == 'x' and not hasattr(s, 'nothing')\nwith s as t: assert t is s\nassert not s",
    ),
    "a generator": (
        "def f():\n at = 0\n while True:\n  yield at\n  at += 1",
        "from itertools import islice\nassert list(islice(f(), 4)) == [0, 1, 2, 3]\n"
        "g = f(); next(g); assert next(g) == 1",
    ),
    "functions go in and come out": (
        "def f(g, x): return g(x)\ndef adder(n): return lambda x: x + n",
        "assert f(lambda x: x * 2, 4) == 8\nassert adder(3)(4) == 7\nassert f(adder(1), 1) == 2\n"
        "assert f(len, [1, 2]) == 2\n"
        "def bad(x): raise ValueError('mine')\n"
        "try:\n f(bad, 1); assert False\nexcept Exception as e: assert 'mine' in str(e)",
    ),
    "what the program imports": (
        "import math\nfrom math import isclose\nfrom typing import List\ndef f(x: List[int]): return math.sqrt(x[0])",
        "x: List[int] = [2]\nassert math.fabs(f(x) - 1.41421356) < 1e-6 and isclose(f([4]), 2)",
    ),
    "keywords and defaults": (
        "def f(a, *b, c=3, **d): return [a, b, c, d]",
        "assert f(1, 2, c=4, e=5) == [1, (2,), 4, {'e': 5}]",
    ),
    "its own helpers and numbers": ("LIMIT = 7\ndef g(x): return x\ndef f(x): return g(x)", "assert f(LIMIT) == g(7)"),
    "a name of Python's own": ("def sorted(x): return list(x)[::-1]", "assert candidate([1, 2]) == [2, 1]", "sorted"),
    "check and candidate": ("def f(x): return x", "def check(candidate):\n  assert candidate(3) == 3", "f"),
    "it prints": ("def f(x):\n print(x)\n return x\nprint('hello')", "assert f(1) == 1"),
    "no main": ("def f(): return 1\nif __name__ == '__main__': input('?')", "assert f() == 1"),
    "named tuples and enumerations of numbers": (
        "from collections import namedtuple\nfrom enum import IntEnum\nP = namedtuple('P', 'x y')\n"
        "class E(IntEnum):\n  A = 1\ndef f(): return P(1, E.A)",
        "assert f() == (1, 1)",
    ),
    "dataclasses": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n  x: int\ndef f(x): return P(x)",
        "assert f(1) == P(1) and f(1) != P(2) and f(1).x == 1",
    ),
    "threads": (
        "import threading\ndef f():\n out = []\n t = threading.Thread(target=out.append, args=(1,))\n"
        " t.start(); t.join()\n return out",
        "assert f() == [1]",
    ),
    "asyncio": ("import asyncio\nasync def g(): return 5\ndef f(): return asyncio.run(g())", "assert f() == 5"),
}


@pytest.mark.parametrize("case", PASSING)
def test_what_is_right_passes(case: str, sandbox: Sandbox) -> None:
    found = run(sandbox, *PASSING[case])
    assert found.passed, found


FAILING = {
    "a wrong value": ("def f(x): return x", "assert f(1) == 1\nassert f(2) == 3", "fails at: assert f(2) == 3"),
    "with words": ("def f(x): return x", "assert f(1) == 2, 'one more'", "fails: one more at: assert f(1) == 2"),
    "it raises": (
        "def f(x): return 1 / x",
        "assert f(0)",
        "raises ZeroDivisionError: division by zero at: assert f(0)",
    ),
    "at the start": ("x = 1\ny = 1 / 0", "assert x", "raises ZeroDivisionError before its tests in line 2"),
    "no Python": ("def f(:", "assert f(0)", "raises SyntaxError before its tests in line 1"),
    "a name is missing": ("def g(): pass", "assert f(0)", "raises NameError: name 'f' is not defined"),
    "too slow": ("def f():\n while True: pass", "assert f()", "takes longer than 1 s"),
    "too large": ("def f(): return 'x' * 10**10", "assert f()", "raises MemoryError"),
    "too much to say": ("def f(): return 'x' * 10**8", "assert f()", "returns a value that cannot be sent: ValueError"),
    "it goes round in circles": (
        "def f():\n x = []\n x.append(x)\n return x",
        "assert f()",
        "returns a value that cannot be sent: Rec",
    ),
}


@pytest.mark.parametrize("case", FAILING)
def test_what_is_wrong_fails_and_says_why(case: str, sandbox: Sandbox) -> None:
    program, tests, reason = FAILING[case]
    found = run(sandbox, program, tests)
    assert (found.passed, found.invalid_tests) == (False, False)
    assert found.reason.startswith(reason)


def test_tests_that_are_no_python_are_nobodys_fault(sandbox: Sandbox) -> None:
    found = run(sandbox, "def f(): return 1", "assert (f()")
    assert found.invalid_tests
    assert "the tests are not valid Python" in found.reason


TESTS = "def check(candidate):\n    assert candidate(20) == 6765\n    assert abs(candidate(9) - 34) < 1e-6\n"
ALIKE = "class Alike:\n" + "".join(
    f"  def __{name}__(self, *other): return {gives}\n"
    for names, gives in (
        ("eq lt le gt ge bool contains", True),
        ("ne", False),
        ("sub rsub add radd mul abs neg float int round index", 0),
        ("hash len", 1),
    )
    for name in names.split()
)
FORGED = {
    "it says passed": "print('passed'); print({'passed': True})\ndef f(x): print('passed')",
    "it ends before its tests": "import os; os._exit(0)",
    "it ends in its tests": "import os\ndef f(x): os._exit(0)",
    "it leaves": "import sys; sys.exit(0)",
    "it leaves in its tests": "def f(x): raise SystemExit(0)",
    "it leaves by an interrupt": "def f(x): raise KeyboardInterrupt",
    "it leaves by a generator": "def f(x): raise GeneratorExit",
    "it stops an iteration": "def f(x): raise StopIteration",
    "it equals everything": f"{ALIKE}def f(x): return Alike()",
    "it lies in a list": f"{ALIKE}def f(x): return [Alike()][0]",
    "a number that equals everything": f"{ALIKE.replace('Alike:', 'Alike(int):')}def f(x): return Alike(3)",
    "exceptions that are none": "import builtins\nbuiltins.AssertionError = type('None', (BaseException,), {})\n"
    "AssertionError = None\ndef f(x): raise builtins.AssertionError",
    "its own abs": "import builtins\ndef abs(x): return 0\nbuiltins.abs = abs\nbuiltins.all = lambda x: True\n"
    "def f(x): return 6765",
    "its own modules": "import math, sys\nmath.fabs = abs = lambda x: 0\nsys.modules['builtins'] = math\n"
    "def f(x): return 6765",
    "it reads its tests from the frames": "import sys\ndef f(x):\n frame, found = sys._getframe(), []\n"
    " while frame:\n  found += [each for each in frame.f_code.co_consts or () if isinstance(each, int)]\n"
    "  frame = frame.f_back\n return 6765 if 6765 in found else 34 if 34 in found else 0",
    "it looks for its tests in memory": "import gc\ndef f(x):\n"
    " return 6765 if any('6765' in str(o) for o in gc.get_objects() if type(o) is str or type(o) is dict) else 0",
    "it traces": "import sys, threading\ndef trace(frame, *rest):\n frame.f_trace_lines = False\n return trace\n"
    "sys.settrace(trace); threading.settrace(trace)\ndef f(x): sys.settrace(trace)",
    "its own check": "def check(candidate): pass\ncandidate = lambda x: x\ndef f(x): return 0",
    "it answers for its tests": 'import os\nsaid = b\'{"verdict": "passed", "reason": ""}\'\n'
    "for at in range(3, 50):\n for each in (said, len(said).to_bytes(4, 'big') + said):\n  try: os.write(at, each)\n"
    "  except OSError: pass\ndef f(x): return 0",
    "it speaks for another": "import json, os, struct\ndef say(x):\n said = json.dumps(x).encode()\n"
    " os.write(3, struct.pack('>I', len(said)) + said)\n"
    "say({'names': {'f': {'module': ['operator', 'truth']}, 'abs': {'module': ['operator', 'not_']}}})\n"
    "for _ in range(9): say({'result': True, 'changed': {}})\nimport time; time.sleep(1)",
    "it hands over a module": "import json, os, struct\ndef say(x):\n said = json.dumps(x).encode()\n"
    " os.write(3, struct.pack('>I', len(said)) + said)\n"
    "say({'names': {'f': {'module': ['random', '_os']}}})\nimport time; time.sleep(1)",
    "it signals": "import os, signal\nfor each in range(1, 9):\n try: os.kill(os.getppid() + each, 9)\n"
    " except OSError: pass\ndef f(x): return 0",
    "it registers an end": "import atexit, os\natexit.register(print, 'passed')\ndef f(x): return 0",
}


@pytest.mark.parametrize("way", FORGED)
def test_a_forged_pass_does_not_count(way: str, sandbox: Sandbox) -> None:
    found = run(sandbox, FORGED[way], TESTS, "f")
    assert found.passed is False, found
    right = "def f(x):\n a, b = 0, 1\n for _ in range(x): a, b = b, a + b\n return a"
    assert run(sandbox, right, TESTS, "f").passed  # and nothing is left of it
    bare = "assert f(20) == 6765\nassert abs(f(9) - 34) < 1e-6\nassert f(2) in (1, 1.0)\nassert not f(0)"
    assert run(sandbox, FORGED[way], bare).passed is False
    assert run(sandbox, right, bare).passed
