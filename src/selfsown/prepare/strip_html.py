"""Convert HTML to plain text: tags, scripts and styles are removed, character references decoded; other text stays.

The standard library's parser takes `List<int>` and `<think>` for tags. Here a tag must have a name that HTML defines,
and the text must have an element with both tags (`<b>…</b>`) or one that needs no end tag (`<br>`, `<p>`):
"a <b and c> d" has no tag.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from selfsown.records import Row
from selfsown.rewriting import rewritten

STREAMS = True


def _names(*lines: str) -> frozenset[str]:
    return frozenset(name for line in lines for name in line.split())


# Elements that identify a text as HTML if they have both tags.
_SIGNS = _names(
    "a b big blockquote body center dd div dl dt em font h1 h2 h3 h4 h5 h6 head html i li ol p pre script small span",
    "strike strong style sub sup table tbody td tfoot th thead tr u ul",
)
# Other HTML elements, whose names are also used for variables and parts of prompts.
_OTHERS = _names(
    "abbr acronym address article aside audio bdi bdo button canvas caption cite code colgroup data datalist del",
    "details dfn dialog fieldset figcaption figure footer form header hgroup iframe ins kbd label legend main map mark",
    "menu meter nav noscript object optgroup option output picture progress q rp rt ruby s samp section select slot",
    "summary svg template textarea time title tt var video",
)
_VOID = _names("area base br col embed hr img input link meta param source track wbr")
_KNOWN = _SIGNS | _OTHERS | _VOID
_UNCLOSED = _names("p li td th tr dd dt option tbody thead tfoot")  # the end tag is optional
_HIDDEN = _names("script style head noscript template svg")  # the content is not displayed
_LINES = _names("li tr dt dd option")  # each starts a new line
_BLOCKS = _names(  # separated by an empty line
    "address article aside blockquote body center details div dl fieldset figure footer form h1 h2 h3 h4 h5 h6 header",
    "hr html main nav ol p pre section table ul",
)
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+)"""
_ATTRIBUTES = rf"""(?:\s+[^\s"'<>/=,;(){{}}]+(?:\s*=\s*{_VALUE})?)*+"""
_TAG = re.compile(
    rf"<(?:(?P<end>/?)(?P<name>[A-Za-z]+[1-6]?)(?P<rest>{_ATTRIBUTES})\s*+/?>|(?P<comment>!--)|!doctype\b[^<>]*>)",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"^(?P<fence>```+|~~~+).*?(?:^(?P=fence)[ \t]*$|\Z)|(?<![\w`])`[^`\n]+`(?![\w`])", re.DOTALL | re.MULTILINE
)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


@dataclass(frozen=True)
class _Tag:
    """A tag, a comment (name "") or a doctype (name "!") at text[start:stop]. whole: the element has both tags."""

    name: str
    start: int
    stop: int
    ends: bool = False
    bare: bool = True  # without attributes
    whole: bool = False


def prepare(rows: Iterable[Row]) -> Iterator[Row]:
    """Links keep their text and lists their lines; images are removed. Markdown code, fenced or in backticks, stays
    unchanged."""
    for row in rows:
        yield rewritten(row, _text)


def _text(text: str) -> str:
    """The plain text; the text itself if it is not HTML."""
    if "<" not in text or "\0" in text:  # \0 marks placeholders for code here
        return text
    code: list[str] = []

    def placeholder(match: re.Match[str]) -> str:
        code.append(match[0])
        return f"\0{len(code) - 1}\0"

    rest = _CODE.sub(placeholder, text)
    tags = _tags(rest)
    begins = len(rest) - len(rest.lstrip())
    if not any(_is_html_sign(tag, begins) for tag in tags):
        return text
    opens = tags[0].start == begins and tags[0].name in {*_SIGNS, "!"}
    plain = _rendered(rest, [tag for tag in tags if _is_markup(tag, rest, opens)], code)
    while "\0" in plain:  # preformatted text may contain code
        plain = re.sub("\0(\\d+)\0", lambda match: code[int(match[1])], plain)
    return plain


