"""Planted copies of questions, from verbatim to paraphrased, by which a search for questions is measured."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import chain, zip_longest

from selfsown.contamination.questions import Question, by_benchmark
from selfsown.records import Row
from selfsown.text.content_words import FUNCTION_WORDS
from selfsown.text.number_words import in_words
from selfsown.text.overlap import tokenize

KINDS = ("verbatim", "wrapped", "edited", "paraphrased")
MIN_WORDS = 8  # of a question that is edited, wrapped or paraphrased; shorter ones are planted verbatim
EDITED_SHARE = 0.08  # of the words, two at least
# Shares that give paraphrases as many words of the question as those that people wrote (benchmarks/decontamination.py).
REPLACED_SHARE = 0.4  # of the content words but numbers and names
FUNCTION_SHARE = 0.5  # of the function words that are dropped
_WRAPPERS = (
    "Solve this step by step.\n\n{}\n\nGive the result at the end.",
    "A user asks: \u201c{}\u201d How do you reply?",
    "Here is one exercise of today's class. {} Write it down, and then compare it with that of your neighbour.",
    "### Task\n{}\n### Solution",
)
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")


def planted_copies(questions: Sequence[Question], per_kind: int, seed: int) -> list[tuple[str, Question, Row]]:
    """The kind of each planted copy, its question, and the row that has it; the same seed plants the same.

    Questions are drawn from all benchmarks alike. Edits replace, drop and swap words, change case and drop punctuation.
    Paraphrases are mechanical: sentences change places, content words give way to words of other questions, as a
    synonym is another word to whoever compares words, and small numbers change between digits and words.
    """
    rng = random.Random(seed)
    drawn = _drawn(questions, rng)
    long = [question for question in drawn if not question.is_document and len(tokenize(question.text)) >= MIN_WORDS]
    vocabulary = sorted({word for question in drawn for word in _WORD.findall(question.text) if _is_replaceable(word)})
    copies = [("verbatim", question, question.text) for question in drawn[:per_kind]]
    for question in long[:per_kind]:
        wrapped = rng.choice(_WRAPPERS).format(question.text)
        copies.append(("wrapped", question, wrapped))
        copies.append(("edited", question, edited(question.text, vocabulary, rng)))
        copies.append(("paraphrased", question, paraphrased(question.text, vocabulary, rng)))
    return [
        (kind, question, _row(question, kind, text, number)) for number, (kind, question, text) in enumerate(copies)
    ]


def _drawn(questions: Sequence[Question], rng: random.Random) -> list[Question]:
    """The questions in random order, those of one benchmark after those of another in turn."""
    groups = [rng.sample(group, len(group)) for group in by_benchmark(questions).values()]
    return [question for question in chain.from_iterable(zip_longest(*groups)) if question]


def _row(question: Question, kind: str, text: str, number: int) -> Row:
    """A row with the copy as its prompt; a document's, and every other wrapped one, as its answer."""
    prompt, answer = (text, "A planted answer.")
    if question.is_document:
        prompt, answer = "", text
    elif kind == "wrapped" and number % 2:
        prompt, answer = "Write an exercise.", text
    return Row(prompt, answer, origin="synthetic", method="planted", sample_index=number)


def edited(text: str, vocabulary: Sequence[str], rng: random.Random) -> str:
    """A copy in which a few words are replaced by others, dropped or swapped; numbers stay."""
    words = text.split()
    places = [place for place, word in enumerate(words) if not any(map(str.isdigit, word))]
    for place in rng.sample(places, min(len(places), max(2, round(EDITED_SHARE * len(words))))):
        change = rng.choice(("replace", "drop", "swap"))
        if change == "replace" and vocabulary:
            words[place] = rng.choice(vocabulary)
        elif change == "swap" and place + 1 < len(words):
            words[place], words[place + 1] = words[place + 1], words[place]
        else:
            words[place] = ""
    copy = " ".join(filter(None, words))
    if rng.random() < 0.5:
        copy = re.sub(r"[,.;:?!](?=\s|$)", "", copy)
    return copy.upper() if rng.random() < 0.25 else copy


def paraphrased(text: str, vocabulary: Sequence[str], rng: random.Random) -> str:
    """A mechanical paraphrase: other order of the sentences, other words, the same numbers and names."""
    sentences = [sentence for sentence in _SENTENCE_END.split(text.strip()) if sentence]
    rng.shuffle(sentences)
    words = list[str]()
    for word in _WORD.findall(" ".join(sentences)):
        if word.lower() in FUNCTION_WORDS:
            words += [] if rng.random() < FUNCTION_SHARE else [word]
        elif vocabulary and _is_replaceable(word) and rng.random() < REPLACED_SHARE:
            words.append(rng.choice(vocabulary))
        elif word.isdecimal() and len(word) < 3 and rng.random() < 0.3:
            words.append(in_words(int(word)))
        else:
            words.append(word)
    return " ".join(words)


def _is_replaceable(word: str) -> bool:
    """Whether it is a content word, neither a number nor a name."""
    return word.isalpha() and word.islower() and word not in FUNCTION_WORDS
