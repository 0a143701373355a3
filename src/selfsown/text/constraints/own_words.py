"""Against gaming: an answer that keeps its constraints must also say something, in words of its own.

An answer fails that is empty, copies the request or the sentence of a constraint, talks about the constraint instead of
answering ("First, I'll start with the word First."), repeats itself, or is little more than the words that it must
have. The rules are strict: some good answers fail, too, above all those of one word and those that copy a passage of
the request. They know English; of other languages they check copies and repetition.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from selfsown.text.constraints.constraint import Constraint
from selfsown.text.constraints.kind import Kind
from selfsown.text.constraints.parts import sentences, spaced_words
from selfsown.text.normalize import unified, words

MIN_OWN_WORDS = 2  # different ones, besides those that constraints require
COPIED_SENTENCE = 5  # words in a row of a constraint's sentence; of a shorter one, all
COPIED_RUN = 5  # words in a row that also stand in the request
MAX_COPIED_SHARE = 0.5  # of the answer's words, in such runs
LONG_REQUEST = 60  # words; a longer one has a passage to answer from, in which all words of an answer may stand
MAX_TRIGRAM = 2  # times that three words in a row may occur
WINDOW = 30  # words in which variety is measured
MIN_DISTINCT = 0.5  # share of different words in a window
MIN_REPEATED = 3  # words of a sentence that must not occur twice
MAX_SINGLE_LETTERS = 0.3  # share of words of one letter, other than "a" and "I"

_FUNCTION = (
    "a an the and or but nor so yet of to in on at by for from with as is are was were be been am it its this that "
    "these those i you he she we they me him her us them my your his our their not no yes do does did has have had "
    "will would can could may might must shall should if then than there here s t ll re ve d m"
)
FUNCTION_WORDS = frozenset(_FUNCTION.split())
_NOUN = (
    r"(?:key)?words?|sentences?|phrases?|lower ?case|upper ?case|capitals|(?:capital|small|uppercase|lowercase) "
    r"letters?|the letter|commas?|bullet ?points?|bullets|paragraphs?|json|quotation marks?|double quotes|"
    r"post ?script|placeholders?|constraints?|instructions?|asterisks?|brackets?|digits?|the request"
)
_ACTION = (
    r"(?:re)?start\w*|beg[ia]n\w*|end(?:s|ed|ing)?|finish\w*|conclud\w*|includ\w*|contain\w*|avoid\w*|mention\w*|"
    r"repeat\w*|us(?:e|es|ed|ing)|writ\w+|respond\w*|repl(?:y|ies|ied)|answer\w*|follow\w*|add(?:s|ed|ing)?|without|"
    r"exactly|at least|at most|entirely"
)
_SELF = r"(?:my|this|the|your|an?|here is(?: my| the| an?)?) (?:answer|response|reply|output)s?"
_FORM_NOUN = re.compile(rf"\b{_NOUN}\b", re.IGNORECASE)
_ORDINAL = r"(?:first|second|third|fourth|fifth|last|next|another|one)"
_ABOUT_FORM = re.compile(
    rf"\b(?:{_ACTION})\b(?:\W+\w+){{0,5}}?\W+(?P<after_verb>{_NOUN})\b|"
    rf"\b(?P<before_verb>{_NOUN})\b(?:\W+\w+){{0,4}}?\W+(?:{_ACTION})\b|"
    rf"\b{_SELF}\b.*?\b(?P<of_answer>{_NOUN})\b|"
    rf"\b(?:this|here|that|it) is(?: \w+){{1,2}} (?P<named>{_NOUN})\b|"
    rf"^\W*(?:here is )?(?:the |my )?{_ORDINAL} (?P<counted>{_NOUN}|responses?|answers?)\b|"
    rf"^\W*(?P<numbered>{_NOUN}) (?:{_ORDINAL}|two|three|\d+)\b",
    re.IGNORECASE,
)


def gaming(
    constraints: Sequence[Constraint], answer: str, prompt: str, instruction: str = "", shown: Sequence[str] = ()
) -> str:
    """Why the answer is no honest one, although it may keep its constraints; "" where it is.

    prompt: the whole request, with the sentences of its constraints. instruction: the request without them, where it is
    known; an answer may use its words about form ("write a sentence about …"). shown: answers of demonstrations, which
    it must not copy either.
    """
    own: str | None = answer
    if not words(answer):
        return "it has no words"
    for item in constraints:
        if own is not None:
            own = item.kind.own_part(own, item.parameters)
    if own is None:
        return ""
    return (
        _copied(own, [prompt, *shown], constraints)
        or _about_form(own, instruction, constraints)
        or _repetitive(own)
        or _without_own_words(own, prompt, constraints)
    )


def _copied(own: str, sources: Sequence[str], constraints: Sequence[Constraint]) -> str:
    written = words(own)
    for sentence in (sentence for item in constraints for sentence in item.sentences()):
        posed = words(sentence)
        size = min(COPIED_SENTENCE, len(posed))
        if size >= 3 and (shared := _grams(written, size) & _grams(posed, size)):
            return f"it copies its constraint: {' '.join(min(shared))!r}"
    known, copied = {gram for text in sources for gram in _grams(words(text), COPIED_RUN)}, set[int]()
    for start in range(len(written) - COPIED_RUN + 1):
        if tuple(written[start : start + COPIED_RUN]) in known:
            copied.update(range(start, start + COPIED_RUN))
    share = len(copied) / max(1, len(written))
    return (
        f"{share:.0%} of its words are copied from the request or a demonstration" if share > MAX_COPIED_SHARE else ""
    )


def _grams(text: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(text[start : start + size]) for start in range(len(text) - size + 1)}


def _about_form(own: str, instruction: str, constraints: Sequence[Constraint]) -> str:
    """Whether a sentence speaks of words, letters or sentences as its constraint does, instead of answering."""
    known = _stems(instruction)
    required = "|".join(sorted(re.escape(word) for word in _required(constraints)))
    quoted = re.compile(rf"\b(?:{_NOUN}|term)\W+[\"'*](?:{required})\b|[\"'*](?:{required})\W*[\"'*]", re.IGNORECASE)
    for sentence in sentences(unified(own)) or [own]:
        if match := _ABOUT_FORM.search(sentence):
            nouns = {stem for noun in _FORM_NOUN.findall(sentence) for stem in _stems(noun)}
            if not (nouns or _stems(match[match.lastgroup or 0])) <= known:
                return f"it speaks of its form: {match[0]!r}"
        quote = quoted.search(sentence) if required and not _takes_quotes(constraints) else None
        if quote:
            return f"it only quotes what it must have: {quote[0]!r}"
    return ""


def _takes_quotes(constraints: Sequence[Constraint]) -> bool:
    """Whether marks around a word are asked for."""
    return any(item.name in ("highlights", "quotation") for item in constraints)


def _stems(text: str) -> set[str]:
    return {word.rstrip("s").removeprefix("key") for word in words(text)}


def _repetitive(own: str) -> str:
    written = words(own)
    parts = [tuple(words(part)) for part in sentences(own)]
    again = [part for part, count in Counter(parts).items() if count > 1 and len(part) >= MIN_REPEATED]
    if again:
        return f"it says {' '.join(again[0])!r} more than once"
    trigrams = Counter(zip(written, written[1:], written[2:], strict=False))
    gram, count = max(trigrams.items(), key=lambda item: item[1], default=((), 0))
    triple = next((gram for gram in trigrams if len(set(gram)) == 1), gram if count > MAX_TRIGRAM else ())
    if triple:
        return f"it repeats {' '.join(triple)!r}"
    for start in range(0, max(1, len(written) - WINDOW + 1), WINDOW // 2):
        window = written[start : start + WINDOW]
        if len(window) >= 6 and len(set(window)) < MIN_DISTINCT * len(window):
            return f"only {len(set(window))} of {len(window)} words in a row are different"
    if letters := re.search(r"([^\W\d_])\1{3,}", own):
        return f"it repeats the letter {letters[1]!r}"
    spaced = spaced_words(own)  # "don't" is one
    single = [word for word in spaced if re.fullmatch("[b-hj-zB-HJ-Z]", word)]
    spam = len(single) >= 3 and len(single) > MAX_SINGLE_LETTERS * len(spaced)
    return "it spells out single letters" if spam else ""


def _without_own_words(own: str, prompt: str, constraints: Sequence[Constraint]) -> str:
    required, written = _required(constraints), words(own)
    free = [word for word in written if word not in required]
    content = {word for word in free if word not in FUNCTION_WORDS and not re.fullmatch("[a-z]", word)}
    if len(set(free)) < MIN_OWN_WORDS or not content:
        return "it has hardly a word of its own"
    if _is_list(written, required):
        return "it lists the words that it must have"
    request = words(prompt)
    if len(request) <= LONG_REQUEST and content <= set(request):
        return "all its words are those of the request"
    return ""


def _required(constraints: Sequence[Constraint]) -> set[str]:
    """The words that constraints require, in normal form."""
    return {word for item in constraints for text in _required_texts(item.kind, item) for word in words(text)}


def _required_texts(kind: Kind, item: Constraint) -> list[str]:
    if kind.family in ("forbidden", "letters", "form"):
        return []
    values = [value for name, value in item.parameters.items() if name in ("word", "words", "phrase", "splitter")]
    return [
        text
        for value in values
        if not isinstance(value, int)
        for text in (value if isinstance(value, list) else [value])
    ]


def _is_list(written: Sequence[str], required: set[str]) -> bool:
    """Whether three of the required words, or more, stand in a row, with nothing but "and" or "or" between them."""
    run = longest = 0
    for word in written:
        run = run + 1 if word in required else run if word in ("and", "or") else 0
        longest = max(longest, run)
    return longest >= 3
