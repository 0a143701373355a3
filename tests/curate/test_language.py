"""Rows in another language than the real ones are rejected; code, formulas and short answers never are."""

from __future__ import annotations

import gzip
import json

import pytest
from realdata import real_data

from selfsown.curate import language
from selfsown.records import Row, SelfsownError

ENGLISH = "The train leaves at eight in the morning and arrives in the afternoon, so we can visit the museum."
GERMAN = "Der Zug fährt um acht Uhr morgens ab und kommt am Nachmittag an, also können wir das Museum besuchen."
SPANISH = "El tren sale a las ocho de la mañana y llega por la tarde, así que podemos visitar el museo."
CHINESE = "火车早上八点出发，下午到达，所以我们可以参观博物馆，然后在河边吃晚饭。"
FRENCH = "Le train part à huit heures du matin et arrive dans l'après-midi, nous pouvons donc visiter le musée."
CODE = "def visited(stations, limit):\n    return [each for each in stations if each.arrival <= limit and each.open]"
UNJUDGED = ["", "42", "Paris", "Ja.", CODE, f"```python\n{CODE}\n```", r"\[ x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a} \]"]
UNJUDGED += ["https://example.org/une/page/sur/les/trains", "SELECT nom, prenom FROM voyageurs WHERE ville = 'Lyon';"]
REAL = [Row(f"When does train {at} leave the station on Monday?", ENGLISH) for at in range(60)]


def statuses(texts: list[str], real: list[Row], **options: object) -> list[str]:
    return [row.status for row in language.curate([Row("q", text) for text in texts], real, **options)]  # type: ignore[arg-type]


def test_the_languages_of_the_real_rows_stay_and_others_do_not() -> None:
    texts = [ENGLISH, GERMAN, SPANISH, CHINESE, FRENCH]
    assert statuses(texts, REAL) == ["", *["rejected"] * 4]
    bilingual = [Row(row.prompt, GERMAN if at % 4 == 0 else ENGLISH) for at, row in enumerate(REAL)]
    assert statuses(texts, bilingual) == ["", "", *["rejected"] * 3]
    (row,) = language.curate([Row("q", SPANISH)], REAL)
    assert row.reason.startswith("language: its answer seems to be in es; P(en) = 0.0")


def test_a_few_foreign_real_rows_do_not_make_a_language_of_the_real_rows() -> None:
    mixed = [*REAL * 2, Row("Translate it.", FRENCH)]
    assert statuses([FRENCH], mixed) == ["rejected"]
    assert statuses([FRENCH], mixed, min_language_share=0.0) == [""]


def test_prompts_and_answers_may_be_in_different_languages() -> None:
    real = [Row(ENGLISH, FRENCH)] * 50
    rows = [Row(ENGLISH, FRENCH), Row(ENGLISH, ENGLISH), Row(FRENCH, FRENCH)]
    assert [row.status for row in language.curate(rows, real)] == ["", "rejected", "rejected"]


def test_answers_to_prompts_without_answers_are_in_the_language_of_the_prompts() -> None:
    prompts = [Row(GERMAN, "")] * 50
    rows = [Row(GERMAN, GERMAN), Row(GERMAN, ENGLISH)]
    assert [row.status for row in language.curate(rows, prompts)] == ["", "rejected"]
    assert statuses([SPANISH, GERMAN], [Row("", GERMAN)] * 50) == ["rejected", ""]


def test_named_languages_count_for_both_and_need_no_real_row() -> None:
    assert statuses([ENGLISH, GERMAN, FRENCH], [], languages=("de", "fr")) == ["rejected", "", ""]
    assert statuses([ENGLISH, GERMAN, FRENCH], []) == ["", "", ""]
    (row,) = language.curate([Row(ENGLISH, FRENCH)], [], languages=("fr",))
    assert "its prompt seems to be in en" in row.reason


@pytest.mark.parametrize("text", UNJUDGED)
def test_what_is_in_no_language_stays(text: str) -> None:
    assert statuses([text], REAL) == [""]


def test_one_foreign_paragraph_is_enough() -> None:
    assert statuses([f"{ENGLISH}\n\n{SPANISH}\n\n{ENGLISH}\n{ENGLISH}", f"{ENGLISH}\n\n{CODE}"], REAL) == [
        "rejected",
        "",
    ]


def test_a_lower_probability_is_asked_of_unusual_real_rows() -> None:
    real = [*REAL, *[Row("q", FRENCH)] * 2]
    assert statuses([FRENCH], real, min_language_share=0.1, max_share=0.0) == [""]
    assert statuses([FRENCH], real, min_language_share=0.1, max_share=0.1) == ["rejected"]


def test_an_unknown_code_and_a_missing_package_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SelfsownError, match=r"curate\.language\.languages: 'english' is no language code"):
        list(language.curate([], REAL, languages=("english",)))
    monkeypatch.setattr(language, "find_spec", lambda name: None)
    with pytest.raises(SelfsownError, match=r"needs the package py3langid, .*: pip install 'selfsown\[curation\]'"):
        list(language.curate([], REAL))


def test_english_problems_and_programs_stay() -> None:
    folder = real_data("gsm8k_train_1000.jsonl").parent
    lines = (folder / "gsm8k_train_1000.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [Row(record["question"], record["answer"]) for record in map(json.loads, lines)]
    with gzip.open(folder / "humaneval.jsonl.gz", "rt", encoding="utf-8") as file:
        rows += [Row(record["prompt"], record["canonical_solution"]) for record in map(json.loads, file)]
    rejected = [row.reason for row in language.curate(rows[300:], rows[:100]) if row.status]
    assert len(rejected) <= 3, rejected
