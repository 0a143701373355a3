"""Known words are found again inside other texts, in every script, and other words are not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.text.overlap import Passages, bare, runs, tokenize

QUESTIONS = {
    "English": "Which river flows through the capital of Hungary?",
    "Chinese": "一个水池有两个进水管，单开甲管需要六小时注满，单开乙管需要九小时。",
    "Japanese": "次の文章を読んで、主人公がどこへ行ったか答えなさい。",
    "Korean": "다음 글을 읽고 주인공이 어디로 갔는지 말해 보세요.",
    "Thai": "เมืองหลวงของประเทศฮังการีตั้งอยู่บนแม่น้ำสายใด",
    "Lao": "ແມ່ນ້ຳສາຍໃດໄຫຼຜ່ານນະຄອນຫຼວງຂອງປະເທດຮັງກາຣີ",
    "Khmer": "តើទន្លេអ្វីហូរកាត់រដ្ឋធានីនៃប្រទេសហុងគ្រី",
    "Burmese": "ဟန်ဂေရီနိုင်ငံ၏မြို့တော်ကိုဖြတ်သန်းစီးဆင်းသောမြစ်သည်ဘာလဲ",
    "Hindi": "हंगरी की राजधानी से होकर कौन सी नदी बहती है?",
    "Vietnamese": "Con sông nào chảy qua thủ đô của nước Hungary?",
    "Arabic": "ما هو النهر الذي يمر عبر عاصمة المجر؟",
}


def found(question: str, text: str) -> bool:
    return any(Passages(runs(tokenize(question))).within(tokenize(text)))


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_of_any_script_is_found_inside_other_words(question: str) -> None:
    assert found(question, question)
    assert found(question, f"你好, think: {unicodedata.normalize('NFD', question)} OK 好的")
    assert not any(found(question, other) for other in QUESTIONS.values() if other != question)


@pytest.mark.parametrize("question", [QUESTIONS["Thai"], QUESTIONS["Chinese"]])
def test_a_few_characters_in_common_are_no_match(question: str) -> None:
    assert not found(question, question[:12])


@pytest.mark.parametrize(
    "text",
    [
        'He asked: "which river flows through the capital of Hungary"?',
        "Which river -- flows through the capital (of Hungary).",
        "Please answer. WHICH RIVER FLOWS\nTHROUGH THE CAPITAL OF HUNGARY",
        "which\u200b river flo\u00adws through the\u00a0capital of Hungary",
    ],
)
def test_punctuation_case_and_spaces_make_no_difference(text: str) -> None:
    assert found(QUESTIONS["English"], text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 31 + 52 and 7?", "What is 31 - 52 and 7?"),
        ("What is 31 * 52 and 7?", "What is 31 / 52 and 7?"),
        ("Solve x + 5 = 12 for x now", "Solve x - 5 = 12 for x now"),
        ("Is it so that 5 < 12 here?", "Is it so that 5 > 12 here?"),
        ("Is it so that 5 ≤ 12 here?", "Is it so that 5 ≥ 12 here?"),
        ("What is x² for all x of five?", "What is x2 for all x of five?"),
    ],
)
def test_signs_between_numbers_do(one: str, other: str) -> None:
    assert found(one, one)
    assert not found(one, other)


def test_short_texts_are_not_looked_for_inside_others_and_long_ones_by_thirteen_words() -> None:
    assert runs(tokenize("What is 2 + 3?")) == []
    assert len(runs(tokenize("one two three four five"))) == 1
    assert len(runs(tokenize(" ".join(map(str, range(20)))))) == 8
    assert runs(tokenize("ภาษาไทย")) == [], "seven letters are some two words"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who wrote it?", "who wrote it."),
        ('"Who wrote it?"', "Who wrote it"),
        ("2 + 3 = ?", "2 + 3 ="),
        ("谁？", "谁。"),
    ],
)
def test_what_ends_a_short_text_makes_no_difference(one: str, other: str) -> None:
    assert bare(one) == bare(other)


@pytest.mark.parametrize(("one", "other"), [("5!", "5"), ("(2+3)*4", "2+(3*4)"), ("2+3", "2-3"), (".5", "5")])
def test_what_changes_a_short_problem_does(one: str, other: str) -> None:
    assert bare(one) != bare(other)


@given(st.text(), st.text(), st.text())
def test_a_text_is_found_wherever_it_stands(before: str, text: str, after: str) -> None:
    wanted = Passages(runs(tokenize(text)))
    inside = any(wanted.within(tokenize(f"{before}. {text} . {after}")))
    assert inside == bool(runs(tokenize(text)))


@pytest.mark.parametrize("unit", ["= ", "+", "word ", "字", "ก", "-1", "* (", "\u0301", "a\u0301"])
def test_the_work_grows_with_the_text_and_no_faster(unit: str) -> None:
    tokens = tokenize(unit * 4000)
    assert len(tokens) <= 8001
    assert all(run.count(" ") < 100 for run in runs(tokens))
