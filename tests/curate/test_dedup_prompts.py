"""Nothing is asked nearly twice, whoever asked it first."""

from __future__ import annotations

from selfsown.curate import dedup_prompts
from selfsown.records import Row

REAL = Row("Write a poem about the sea in spring.", "…")
PAST = Row("List three rivers that flow through Asia.", "…", origin="synthetic")


def made(prompt: str, draw: int = 0) -> Row:
    return Row(prompt, "…", origin="synthetic", generation=1, sample_index=draw)


def test_a_prompt_too_like_a_real_one_an_earlier_one_or_one_before_it_is_rejected() -> None:
    new = made("Explain to a child why the sky is blue.")
    rows = [
        new,
        made("Write a poem about the sea in autumn.", 1),
        made("List four rivers that flow through Asia!", 2),
        made("Explain to a pupil why the sky is blue.", 3),
        made("Translate the sentence into French.", 4),
    ]
    out = list(dedup_prompts.curate(rows, [REAL], [PAST]))
    assert [row.id for row in out] == [row.id for row in rows]
    assert [row.status for row in out] == ["", "rejected", "rejected", "rejected", ""]
    assert [row.reason for row in out[1:4]] == [
        f"dedup_prompts: ROUGE-L 0.88 with {REAL.id}",
        f"dedup_prompts: ROUGE-L 0.86 with {PAST.id}",
        f"dedup_prompts: ROUGE-L 0.89 with {new.id}",
    ]


def test_how_alike_is_too_alike_may_be_said_and_of_documents_the_text_counts() -> None:
    near = made("Write a poem about the sea in autumn.")
    assert not next(dedup_prompts.curate([near], [REAL], [], max_similarity=0.9)).status
    documents = [Row("", "It rained all day.", sample_index=at) for at in range(2)]
    assert [row.status for row in dedup_prompts.curate(documents, [], [])] == ["", "rejected"]


def test_one_that_was_rejected_stands_in_nobody_s_way() -> None:
    chain = [made("a b c d e f g", 0), made("a b c d e x y", 1), made("b c d e x y z", 2)]
    assert [row.status for row in dedup_prompts.curate(chain, [], [], max_similarity=0.71)] == ["", "rejected", ""]
