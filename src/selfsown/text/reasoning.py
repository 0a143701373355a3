"""Split a model's reasoning from its answer, by the tags that servers leave in a reply's text.

Servers should split the two. Many do not, or only split text between both tags, while the chat template has already
written the opening tag into the prompt.
"""

from __future__ import annotations

import re

MAX_MENTION_CHARS = 1000  # on either side of a tag, to decide whether it is only mentioned

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
_BARE = re.compile(r"\s*analysis(?=\S)(.*)assistantfinal(.*)", re.DOTALL)  # gpt-oss without its special tokens
_END = re.compile(
    r"(?:<\|(?:im_end|endoftext|end_of_text|eot_id|eom_id|end|return|endofturn|END_RESPONSE|END_OF_TURN_TOKEN"
    r"|end_of_solution)\|>|<end_of_turn>|<turn\|>|<eos>|<｜end▁of▁sentence｜>|</s>)\Z"
)
_TURN = re.compile(
    r"<\|(?:im_start|im_end|start_header_id|end_header_id|eot_id|eom_id|endoftext|end_of_text|endofturn)\|>"
    r"|<\|(?:START_OF_TURN_TOKEN|END_OF_TURN_TOKEN)\|>|<(?:start|end)_of_turn>|\[/?INST\]|<\|(?:system|user|assistant)\|>"
)
_LONGEST_END = 30  # characters of an end token
_BETWEEN = re.compile(r"<\|(?:end|start)\|>")  # harmony tokens around a thought


def without_reasoning(text: str) -> tuple[str, str]:
    """The reasoning and the answer of a reply; "" and the whole reply if it has no reasoning.

    Everything up to the last closing tag is reasoning, even without an opening tag. A reply that begins with an opening
    tag that is never closed has no answer. A tag that is only mentioned does not count: in quotation marks, in code, or
    in the middle of a line together with its opening tag. End-of-turn tokens are removed.
    """
    text = _without_end(text)
    if bare := _BARE.fullmatch(text):
        return bare[1].strip(), bare[2].strip()
    opened = _OPEN.match(text.lstrip())
    closing = reversed(list(_CLOSE.finditer(text)))
    if last := next((tag for tag in closing if not _is_mention(text, tag, fences=not opened)), None):
        return _thought(text[: last.start()]), text[last.end() :].lstrip()
    return (_thought(text), "") if opened else ("", text)


def has_reasoning_tags(text: str) -> bool:
    """Whether the text contains a tag that opens or closes reasoning, even if only quoted."""
    return bool(_OPEN.search(text) or _CLOSE.search(text) or "assistantfinal" in text)


def has_turn_tokens(text: str) -> bool:
    """Whether special tokens begin or end a turn in the text: what follows is not a reply, but a conversation."""
    return bool(_TURN.search(text))


def _without_end(text: str) -> str:
    """The text without end-of-turn tokens; `</s>` may also close struck-out HTML.

    They are searched from the end, so that long runs of spaces, which models write, take linear time.
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
    """Whether the text only mentions this closing tag; fences: whether one in a code block is a mention."""
    before = text[max(0, tag.start() - MAX_MENTION_CHARS) : tag.start()].rpartition("\n")[2]
    after = text[tag.end() : tag.end() + MAX_MENTION_CHARS].partition("\n")[0]
    for quote in (r"(?<!`)`(?!`)", r'(?<!\\)"'):
        if len(re.findall(quote, before)) % 2 and re.search(quote, after):
            return True
    opening = _OPEN.search(before)
    if opening and opening.start() and text[: tag.start() - len(before) + opening.start()].strip():
        return True
    return fences and text.count("```", 0, tag.start()) % 2 == 1 and "```" in text[tag.end() :]
