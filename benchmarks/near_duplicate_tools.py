"""One tool of benchmarks.near_duplicates, in a process of its own: it removes near-duplicates from Parquet to Parquet.

    python -m benchmarks.near_duplicate_tools SOURCE FOLDER daft 5 16 8

writes what SOURCE has without near-duplicates into FOLDER, with runs of 5 words, 16 bands and 8 hashes in each; at the
end it prints its peak memory in bytes. It needs pyarrow and the tool, and no part of this package but for `selfsown`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

BATCH = 10_000
BUFFER_LINES = 1000  # of datatrove's files, read at a time: five by default, which is slower


def main() -> None:
    source, folder, tool, *numbers = sys.argv[1:]
    run = {"selfsown": with_selfsown, "rensa": with_rensa, "daft": with_daft, "datatrove": with_datatrove}[tool]
    run(Path(source), Path(folder), *map(float, numbers))
    # Not ru_maxrss, in which a process starts with the peak of the one that started it.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak
    print(int(peak[1]) * 1024)


def with_selfsown(source: Path, folder: Path) -> None:
    from selfsown.audit.data_source import ColumnNames
    from selfsown.audit.dedup import dedup

    dedup(str(source), folder / "kept.parquet", [], ColumnNames(text="text"))


def with_rensa(source: Path, folder: Path, size: float, threshold: float, bands: float) -> None:
    """Candidates share a band of 128 numbers; one is dropped if its estimate with one before is `threshold` or more."""
    import rensa

    deduplicator = rensa.RMinHashDeduplicator(threshold, num_perm=128, use_lsh=True, num_bands=int(bands), seed=42)
    with pq.ParquetFile(source) as file, pq.ParquetWriter(folder / "kept.parquet", file.schema_arrow) as writer:
        for batch in file.iter_batches(BATCH):
            words = [text.lower().split() for text in batch["text"].to_pylist()]
            runs = [[" ".join(part[at : at + int(size)]) for at in range(len(part) - int(size) + 1)] for part in words]
            sketches = rensa.RMinHash.from_token_sets(runs, 128, 42)
            keys = map(str, batch["id"].to_pylist())
            new = deduplicator.add_pairs(list(zip(keys, sketches, strict=True)))
            writer.write_batch(batch.filter(pa.array(new)))


def with_daft(source: Path, folder: Path, size: float, bands: float, rows: float) -> None:
    """The steps of Daft's tutorial: documents that share a band are linked, and of linked ones the first stays."""
    import daft
    from daft import col

    documents = daft.read_parquet(str(source))
    sketch = (
        col("text").lower().minhash(num_hashes=int(bands * rows), ngram_size=int(size), seed=42, hash_function="xxhash")
    )
    banded = documents.select("id", sketch.chunk(int(rows)).alias("value")).explode("value", index_column="band")
    shared = banded.groupby("band", "value").agg(col("id").list_agg().alias("v"), col("id").min().alias("u"))
    links = shared.where(col("v").list_count() > 1).explode("v").select("u", "v").distinct().collect()
    both = links.union_all(links.select(col("v").alias("u"), col("u").alias("v"))).distinct().collect()
    labels, total = both.groupby("u").agg(col("v").min().alias("label")).collect(), -1
    while (summed := labels.sum("label").to_pydict()["label"][0]) != total:
        total = summed
        near = both.join(labels.with_column_renamed("u", "v"), on="v")  # each document is its own neighbour, too
        labels = near.groupby("u").agg(col("label").min()).collect()
    dropped = labels.where(col("label") < col("u")).select(col("u").alias("id"))
    documents.join(dropped, on="id", how="anti").write_parquet(str(folder))


def with_datatrove(source: Path, folder: Path, size: float, bands: float, rows: float) -> None:
    """The four stages of its documentation, one task at a time; the words are those between spaces."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
    from datatrove.pipeline.dedup import MinhashDedupSignature as Signature
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Words(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        sent_tokenize = span_tokenize = word_tokenize  # not used here

    def columns(self: ParquetWriter, document: Any) -> dict[str, Any]:
        return {"id": document.id, "text": document.text}  # its own adapter leaves out an id of 0

    config = MinhashConfig(n_grams=int(size), num_buckets=int(bands), hashes_per_bucket=int(rows))
    paths = [str(folder.parent / "datatrove" / name) for name in ("signatures", "buckets", "removed", "logs")]
    signatures, buckets, removed, logs = paths
    reader = ParquetReader(str(source.parent), glob_pattern=source.name)
    buffered = {"config": config, "lines_to_buffer": BUFFER_LINES}
    stages = [
        [reader, Signature(signatures, config=config, language=Words())],
        [MinhashDedupBuckets(signatures, buckets, **buffered)],
        [MinhashDedupCluster(buckets, removed, **buffered)],
        [
            reader,
            MinhashDedupFilter(removed, lines_to_buffer=BUFFER_LINES),
            ParquetWriter(str(folder), adapter=columns),
        ],
    ]
    for number, stage in enumerate(stages):
        tasks = int(bands) if number == 1 else 1
        LocalPipelineExecutor(stage, tasks=tasks, workers=1, logging_dir=f"{logs}/{number}").run()


if __name__ == "__main__":
    main()
