"""Degraded rows are rejected with what is wrong; no more than the set share of rows like the real ones is."""

from __future__ import annotations

import random

import pytest

from selfsown.curate import quality
from selfsown.recipe.steps import step
from selfsown.records import Row, SelfsownError
from selfsown.text.character_model import CharacterModel

PEOPLE = ["Anna", "the baker", "my uncle", "a farmer", "our teacher", "the captain", "a nurse", "Tom"]
DEEDS = ["bought", "counted", "sold", "carried", "found", "cleaned", "packed", "lost"]
THINGS = ["apples", "chairs", "old books", "boxes of nails", "blue shirts", "candles", "eggs", "stamps"]
PLACES = ["at the market", "in the garden", "near the station", "behind the school", "on the ship", "after lunch"]


def sentence(rng: random.Random) -> str:
    who, did, what, where = (rng.choice(each) for each in (PEOPLE, DEEDS, THINGS, PLACES))
    text = f"{who} {did} {rng.randrange(2, 99)} {what} {where}"
    return text[0].upper() + text[1:] + "."


def rows(count: int, seed: int) -> list[Row]:
    rng = random.Random(seed)
    return [
        Row(f"How many {rng.choice(THINGS)} are there?", " ".join(sentence(rng) for _ in range(rng.randrange(3, 7))))
        for _ in range(count)
    ]


REAL, NEW = rows(150, 1), rows(100, 2)


def garbled(text: str) -> str:
    rng = random.Random(len(text))
    return "".join(chr(rng.randrange(33, 127)) if rng.random() < 0.15 else char for char in text)


def shuffled_letters(text: str) -> str:
    return " ".join("".join(random.Random(word).sample(word, len(word))) for word in text.split())


DAMAGE = {
    "garbled": (garbled, {"likelihood", "passage", "characters", "brackets", "ending", "symbols"}),
    "letters": (shuffled_letters, {"likelihood", "passage", "common_words", "ending"}),
    "cut": (lambda text: text[: len(text) * 2 // 3].rstrip(". "), {"ending", "length"}),
    "repeated": (
        lambda text: text + (" " + text.split(". ")[0] + ".") * 6,
        {"repeated_ngrams", "compression", "length"},
    ),
    "looped": (lambda text: text[:30] + " eggs" * 40 + ".", {"repeated_ngrams", "compression", "length", "likelihood"}),
    "lines": (lambda text: "\n".join([text.split(". ")[0] + "."] * 8), {"repeated_lines", "repeated_ngrams"}),
    "boilerplate": (lambda text: text + " Subscribe to our newsletter. All rights reserved.", {"boilerplate"}),
    "placeholder": (
        lambda text: text + " Signed by [Your Name] for [Company].",
        {"boilerplate", "passage", "characters"},
    ),
    "mojibake": (lambda text: text.replace("e", "Ã©"), {"characters", "likelihood", "passage"}),
    "long": (lambda text: " ".join(row.answer for row in NEW[:20]), {"length"}),
    "open": (lambda text: text.replace("the", "(the", 3), {"brackets", "characters", "passage"}),
}


@pytest.fixture(scope="module")
def reasons() -> dict[str, list[str]]:
    """The reasons of rows with each kind of damage, "" where one is not rejected; of "none": of undamaged rows."""
    good = [row for row in NEW if "the" in row.answer][:25]
    bad = [row.replace_fields(answer=damage(row.answer)) for damage, _ in DAMAGE.values() for row in good]
    found = [row.reason for row in quality.curate([*bad, *rows(300, 3)], REAL)]
    groups = {kind: found[at * len(good) : (at + 1) * len(good)] for at, kind in enumerate(DAMAGE)}
    return groups | {"none": found[len(bad) :]}


@pytest.mark.parametrize("kind", DAMAGE)
def test_degraded_rows_are_rejected_with_what_is_wrong(kind: str, reasons: dict[str, list[str]]) -> None:
    given = [reason for reason in reasons[kind] if reason]
    assert len(given) >= 0.9 * len(reasons[kind])
    assert {reason.removeprefix("quality: ").split()[0] for reason in given} <= DAMAGE[kind][1]
    assert all(" of its answer: " in reason for reason in given)


def test_of_rows_like_the_real_ones_no_more_than_the_share_is_rejected(reasons: dict[str, list[str]]) -> None:
    assert sum(map(bool, reasons["none"])) <= 0.04 * len(reasons["none"])


def test_prompts_are_judged_by_the_real_prompts() -> None:
    (row,) = quality.curate([Row(NEW[0].answer * 3, NEW[0].answer)], REAL)
    assert " of its prompt: " in row.reason


def test_checks_may_be_left_out() -> None:
    long = Row(NEW[0].prompt, DAMAGE["long"][0](""))
    assert [row.status for row in quality.curate([long], REAL, checks=("length",))] == ["rejected"]
    assert [row.status for row in quality.curate([long], REAL, checks=("ending", "boilerplate"))] == [""]
    assert [row.status for row in quality.curate([long], REAL, checks=())] == [""]
    with pytest.raises(SelfsownError, match=r"curate\.quality\.checks is"):
        step("curate", "quality", {"checks": ["beauty"]})


def test_with_few_real_rows_all_stay() -> None:
    bad = [Row("q", garbled(NEW[0].answer)), Row("", "")]
    assert [row.status for row in quality.curate(bad, REAL[:39])] == ["", ""]
    assert [row.status for row in quality.curate(bad, REAL[:40])] == ["rejected", ""]


def test_the_model_of_characters_gives_probabilities() -> None:
    model = CharacterModel(["abab", "abac"])
    total = sum(2 ** -model.bits(f"aba{char}")[3] for char in map(chr, range(1024)))
    assert total == pytest.approx(1, abs=0.01)
    assert model.bits("abab").sum() < model.bits("abbb").sum() < model.bits("xyzw").sum()
    assert len(model.bits("")) == 0
