"""Sequences of rows: whether in a list, in a file or in several of these, they read alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown.files import row_sequences
from selfsown.files.row_parquet import RowWriter, StoredRows
from selfsown.files.row_sequences import ChainedRows, chained, copied, rows_at, spooled, status_counts, with_status
from selfsown.records import Row

STATUSES = ("", "kept", "rejected", "failed")
rows = st.lists(
    st.builds(Row, st.text("ab", max_size=3), st.text("cd", max_size=3), status=st.sampled_from(STATUSES)),
    max_size=12,
)


def stored(rows: Sequence[Row], path: Path) -> StoredRows:
    with RowWriter(path) as writer:
        for row in rows:
            writer.add(row)
    return StoredRows(path)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(rows, st.booleans()), max_size=4), st.data())
def test_parts_in_lists_and_files_read_like_one_list(parts: list[tuple[list[Row], bool]], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        sequences = [
            stored(part, Path(folder) / f"{number}.parquet") if in_file else part
            for number, (part, in_file) in enumerate(parts)
        ]
        whole, sequence = [row for part, _ in parts for row in part], chained(*sequences)
        assert isinstance(sequence, ChainedRows) == any(in_file for _, in_file in parts)
        assert list(sequence) == whole
        assert len(sequence) == len(whole)
        assert status_counts(whole) == sum((status_counts(part) for part in sequences), Counter())
        places = st.integers(0, len(whole) - 1) if whole else st.nothing()
        chosen = data.draw(st.lists(places, max_size=8 if whole else 0))
        assert rows_at(sequence, chosen) == [whole[index] for index in chosen]
        start, end = data.draw(st.tuples(st.integers(-15, 15), st.integers(-15, 15)))
        assert list(sequence[start:end]) == whole[start:end]
        for index in {*chosen, *(index - len(whole) for index in chosen)}:
            assert sequence[index] == whole[index]
        for index in (len(whole), -len(whole) - 1):
            with pytest.raises(IndexError):
                sequence[index]


@settings(max_examples=20, deadline=None)
@given(rows, st.sampled_from(["kept", "rejected"]))
def test_rows_of_one_status_are_the_same_from_a_file(every: list[Row], status: str) -> None:
    wanted = [row for row in every if row.status == status]
    with TemporaryDirectory() as folder:
        chosen = with_status(stored(every, Path(folder) / "rows.parquet"), status)  # type: ignore[arg-type]
        assert list(chosen) == wanted == with_status(every, status)  # type: ignore[arg-type]
        assert len(chosen) == len(wanted)
        backwards = range(len(wanted) - 1, -1, -1)
        assert rows_at(chosen, backwards) == wanted[::-1]


@pytest.mark.parametrize("count", [0, 4, 5, 6, 25])
def test_only_many_rows_go_to_a_file(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sequences, "IN_MEMORY", 5)
    every = [Row(f"question {number}", "answer", sample_index=number) for number in range(count)]
    kept = spooled(iter(every), tmp_path / "new" / "rows.parquet")
    assert list(kept) == every
    assert isinstance(kept, list) == (count <= 5)
    assert (tmp_path / "new").exists() == (count > 5)
    few: list[Row] = []
    assert list(copied(iter(every), few)) == every
    assert few == every[:6]
