"""Make plain text of HTML: tags, scripts and styles go, character references are written out; other text stays.

The standard library's parser takes `List<int>` and `<think>` for tags. Here only what HTML knows is one, and only in a
text with an element that is whole (`<b>…</b>`), or one that never closes (`<br>`, `<p>`): "a <b and c> d" has none.
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


# Elements that are a sign of HTML where they are whole.
_SIGNS = _names(
    "a b big blockquote body center dd div dl dt em font h1 h2 h3 h4 h5 h6 head html i li ol p pre script small span",
    "strike strong style sub sup table tbody td tfoot th thead tr u ul",
)
# The others of what HTML knows, whose names variables and the parts of prompts have, too.
_OTHERS = _names(
    "abbr acronym address article aside audio bdi bdo button canvas caption cite code colgroup data datalist del",
    "details dfn dialog fieldset figcaption figure footer form header hgroup iframe ins kbd label legend main map mark",
    "menu meter nav noscript object optgroup option output picture progress q rp rt ruby s samp section select slot",
    "summary svg template textarea time title tt var video",
)
_VOID = _names("area base br col embed hr img input link meta param source track wbr")
_KNOWN = _SIGNS | _OTHERS | _VOID
_UNCLOSED = _names("p li td th tr dd dt option tbody thead tfoot")  # whose end tag may be left out
_HIDDEN = _names("script style head noscript template svg")  # nothing in them is shown
_LINES = _names("li tr dt dd option")  # each begins a line
_BLOCKS = _names(  # these are set apart by an empty one
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
    """A tag, a comment ("") or what declares a document ("!"): text[start:stop]. whole: its element has both tags."""

    name: str
    start: int
    stop: int
    ends: bool = False
    bare: bool = True  # without attributes
    whole: bool = False


def prepare(rows: Iterable[Row]) -> Iterator[Row]:
    """Links keep their words and lists their lines; pictures go. Code in Markdown, fenced or in backticks, stays as it
    is."""
    for row in rows:
        yield rewritten(row, _text)


def _text(text: str) -> str:
    """The text itself, where it is no HTML."""
    if "<" not in text or "\0" in text:  # which stands for code here
        return text
    code: list[str] = []

    def put_by(found: re.Match[str]) -> str:
        code.append(found[0])
        return f"\0{len(code) - 1}\0"

    rest = _CODE.sub(put_by, text)
    tags, begins = _tags(rest), len(rest) - len(rest.lstrip())
    if not any(_tells(tag, begins) for tag in tags):
        return text
    opens = tags[0].start == begins and tags[0].name in {*_SIGNS, "!"}
    shown = _shown(rest, [tag for tag in tags if _goes(tag, rest, opens)], code)
    while "\0" in shown:  # code may stand within what is set as it is
        shown = re.sub("\0(\\d+)\0", lambda found: code[int(found[1])], shown)
    return shown


def _tags(text: str) -> list[_Tag]:
    """All that HTML knows, in order; nothing that stands in a script or a style."""
    found, at, low = list[_Tag](), 0, text.lower()
    waiting, unended = defaultdict[str, list[int]](list), set[str]()
    while match := _TAG.search(text, at):
        at, said = match.end(), match["name"] or ""
        name = said.lower()
        if match["comment"]:
            stop = -1 if "--" in unended else text.find("-->", at)
            if stop < 0:
                unended.add("--")
            else:
                at = stop + 3
                found.append(_Tag("", match.start(), at))
        elif not name:
            found.append(_Tag("!", match.start(), at))
        elif name in _KNOWN and said in (name, said.upper()):
            found.append(_Tag(name, match.start(), at, bool(match["end"]), not match["rest"].strip()))
            if match["end"] and waiting[name]:
                for place in (waiting[name].pop(), len(found) - 1):
                    found[place] = replace(found[place], whole=True)
            elif not match["end"]:
                waiting[name].append(len(found) - 1)
            if name in ("script", "style") and not match["end"] and name not in unended:
                stop = low.find(f"</{name}", at)
                at = max(at, stop)
                unended |= {name} if stop < 0 else set()
    return found


def _tells(tag: _Tag, begins: int) -> bool:
    """Whether such a tag makes a text HTML, of which the first word begins there."""
    if tag.name in ("p", "html", "body") and tag.start == begins:
        return True
    return (tag.whole and tag.name in _SIGNS) or tag.name in ("br", "hr", "!") or (tag.name == "img" and not tag.bare)


def _goes(tag: _Tag, text: str, opens: bool) -> bool:
    """Whether the tag of a text that is HTML is one, and not a name in code. opens: the text begins with a tag."""
    if tag.whole or tag.name in _VOID or not tag.name.isalnum():
        return True
    before = text[max(0, tag.start - 1) : tag.start]
    generic = tag.bare and len(tag.name) == 1 and text[tag.start + 1].isupper() and before.isalnum()
    return (opens or tag.name in _UNCLOSED) and not generic


def _shown(text: str, tags: list[_Tag], code: list[str]) -> str:
    """What a browser would show. Line ends count where no element makes lines of its own, and in `pre`."""
    flows, at, hidden, kept, out = any(tag.name in _BLOCKS for tag in tags), 0, "", 0, list[str]()

    def say(piece: str) -> None:
        if kept:
            code.append(_written_out(piece))
            out.append(f"\0{len(code) - 1}\0")
        else:
            out.append(_written_out(re.sub(r"[ \t\r\n\f]+", " ", piece) if flows else piece))

    for tag in tags:
        if hidden and not (tag.ends and tag.name == hidden):
            continue
        if not hidden:
            say(text[at : tag.start])
            out.append(_mark(tag, flows))
        at = tag.stop
        if tag.name == "br" and not flows:
            at += 2 if text.startswith("\r\n", at) else int(text.startswith("\n", at))  # the two are one
        hidden = tag.name if tag.whole and tag.name in _HIDDEN and not tag.ends else ""
        if tag.name == "pre" and tag.whole:
            kept = max(0, kept - 1) if tag.ends else kept + 1
    say("" if hidden else text[at:])
    shown = "".join(out)
    if not flows:
        return shown
    lines = re.sub(r"(?<![ \t])[ \t]*\n[ \t]*", "\n", re.sub(r" {2,}", " ", shown))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _mark(tag: _Tag, flows: bool) -> str:
    """What stands in the place of a tag."""
    if tag.name == "br":
        return "\n"
    if tag.name in ("sup", "sub") and not tag.ends:
        return "^" if tag.name == "sup" else "_"  # for 10<sup>6</sup> is not 106
    if not flows:
        return ""
    if tag.name in _BLOCKS:
        return "\n\n"
    if tag.name in _LINES and not tag.ends:
        return "\n- " if tag.name == "li" else "\n"
    return "\t" if tag.name in ("td", "th") and not tag.ends else ""


def _written_out(text: str) -> str:
    return _REFERENCE.sub(lambda found: html.unescape(found[0]).replace("\xa0", " "), text)
