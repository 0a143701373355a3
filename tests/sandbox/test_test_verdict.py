"""A pass is a verdict that was spoken: ways to make either side die, hang, lie or be late, and none of them passes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfsown.records import SelfsownError
from selfsown.sandbox.sandbox import Job, Sandbox

TESTS = """assert f(20) == 6765, f(20)
for got, want in zip(map(f, [9, 2]), [34, 1]):
    assert got == want, got
failed = False
try:
    f(-1)
except BaseException:
    failed = True
assert failed
"""
RIGHT = """def f(x):
    if x < 0:
        raise ValueError(x)
    a, b = 0, 1
    for _ in range(x):
        a, b = b, a + b
    return a
"""
WRONG = "def f(x):\n    return x\n"

# It speaks on the line itself: `say` any bytes as a message, `hear` what the tests say.
WIRE = """
import json, os, socket, struct, time
line = socket.socket(fileno=3)
def hear():
    size, = struct.unpack(">I", line.recv(4, socket.MSG_WAITALL))
    return json.loads(line.recv(size, socket.MSG_WAITALL))
def say(what):
    said = what if isinstance(what, bytes) else json.dumps(what).encode()
    line.sendall(struct.pack(">I", len(said)) + said)
def names(value):
    say({"names": {name: value for name in wanted}})
