"""Texts that are the same on the screen are compared as the same, and signs that carry meaning are not lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.grade import exact_match, novelty, self_consistency
from selfsown.holdout import split
from selfsown.models import Reply, SamplingParams
from selfsown.records import Row
from selfsown.text.normalize import agreement, normal, unified, words

SAME = [
    ("café", "cafe\u0301"),
    ("Việt Nam", unicodedata.normalize("NFD", "Việt Nam")),
    ("한국어", unicodedata.normalize("NFD", "한국어")),
    ("क़लम", unicodedata.normalize("NFC", "क़लम")),
    ("か\u3099", "が"),
    ("Å", "\u212b"),
    ("soft hyphen", "soft hy\u00adphen"),
    ("zero width", "zero\u200b wi\u200cdth"),
    ("BOM", "\ufeffBOM"),
    ("שלום", "\u200fשלום\u200e"),
    ("\u202bسلام\u202c", "سلام"),
    ("می\u200cخواهم", "میخواهم"),
    ("❤\ufe0f", "❤"),
    ("e\u00ad\u0301te\u0301", "été"),
    ("１２３", "123"),
    ("ﬁnal oﬀer", "final offer"),
    ("ｶﾞ", "ガ"),
    ("ﻻ", "لا"),
    ("10\u00a0000", "10 000"),
    ("10\u2009000", "10 000"),
    ("one\u2028two", "one\ntwo"),
    ("one\r\ntwo", "one\ntwo"),
    ("ideographic\u3000space", "ideographic space"),
    ("“It’s”", '"It\'s"'),
    ("pages 3–5 — all", "pages 3-5 - all"),
    ("−5", "-5"),
    ("well…", "well..."),
    ("null\x00byte", "nullbyte"),
]
DIFFERENT = [
    ("x²", "x2"),
    ("2²", "22"),
    ("H₂O", "H2O"),
    ("½", "1/2"),
    ("1½", "11/2"),
    ("①", "1"),
    ("10⁻³", "10-3"),
    ("m²", "㎡x"),
    ("naïve", "naive"),
    ("5", "6"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_text_in_other_bytes_has_one_form(one: str, other: str) -> None:
    assert unified(one) == unified(other)
    assert normal(one) == normal(other)
    assert words(one) == words(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_means_something_else_keeps_a_form_of_its_own(one: str, other: str) -> None:
    assert normal(one) != normal(other)


def test_letter_case_and_the_number_of_spaces_count_where_texts_are_unified_and_not_where_they_are_normal() -> None:
    assert unified("A  b") == "A  b"
    assert normal("A  b\n\tC") == normal("a B c") == "a b c"
    assert normal("Straße") == normal("STRASSE")


@given(st.text())
def test_the_forms_are_stable_and_know_no_spelling_of_unicode(text: str) -> None:
    for form in (unified, normal):
        assert form(form(text)) == form(text)
        assert form(unicodedata.normalize("NFD", text)) == form(unicodedata.normalize("NFC", text)) == form(text)


@given(st.text(st.characters(max_codepoint=127, exclude_categories=["Cc"])))
def test_plain_ascii_is_left_as_it_is(text: str) -> None:
    assert unified(text) == text


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_has_the_form_that_it_has_beside_other_letters(text: str) -> None:
    assert unified(f"{text} é") == f"{unified(f'{text} ')}é"
    assert normal(f"{text} é") == f"{normal(text)} é".lstrip()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Don't stop, snake_case!", 4),
        ("cafe\u0301 crème", 2),
        ("हिन्दी में लिखो", 3),
        (unicodedata.normalize("NFD", "Tiếng Việt rất hay"), 4),
        ("한국어 단어", 2),
        ("中国的首都", 5),
        ("ひらがな・カタカナ", 8),
        ("ที่นี่", 2),
        ("ကမ္ဘာ", 3),
        ("", 0),
        ("?!…", 0),
    ],
)
def test_words_are_whole_in_every_script(text: str, count: int) -> None:
    assert len(words(text)) == count


NFD = unicodedata.normalize("NFD", "Réponse : être à l’heure")


class Echo:
    name = "echo"

    def complete(self, prompts: list[str], params: SamplingParams) -> list[list[Reply]]:
        return [[Reply(prompt, NFD)] * params.n for prompt in prompts]


def test_graders_and_votes_compare_in_one_form() -> None:
    composed = Row("q", unicodedata.normalize("NFC", NFD), target=NFD)
    assert next(exact_match.grade([composed])).score == 1.0
    assert next(exact_match.grade([composed.replace_fields(answer="RÉPONSE : être à l’heure")])).score == 0.0, (
        "letter case counts"
    )
    assert next(novelty.grade([composed], [Row("q", NFD)])).score == 0.0
    assert next(self_consistency.grade([composed], Echo(), 0)).score == 1.0  # type: ignore[arg-type]
    assert agreement(NFD, composed.answer) == 1.0


def test_two_spellings_of_one_problem_stand_on_one_side_of_the_split() -> None:
    prompts = [f"Où est la {at}e clé ?" for at in range(60)]
    rows = [Row(unicodedata.normalize(form, prompt), "ici") for form in ("NFC", "NFD") for prompt in prompts]
    rest, held_out = split(rows, 0.3, 0, "rows")
    assert not {row.key for row in rest} & {row.key for row in held_out}
    assert len({normal(row.prompt) for row in held_out}) * 2 == len(held_out)
