"""Where a model's reasoning ends and its answer begins, in the spellings that servers leave in a reply's text.

Servers are meant to part the two. Many do not, or part only what stands between both tags, while the chat template
has written the opening one into the prompt already.
"""

from __future__ import annotations

import re

LINE = 1000  # characters on either side of a tag that are looked at, to see whether it is only written about

_NAMES = r"(?:think|thinking|thoughts?|reasoning|seed:think|longcat_think)"
_HARMONY = r"(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*"  # the format of gpt-oss: a channel for each purpose
_MESSAGE = r"[^<\n]*(?:<\|constrain\|>[^<\n]*)?<\|message\|>"
_OPEN = re.compile(
    rf"<\s*{_NAMES}\s*>|\[THINK\]|◁think▷|<\|START_THINKING\|>|<\|begin_of_thought\|>|<\|inner_prefix\|>"
    rf"|<\|channel>thought\b|{_HARMONY}(?:analysis|commentary){_MESSAGE}",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"<\s*/\s*{_NAMES}\s*>|\[/THINK\]|◁/think▷|<\|END_THINKING\|>(?:\s*<\|START_RESPONSE\|>)?"
    r"|<\|end_of_thought\|>(?:\s*<\|begin_of_solution\|>)?|<\|inner_suffix\|>|<channel\|>"
    rf"|(?:<\|end\|>\s*)?{_HARMONY}final{_MESSAGE}",
    re.IGNORECASE,
)
_BARE = re.compile(r"\s*analysis(?=\S)(.*)assistantfinal(.*)", re.DOTALL)  # gpt-oss, its special tokens left out
_END = re.compile(
    r"(?:<\|(?:im_end|endoftext|end_of_text|eot_id|eom_id|end|return|endofturn|END_RESPONSE|END_OF_TURN_TOKEN"
    r"|end_of_solution)\|>|<end_of_turn>|<turn\|>|<eos>|<｜end▁of▁sentence｜>|</s>)\Z"
)
_LONGEST_END = 30  # characters of such a sign
_BETWEEN = re.compile(r"<\|(?:end|start)\|>")  # what is left of harmony's frame around a thought


def without_reasoning(text: str) -> tuple[str, str]:
    """The reasoning and the answer of a reply; without any, "" and the whole.

    All up to the last closing tag is reasoning, also where the opening tag is missing. A reply that begins with an
    opening tag which is never closed has no answer. A tag that is only written about does not count: in quotation
    marks, in code, or in the middle of a line together with its opening tag. Signs that end a turn are left out.
    """
    text = _without_end(text)
    if bare := _BARE.fullmatch(text):
        return bare[1].strip(), bare[2].strip()
    opened = _OPEN.match(text.lstrip())
    closing = reversed(list(_CLOSE.finditer(text)))
    if last := next((found for found in closing if not _is_mention(text, found, fences=not opened)), None):
        return _thought(text[: last.start()]), text[last.end() :].lstrip()
    return (_thought(text), "") if opened else ("", text)


def has_reasoning_tags(text: str) -> bool:
    """Whether a tag that opens or closes reasoning stands in the text, be it only quoted."""
    return bool(_OPEN.search(text) or _CLOSE.search(text) or "assistantfinal" in text)


def _without_end(text: str) -> str:
    """Without the signs that end a turn; `</s>` may also close a passage that HTML strikes out.

    They are looked for from the end, so that a long run of spaces, which models write, costs no more than its length.
    """
    rest = text.rstrip()
    while end := _END.search(rest, max(0, len(rest) - _LONGEST_END)):
        if end[0] == "</s>" and "<s>" in text:
            return text
        rest = rest[: end.start()].rstrip()
    return rest if len(rest) < len(text.rstrip()) else text


def _thought(text: str) -> str:
    return _BETWEEN.sub("", _OPEN.sub("", text)).strip()


def _is_mention(text: str, tag: re.Match[str], *, fences: bool) -> bool:
    """Whether the text is about this closing tag; fences: one in a code block is, too."""
    before = text[max(0, tag.start() - LINE) : tag.start()].rpartition("\n")[2]
    after = text[tag.end() : tag.end() + LINE].partition("\n")[0]
    for sign in (r"(?<!`)`(?!`)", r'(?<!\\)"'):
        if len(re.findall(sign, before)) % 2 and re.search(sign, after):
            return True
    opening = _OPEN.search(before)
    if opening and opening.start() and text[: tag.start() - len(before) + opening.start()].strip():
        return True
    return fences and text.count("```", 0, tag.start()) % 2 == 1 and "```" in text[tag.end() :]