wanted = hear()
"""
OBJECT = f"{WIRE}names({{'object': 0}})\n"
LEAVE = "\nos._exit(0)\n"


def thing(method: str, does: str, *, more: str = "") -> str:
    return f"import os, time\nclass A:\n    def __{method}__(self, *a): {does}\n{more}def f(x): return A()\n"


BOMBS = {
    "a fraction": {"Fraction": "1e999999999"},
    "a decimal that is asked for its whole": {"Decimal": "1e999999999"},
    "a number of many digits": {"int": "f" * 20_000_000},
    "no number": {"int": "x"},
    "a date that is none": {"date": "tomorrow"},
    "a set of lists": {"set": [{"list": []}]},
    "a range without end": {"range": [0, 10**30, 1]},
    "a range of words": {"range": ["a", "b", "c"]},
    "two things at once": {"list": [], "tuple": []},
    "nothing at all": {},
    "a kind that nobody knows": {"os": "system"},
    "a thing without a number": {"object": "x"},
    "a thing with an endless number": {"object": 1e400},
    "an exception without a name": {"error": [1]},
    "a module that is not shared": {"module": ["os", "f"]},
    "a dictionary of lists": {"dict": [[{"list": []}, 1]]},
}
WAYS = {
    f"{name} on the line": f"{WIRE}names({value!r}){LEAVE}".replace("inf", "1e400") for name, value in BOMBS.items()
}
WAYS |= {
    "brackets without end": f"{WIRE}say(b'[' * 1_000_000){LEAVE}",
    "lists in lists": f"{WIRE}say(b'{{\"names\": {{\"f\": ' + b'{{\"list\": [' * 900 + b']}}' * 900 + b'}}}}'){LEAVE}",
    "no JSON": f"{WIRE}say(b'\\xff\\xfe'){LEAVE}",
    "a list for an answer": f"{WIRE}say([]){LEAVE}",
    "a word for an answer": f"{WIRE}say('passed'){LEAVE}",
    "a verdict for an answer": f"{WIRE}say({{'verdict': 'passed', 'reason': 'passes its tests'}}){LEAVE}",
    "half a message": f"{WIRE}line.sendall(b'\\0\\0\\1\\0{{'){LEAVE}",
    "a message longer than all": f"{WIRE}line.sendall(b'\\xff' * 1000){LEAVE}",
    "millions of empty lists": f"{WIRE}say(b'{{\"names\": {{\"f\": [' + b'[],' * 9_000_000 + b'0]}}}}'){LEAVE}",
    "it names nothing": f"{WIRE}say({{'names': 5}}){LEAVE}",
    "it raises without words": f"{WIRE}say({{'raises': None}}){LEAVE}",
    "it raises nonsense when it is asked": f"{OBJECT}hear()\nsay({{'raises': 5, 'bases': 3, 'args': 0}}){LEAVE}",
    "it raises a class that ends loops": (
        f"{OBJECT}while hear():\n"
        " say({'raises': 'Stop', 'bases': ['StopIteration', 'Exception'], 'args': [], 'line': 1})"
    ),
    "it is lost without words": f"{OBJECT}while hear(): say({{'unsendable': ''}})",
    "it gives what was never given": f"{OBJECT}hear()\nsay({{'result': {{'same': 99}}, 'changed': {{}}}}){LEAVE}",
    "it changes what is not there": f"{OBJECT}hear()\nsay({{'result': 6765, 'changed': {{'9': 1}}}}){LEAVE}",
    "it calls what the tests do not have": f"{OBJECT}hear()\nsay({{'callback': 7, 'values': []}}){LEAVE}",
    "it answers before it is asked": f"{OBJECT}for _ in range(9): say({{'result': True, 'changed': {{}}}})\nhear()\n",
    "it hears and says nothing": f"{OBJECT}hear()\nwhile True: pass",
    "it shuts the line": f"{OBJECT}line.shutdown(socket.SHUT_RDWR)\nwhile True: pass",
    "it ends as it is shown": thing("repr", "os._exit(0)") + "A.__str__ = A.__repr__\n",
    "it ends as it is formatted": thing("str", "os._exit(0)"),
    "it ends as it is gone through": thing("iter", "os._exit(0)"),
    "it ends as it is counted": thing("len", "os._exit(0)"),
    "it ends as it is compared": thing("eq", "os._exit(0)"),
    "it takes for ever as it is shown": thing("str", "return [None for _ in iter(int, 1)]"),
    "it shows what is no text": thing("str", "return 5"),
    "it ends as its complaint is told": (
        "import os\nclass E(Exception):\n    def __init__(self): self.args = (self,)\n"
        "    def __repr__(self): os._exit(0)\ndef f(x): raise E"
    ),
    "a complaint of many digits": "def f(x): raise ValueError(1 << 10_000_000)",
    "a complaint too long to be told": "def f(x): raise ValueError('x' * 40_000_000)",
    "a complaint whose class has a long name": "def f(x): raise type('x' * 1_000_000, (ValueError,), {})",
    "an interrupt": "def f(x): raise KeyboardInterrupt",
    "an exit with code 0": "def f(x): raise SystemExit(0)",
    "the end of a generator": "def f(x): raise GeneratorExit",
    "the end of an iteration": "def f(x): raise StopIteration",
    "the end of an iteration by another name": "class Done(StopIteration): pass\ndef f(x): raise Done(6765)",
    "no more input": "def f(x): return input()",
    "a list within itself": "def f(x):\n    a = []\n    a.append(a)\n    return a",
    "deeper than anybody goes": "def f(x):\n    a = []\n    for _ in range(100_000): a = [a]\n    return a",
    "more than fits on the line": "def f(x): return 'x' * 40_000_000",
    "more than the tests can hold": "def f(x): return [[]] * 6_000_000",
    "an error of the machine": "import ctypes\ndef f(x): ctypes.string_at(0)",
    "it ends itself": "import os\ndef f(x): os.kill(os.getpid(), 9)",
    "it closes everything": "import os\ndef f(x):\n    os.closerange(0, 64)\n    while True: pass",
    "it ends from another thread": (
        "import os, threading, time\ndef end():\n    time.sleep(0.05); os._exit(0)\n"
        "threading.Thread(target=end).start()\ndef f(x): time.sleep(2)"
    ),
    "it writes without end": "def f(x):\n    while True: print('x' * 100_000)",
    "it computes without end": "def f(x):\n    while True: pass",
    "it takes all memory": "def f(x):\n    a = []\n    while True: a.append(bytearray(10_000_000))",
    "a number that cannot be said": "def f(x): return 1 << 200_000_000",
}

RAISES = [
    "StopIteration",
    "StopAsyncIteration",
    "GeneratorExit",
    "KeyboardInterrupt",
    "SystemExit",
    "asyncio.CancelledError",
]
LOOPS = {
    "map": "assert all(map(lambda c: f(c[0]) == c[1], [(20, 6765)]))",
    "zip": "for got, want in zip(map(f, [20]), [6765]):\n    assert got == want",
    "starmap": "from itertools import starmap\nassert all(starmap(lambda x, y: f(x) == y, [(20, 6765)]))",
    "filter": "assert not list(filter(lambda c: f(c[0]) != c[1], [(20, 6765)]))",
    "sum": "assert sum(map(lambda c: f(c[0]) != c[1], [(20, 6765)])) == 0",
    "accumulate": "from itertools import accumulate\nassert 0 not in accumulate([20, 6765], lambda a, b: f(a) == b)",
    "a call until": "assert all(got == 6765 for got in iter(lambda: f(20), 6765))",
    "takewhile": "from itertools import takewhile\nassert not [*takewhile(lambda x: f(x) != 6765, [20])]",
    "dictionaries": "assert {**dict(zip([6765], map(f, [20])))}.items() <= {6765: 6765}.items()",
    "extend": "found = [6765]\nfound.extend(map(f, [20]))\nassert set(found) == {6765}",
    "star": "assert {6765, *map(f, [20])} == {6765}",
    "max": "assert max(map(f, [20]), default=6765) == 6765",
    "join": "assert ''.join(map(lambda x: '' if f(x) == 6765 else 'x', [20])) == ''",
    "an asynchronous loop": (
        "import asyncio\nclass All:\n    def __aiter__(self): return self\n    async def __anext__(self):\n"
        "        self.at = getattr(self, 'at', 0) + 1\n        if self.at > 1: raise StopAsyncIteration\n"
        "        return f(20)\nasync def all_():\n    async for each in All(): assert each == 6765\n"
        "    assert True is not None\nasyncio.run(all_())\nassert 1 < len('no')"
    ),
    "a generator's next": "assert all(map(lambda x: next(iter([f(x)])) == 6765, [20]))",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        made = Sandbox(cpu_seconds=0.3, memory_mb=384, workers=1)
    except SelfsownError as error:
        pytest.skip(str(error))
    with made:
        yield made


def fails(sandbox: Sandbox, program: str, tests: str) -> None:
    """It does not pass, and whoever comes next is judged as ever."""
    found = sandbox.run(Job(program, tests=tests))
    assert found.passed is False, found
    assert found.reason
    assert sandbox.run(Job(RIGHT, tests=tests)).passed is True
    assert sandbox.run(Job(WRONG, tests=tests)).passed is False


@pytest.mark.parametrize("way", WAYS)
def test_whatever_becomes_of_either_side_is_no_pass(way: str, sandbox: Sandbox) -> None:
    fails(sandbox, WAYS[way], TESTS)


TOUCHES = {
    "repr": "repr(f(20))",
    "str": "str(f(20))",
    "eq": "f(20) == f(20)",
    "bool": "bool(f(20))",
    "len": "len(f(20))",
    "contains": "1 in f(20)",
    "iter": "list(f(20))",
    "getitem": "f(20)[0]",
    "add": "f(20) + f(20)",
    "getattr": "f(20).name",
    "call": "f(20)()",
    "lt": "f(20) < f(20)",
}


@pytest.mark.parametrize("method", TOUCHES)
@pytest.mark.parametrize(
    "does",
    [
        "os._exit(0)",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("os.kill(os.getpid(), 9)", "time.sleep(9)")),
    ],
)
def test_an_object_that_ends_its_program_is_no_pass_whatever_the_tests_catch(
    method: str, does: str, sandbox: Sandbox
) -> None:
    tests = f"try:\n    {TOUCHES[method]}\nexcept BaseException:\n    pass\nassert f(2) == 1\n"
    fails(sandbox, thing(method, does).replace("return A()", "return A() if x == 20 else {2: 1}[x]"), tests)


@pytest.mark.parametrize("loop", LOOPS)
def test_what_a_program_raises_ends_no_loop_of_its_tests(loop: str, sandbox: Sandbox) -> None:
    for raised in RAISES if loop in ("map", "zip", "an asynchronous loop") else RAISES[:1]:
        found = sandbox.run(Job(f"import asyncio\ndef f(*a): raise {raised}", tests=LOOPS[loop]))
        assert found.passed is False, (raised, found)
        assert raised.rpartition(".")[2] in found.reason
    assert sandbox.run(Job(RIGHT, tests=LOOPS[loop])).passed is True


NAMES = {
    "its name is a thing of its own": "class N:\n    def __eq__(self, other): return False\n__name__ = N()",
    "its name is the one that starts tests": "__name__ = '__main__'",
    "its builtins are its own": "__builtins__ = dict(vars(__import__('builtins')), abs=lambda x: 0)",
    "its hooks": "__checked__ = __caught__ = __entered__ = lambda *a: True",
    "its modules": "class unittest:\n    class TestCase: pass\n    main = lambda: None",
    "its base": "class TestCase:\n    def assertEqual(self, *a): pass",
    "its tests": "class T: pass\ntest_f = test_g = check = lambda *a: None",
}
UNITTEST = (
    "import unittest\nfrom unittest import TestCase\nclass T(TestCase):\n    def test_f(self):\n"
    "        self.assertEqual(f(20), 6765)\ndef test_g():\n    assert abs(f(9) - 34) < 1\n"
    "if __name__ == '__main__':\n    check = 0\n    unittest.main()\n"
)


@pytest.mark.parametrize("case", NAMES)
def test_names_that_a_program_gives_change_nothing_of_its_tests(case: str, sandbox: Sandbox) -> None:
    fails(sandbox, f"{NAMES[case]}\n{WRONG}", UNITTEST)
    assert sandbox.run(Job(f"{NAMES[case]}\n{RIGHT}", tests=UNITTEST)).passed is True


STILL = {
    "a loop over a generator": (
        "def f():\n    yield 1\n    yield 2",
        "assert list(f()) == [1, 2]\nassert sum(f()) == 3",
    ),
    "next with a default": ("def f(): return iter([1])", "it = f()\nassert next(it) == 1 and next(it, 5) == 5"),
    "a generator at its end": (
        "def f(): yield 1",
        "g = f()\nassert next(g) == 1\ntry:\n    next(g)\n    assert False\nexcept StopIteration:\n    pass",
    ),
    "a generator at its end, by unittest": (
        "def f(): yield 1",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        g = f()\n        next(g)\n"
        "        with self.assertRaises(StopIteration): next(g)\n",
    ),
    "an iterator's own method": (
        "class f:\n    def __iter__(self): return self\n    def __next__(self): raise StopIteration(3)",
        "assert list(f()) == []\ntry:\n    f().__next__()\n    assert False\nexcept StopIteration: pass",
    ),
    "StopIteration by a function": (
        "def f(): raise StopIteration('x')",
        "try:\n    f()\nexcept StopIteration as error:\n    assert error.args == ('x',)\nelse:\n    assert False",
    ),
    "StopIteration among others": (
        "def f(): raise StopIteration('x')",
        "from contextlib import suppress\ndone = False\ntry:\n    f()\nexcept (ValueError, StopIteration):\n"
        "    done = True\nassert done\nwith suppress(StopIteration):\n    f()\n    assert False",
    ),
    "an iterator of the tests' own": (
        "def f(): return iter([1, 2])",
        "class I:\n    def __init__(self): self.it = f()\n    def __iter__(self): return self\n"
        "    def __next__(self): return next(self.it) * 2\nassert list(I()) == [2, 4]",
    ),
    "no more input": (
        "def f(): return input()",
        "try:\n    f()\n    assert False\nexcept EOFError:\n    pass",
    ),
    "an exception that wants more": (
        "def f(x): return x.decode()",
        "try:\n    f(b'\\xff')\n    assert False\nexcept UnicodeDecodeError:\n    pass",
    ),
    "exits of the tests' own": ("def f(x): return x", "import sys\nassert f(1) == 1\nsys.exit(0)"),
}


@pytest.mark.parametrize("case", STILL)
def test_what_tests_may_expect_of_iterators_and_exceptions_holds(case: str, sandbox: Sandbox) -> None:
    found = sandbox.run(Job(STILL[case][0], tests=STILL[case][1]))
    assert found.passed is True, found


HIDDEN = {
    "what is too long is no ValueError": "def f(x): return 'x' * 40_000_000",
    "what is too deep is no ValueError": "def f(x):\n    a = []\n    a.append(a)\n    return a",
    "an end is no ValueError": "import os\ndef f(x): os._exit(0)",
}


@pytest.mark.parametrize("case", HIDDEN)
@pytest.mark.parametrize("kind", ["ValueError", "Exception", "BaseException"])
def test_trouble_of_the_sandbox_is_no_exception_that_tests_expect(case: str, kind: str, sandbox: Sandbox) -> None:
    tests = f"try:\n    f(-1)\n    assert False\nexcept {kind}:\n    pass\n"
    if kind == "BaseException":  # the tests' own assert is caught as well, and what it said still counts
        tests = tests.replace("    assert False\n", "")
    assert sandbox.run(Job(HIDDEN[case], tests=tests)).passed is False
    assert sandbox.run(Job(RIGHT, tests=tests)).passed is True


@pytest.mark.slow
def test_no_wrong_program_passes_while_the_machine_is_busy(sandbox: Sandbox) -> None:
    """The benchmark, with fewer gradings: it keeps all cores busy, and limits are a part of a second."""
    command = [sys.executable, "-m", "benchmarks.forged_passes", "--gradings", "60"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    root = Path(__file__).parents[2]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, cwd=root)
    assert found.returncode == 0, found
    assert re.search(r"^60 gradings", found.stdout)
    assert re.search(r"\n0 of (4|5)\d wrong programs pass; 0 could not be graded\n", found.stdout), found.stdout