def _tags(text: str) -> list[_Tag]:
    """All HTML tags, in order, except those within scripts and styles."""
    tags: list[_Tag] = []
    position = 0
    lower = text.lower()
    open_tags: dict[str, list[int]] = defaultdict(list)  # indices of start tags without an end tag so far
    unended: set[str] = set()  # of which no end follows, so that it is searched for only once
    while match := _TAG.search(text, position):
        position = match.end()
        written = match["name"] or ""
        name = written.lower()
        if match["comment"]:
            stop = -1 if "--" in unended else text.find("-->", position)
            if stop < 0:
                unended.add("--")
            else:
                position = stop + 3
                tags.append(_Tag("", match.start(), position))
        elif not name:
            tags.append(_Tag("!", match.start(), position))
        elif name in _KNOWN and written in (name, written.upper()):
            tags.append(_Tag(name, match.start(), position, bool(match["end"]), not match["rest"].strip()))
            if match["end"] and open_tags[name]:
                for index in (open_tags[name].pop(), len(tags) - 1):
                    tags[index] = replace(tags[index], whole=True)
            elif not match["end"]:
                open_tags[name].append(len(tags) - 1)
            if name in ("script", "style") and not match["end"] and name not in unended:
                stop = lower.find(f"</{name}", position)
                position = max(position, stop)
                if stop < 0:
                    unended.add(name)
    return tags


def _is_html_sign(tag: _Tag, begins: int) -> bool:
    """Whether this tag identifies the text as HTML. begins: index of the first character that is not whitespace."""
    if tag.name in ("p", "html", "body") and tag.start == begins:
        return True
    return (tag.whole and tag.name in _SIGNS) or tag.name in ("br", "hr", "!") or (tag.name == "img" and not tag.bare)


def _is_markup(tag: _Tag, text: str, opens: bool) -> bool:
    """Whether a tag in an HTML text is markup, not a name in code. opens: the text begins with a tag."""
    if tag.whole or tag.name in _VOID or not tag.name.isalnum():
        return True
    before = text[max(0, tag.start - 1) : tag.start]
    generic = tag.bare and len(tag.name) == 1 and text[tag.start + 1].isupper() and before.isalnum()
    return (opens or tag.name in _UNCLOSED) and not generic


def _rendered(text: str, tags: list[_Tag], code: list[str]) -> str:
    """The text as a browser displays it. Line ends are kept in `pre`, and everywhere if there is no block element."""
    flows = any(tag.name in _BLOCKS for tag in tags)
    position = 0
    hidden = ""  # the element whose content is being skipped
    pre_depth = 0
    out: list[str] = []

    def emit(piece: str) -> None:
        if pre_depth:
            code.append(_decoded(piece))
            out.append(f"\0{len(code) - 1}\0")
        else:
            out.append(_decoded(re.sub(r"[ \t\r\n\f]+", " ", piece) if flows else piece))

    for tag in tags:
        if hidden and not (tag.ends and tag.name == hidden):
            continue
        if not hidden:
            emit(text[position : tag.start])
            out.append(_replacement(tag, flows))
        position = tag.stop
        if tag.name == "br" and not flows:  # a line end after <br> is not another one
            position += 2 if text.startswith("\r\n", position) else int(text.startswith("\n", position))
        hidden = tag.name if tag.whole and tag.name in _HIDDEN and not tag.ends else ""
        if tag.name == "pre" and tag.whole:
            pre_depth = max(0, pre_depth - 1) if tag.ends else pre_depth + 1
    emit("" if hidden else text[position:])
    plain = "".join(out)
    if not flows:
        return plain
    lines = re.sub(r"(?<![ \t])[ \t]*\n[ \t]*", "\n", re.sub(r" {2,}", " ", plain))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _replacement(tag: _Tag, flows: bool) -> str:
    """The text that replaces a tag."""
    if tag.name == "br":
        return "\n"
    if tag.name in ("sup", "sub") and not tag.ends:
        return "^" if tag.name == "sup" else "_"  # 10<sup>6</sup> is not 106
    if not flows:
        return ""
    if tag.name in _BLOCKS:
        return "\n\n"
    if tag.name in _LINES and not tag.ends:
        return "\n- " if tag.name == "li" else "\n"
    return "\t" if tag.name in ("td", "th") and not tag.ends else ""


def _decoded(text: str) -> str:
    return _REFERENCE.sub(lambda match: html.unescape(match[0]).replace("\xa0", " "), text)
