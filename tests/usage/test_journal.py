"""The journal: what was acknowledged is there, whatever happens to the process."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfsown.records import SelfsownError
from selfsown.usage.budget import Meter
from selfsown.usage.journal import KEYS_PER_QUERY, Batch, Call, Journal

# Four threads write as fast as they can, and say which keys were acknowledged.
WRITERS = """
import sys, threading
from pathlib import Path
from selfsown.usage.journal import Journal

journal, begin = Journal(Path(sys.argv[1])), int(sys.argv[2])

def write(name):
    for at in range(begin, begin + 100000):
        key = f"{name}-{at}"
        journal.store_reply(key, "{}", key * 50).result()
        sys.stdout.write(key + "\\n")
        sys.stdout.flush()

for name in "abcd":
    threading.Thread(target=write, args=(name,)).start()
"""


def test_what_was_kept_is_read_back_and_a_second_reply_takes_the_place_of_the_first(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "replies.sqlite")
    promises = [journal.store_reply(f"key {at}", "{}", f"reply {at}") for at in range(3 * KEYS_PER_QUERY)]
    journal.store_reply("key 7", "{}", "better").result()
    assert all(promise.done() and not promise.exception() for promise in promises)
    wanted = {f"key {at}": f"reply {at}" for at in range(0, 3 * KEYS_PER_QUERY, 2)}
    assert journal.read([*wanted, "no key"]) == wanted
    assert journal.read(["key 7"]) == {"key 7": "better"}
    journal.close()
    assert Journal(tmp_path / "replies.sqlite").read(["key 7", "key 8"]) == {"key 7": "better", "key 8": "reply 8"}


def test_close_writes_what_waits_and_leaves_one_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "replies.sqlite")
    promises = [journal.store_reply(str(at), "{}", "said") for at in range(1000)]
    journal.close()
    assert all(promise.done() for promise in promises)
    assert [path.name for path in tmp_path.iterdir()] == ["replies.sqlite"]
    journal.store_reply("after", "{}", "said").result()
    assert len(journal.read(["0", "999", "after"])) == 3
    journal.close()


def test_closed_while_others_still_write_it_never_hangs_and_loses_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "replies.sqlite")
    promises, over = [], threading.Event()

    def write(name: str) -> None:
        at = 0
        while not over.is_set():
            promises.append(journal.store_reply(f"{name}-{at}", "{}", "said"))
            at += 1
            time.sleep(0.0001)

    writers = [threading.Thread(target=write, args=(name,), daemon=True) for name in "abcd"]
    for writer in writers:
        writer.start()
    closers = [threading.Thread(target=lambda: [journal.close() for _ in range(8)], daemon=True) for _ in range(2)]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join(30)
    over.set()
    assert not any(closer.is_alive() for closer in closers)
    for writer in writers:
        writer.join()
    journal.close()
    assert all(promise.done() and not promise.exception() for promise in promises)
    connection = sqlite3.connect(journal.path)
    assert connection.execute("SELECT count(*) FROM replies").fetchone() == (len(promises),)
    connection.close()


def test_a_batch_is_on_disk_at_once_and_awaits_nothing_when_it_is_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "replies.sqlite")
    planned = Batch("name", "http://here/v1", "batch_6", keys=("a", "b"))
    journal.store_batch(planned)
    journal.store_batch(replace(planned, name="other", url="http://there/v1"))
    assert Journal(journal.path).batches("http://here/v1") == [planned]
    sent = replace(planned, file="file_7", id="batch_7", state="sent")
    journal.store_batch(sent)
    assert journal.batches("http://here/v1") == [sent]
    over = replace(sent, state="over")
    journal.store_batch(over)
    assert journal.batches("http://here/v1") == [replace(over, keys=())]
    (tmp_path / "no database").write_bytes(b"no database at all " * 100)
    for use in (lambda broken: broken.batches("http://here/v1"), lambda broken: broken.store_batch(planned)):
        with pytest.raises(SelfsownError, match="is damaged"):
            use(Journal(tmp_path / "no database"))


def test_four_that_make_the_file_at_once_do_not_lock_each_other_out(tmp_path: Path) -> None:
    for at in range(20):
        journal = Journal(tmp_path / f"{at}.sqlite")
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(journal.read, [["key"]] * 4)) == [{}] * 4


def test_a_journal_that_nobody_asks_is_no_file(tmp_path: Path) -> None:
    Journal(tmp_path / "replies.sqlite").close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("use", ["read", "keep"])
def test_a_damaged_journal_and_a_missing_folder_are_errors(use: str, tmp_path: Path) -> None:
    (tmp_path / "replies.sqlite").write_bytes(b"no database at all " * 100)
    for path, words in (
        (tmp_path / "replies.sqlite", "is damaged"),
        (tmp_path / "no" / "folder", "cannot be read or written"),
    ):
        journal = Journal(path)
        with pytest.raises(SelfsownError, match=words):
            journal.read(["key"]) if use == "read" else journal.store_reply("key", "{}", "said").result()
        journal.close()


def call(key: str, outcome: str = "answered", **changes: Any) -> Call:
    who = {"role": "teacher", "stage": "generate.sample", "model": "m", "host": "h"}
    took = {"input_tokens": 5, "output_tokens": 7, "reasoning_tokens": None, "cached_tokens": None}
    took |= {"cache_write_tokens": None, "usd": 0.5}
    return Call(
        **{"time": 1.0, "key": key, "outcome": outcome, **who, **took, "seconds": 0.1, "batch": False, **changes}
    )


def test_every_call_is_written_with_its_reply_or_alone_and_none_takes_the_place_of_another(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "replies.sqlite")
    calls = [call("a", "unreadable", input_tokens=None, output_tokens=None, usd=None), call("a")]
    calls += [call("b", "busy", usd=0.0)]
    journal.store_reply("a", "{}", '{"half', calls[0])
    journal.store_reply("a", "{}", "whole", calls[1]).result()
    journal.store_call(calls[2])
    journal.close()
    connection = sqlite3.connect(tmp_path / "replies.sqlite")
    assert [Call(*row) for row in connection.execute("SELECT * FROM calls")] == calls
    connection.close()
    assert journal.read(["a", "b"]) == {"a": "whole"}


def test_the_meter_counts_as_it_goes_and_a_price_that_is_not_known_makes_the_whole_unknown(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "replies.sqlite")
    journal.store_reply("a", "{}", "said", call("a"))
    journal.store_call(call("b", "timeout", input_tokens=None, output_tokens=None, usd=None))
    assert journal.meter == Meter(requests=2, input_tokens=5, output_tokens=7, usd=0.5)
    assert journal.meter.tokens == 12
    journal.store_reply("c", "{}", "said", call("c", usd=None))
    journal.store_reply("d", "{}", "said", call("d"))
    assert journal.meter == Meter(requests=4, input_tokens=15, output_tokens=21, usd=None)
    journal.close()


def test_killed_at_any_moment_what_was_acknowledged_is_there(tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "replies.sqlite", list[str]()
    for kill in range(3):
        order = [sys.executable, "-c", WRITERS, str(path), str(kill * 100000)]
        process = subprocess.Popen(order, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        said = [process.stdout.readline()]
        stop = threading.Timer(0.1 + 0.1 * kill, process.send_signal, [signal.SIGKILL])
        stop.start()
        said += process.stdout.readlines()
        process.stdout.close()
        assert process.wait() == -signal.SIGKILL
        stop.join()
        acknowledged += [line.rstrip("\n") for line in said if line.endswith("\n")]
    assert len(acknowledged) > 50
    assert Journal(path).read(acknowledged) == {key: key * 50 for key in acknowledged}
