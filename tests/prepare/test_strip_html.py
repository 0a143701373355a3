"""HTML becomes what a browser would show, and whatever is no HTML stays as it is, byte for byte."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.prepare.strip_html import prepare
from selfsown.records import Row
from selfsown.text.chat import prompt_messages


def stripped(text: str) -> str:
    (row,) = prepare([Row(text, "", source="f:1")])
    return row.prompt


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "if (a <b && c> d) return;",
        "List<int> x = new List<int>();",
        "Map<String, List<A>> m; Option<B> b; Class<P>",
        "function id<T>(x: T): T",
        "<think>so 3 < 4</think> yes",
        "<tool_call>{}</tool_call>",
        "<input>3</input>\n<output>4</output>",
        "<s>[INST] hello [/INST] well</s>",
        "How do I centre a <div> in CSS?",
        "What is the difference between <b> and <strong>?",
        "the <img> element needs an alt text",
        "Write `<br>` for a line break, or `<p>text</p>`",
        "```html\n<p>Hello &amp; <b>bye</b></p>\n```",
        "~~~\n<div>open fence</div>",
        "<Button onClick={save}>Save</Button>",
        "x <- 3; y <= 4 <> 5 << 6",
        "AT&amp;T and &lt;b&gt; without tags",
        "mail <ada@posteo.de>, see <https://a.org/b>",
        "<?xml version='1.0'?><note><to>Ada</to></note>",
        "<!-- a remark alone -->",
        "   spaces   and\ttabs\r\n\r\n\n stay ",
        "",
    ],
)
def test_what_is_no_html_stays_byte_for_byte(text: str) -> None:
    assert stripped(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<p>Hello &amp; <b>you</b>&nbsp;two</p>", "Hello & you two"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>an open paragraph", "an open paragraph"),
        ("line one<br>\nline two<BR/>three", "line one\nline two\nthree"),
        ("plain <b>bold</b>\n\n  indented\n", "plain bold\n\n  indented\n"),
        ("<ul><li>a<li>b</ul>after", "- a\n- b\n\nafter"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\nc"),
        ("<div>a<script>if (1 < 2) { '</p>' }</script><style>p {}</style>b</div>", "ab"),
        ("<head><title>t</title></head><body><h1>H</h1>x</body>", "H\n\nx"),
        ("<!doctype html><div>a<!-- <p>no</p> -->b", "ab"),
        ('<a href="x>y" title=\'q\'>link</a> <img src="a.png" alt="b">', "link "),
        ("10<sup>6</sup> H<sub>2</sub>O", "10^6 H_2O"),
        ("<pre>def f():\n    return a &lt; b</pre><p>so</p>", "def f():\n    return a < b\n\nso"),
        ("<p>List<int> is a type, <think> is none</p>", "List<int> is a type, <think> is none"),
        ("<p>Use `<br>`:</p>\n```\n<b>x</b>\n```", "Use `<br>`:\n\n```\n<b>x</b>\n```"),
        ("<p>&#65;&#x42;&eacute;&nosuch;&amp;lt;</p>", "ABé&nosuch;&lt;"),
        ("<P CLASS=big>SHOUT</P>", "SHOUT"),
        ("<p>3 < 4 &amp; 5 > 4</p>", "3 < 4 & 5 > 4"),
        ("<span style='color:red'>r</span>", "r"),
    ],
)
def test_html_becomes_text(text: str, shown: str) -> None:
    assert stripped(text) == shown


def test_all_that_a_row_says_is_stripped_alike() -> None:
    turns = [{"role": "user", "content": "<p>hi</p>"}, {"role": "assistant", "content": "<b>what?</b>"}]
    turns.append({"role": "user", "content": "a < b"})
    traits = {"system": "<i>be kind</i>", "messages": json.dumps(turns), "tests": "assert '<b>x</b>'"}
    before = Row(
        "user: <p>hi</p>\nassistant: <b>what?</b>\nuser: a < b", "<p>ok</p>", target="<p>ok</p>", metadata=traits
    )
    (row,) = prepare([before])
    assert (row.answer, row.target, row.metadata["system"]) == ("ok", "ok", "be kind")
    said = [(each["role"], each["content"]) for each in prompt_messages(row.prompt, row.metadata)]
    assert said == [("system", "be kind"), ("user", "hi"), ("assistant", "what?"), ("user", "a < b")]
    assert row.metadata["tests"] == traits["tests"]
    plain = Row("a < b", "c", metadata={"system": "x"})
    assert next(iter(prepare([plain]))) is plain


PIECES = [
    *"<>/ab &;\"'=`\n!-",
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "&lt;",
    "<br>",
    "<pre>",
    "</pre>",
    "<head>",
    "<!--",
    "-->",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read_and_none_without_a_sign_of_html_is_changed(text: str) -> None:
    shown = stripped(text)
    if not any(sign in text for sign in ("<p", "</", "<br", "<head")):
        assert shown == text
    assert len(shown) <= len(text) + 2 * text.count("<")  # lines are set apart, and nothing is made up


@pytest.mark.parametrize(
    "text",
    [
        "<a " * 30_000,
        '<a b="' * 15_000,
        "<p>x<!--" + "<!--" * 20_000,
        "<br>" + "<script>" * 15_000,
        "<br>" + "```a\n" * 20_000,
        "<p>" + "<td>" * 20_000,
        "x" + "<p>" * 30_000 + "<br>",
        "<p>" + " \t" * 50_000 + "x",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    stripped(text)
    assert time.process_time() - began < 5
