"""Templates over columns: values come out as they are, and a template can neither reach out nor go on without end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.templates import TemplateError, column_names, render

TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["{{ 7*7 }}", "{% raw %}", "}}", "{#", "nan"]
)


def filled(template: str, **cells: Any) -> str:
    return render(template, {**cells, "row": cells})


@given(TEXT, TEXT)
def test_what_a_cell_says_is_never_taken_for_a_template(subject: str, body: str) -> None:
    made = filled("<{{ subject }}|{{ row['body'] }}|{{ subject ~ body }}>", subject=subject, body=body)
    assert made == f"<{subject}|{body}|{subject}{body}>"


@given(TEXT, TEXT)
def test_any_column_name_can_be_used(name: str, cell: str) -> None:
    template = f"<{{{{ row[{name!r}] }}}}>"
    assert column_names(template) == {name}
    assert render(template, {"row": {name: cell}}) == f"<{cell}>"


@pytest.mark.parametrize(
    ("template", "cells", "text"),
    [
        ("no braces, {one} pair", {}, "no braces, {one} pair"),
        ("{{ a }}\n\n{{ b }}", {"a": "x", "b": ""}, "x"),
        ("{% if b %}yes{% else %}no{% endif %}", {"b": ""}, "no"),
        ("{{ a }} {{ b }} {{ c }}", {"a": 3.0, "b": True, "c": 2.5}, "3 true 2.5"),
        ("{{ a }}|{{ b }}", {"a": None, "b": float("nan")}, "|"),
        ("{{ tags }} {{ tags|join(', ') }}", {"tags": ["x", "é"]}, '["x", "é"] x, é'),
        ("{{ of.items }} {{ of.none.none }}", {"of": {"items": "x"}}, "x "),
        ("{% for t in tags %}{{ loop.index }}{{ t }}{% endfor %}", {"tags": ["a", "b"]}, "1a2b"),
        ("{{ a[:3] }}{{ a.upper() }}{{ a|replace('b', 'c') }}", {"a": "abcd"}, "abcABCDaccd"),
        ("{% raw %}{{ a }}{% endraw %}", {}, "{{ a }}"),
        ("  {{ a }}", {"a": "x"}, "  x"),
    ],
)
def test_values_are_written_as_rows_have_them(template: str, cells: dict[str, Any], text: str) -> None:
    assert filled(template, **cells) == text


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{{ a }} {% if b %}{{ c }}{% endif %} {{ row['User name'] }} {{ row.d }}", {"a", "b", "c", "User name", "d"}),
        ("{% for x in xs %}{{ x }}{{ loop.index }}{% endfor %}{% set y = 1 %}{{ y }}{{ range(3) }}", {"xs"}),
        ("{a} is no template", set()),
    ],
)
def test_the_columns_of_a_template_are_known(template: str, names: set[str]) -> None:
    assert column_names(template) == names


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ a", "line 1 of the template: unexpected end"),
        ("x\n{{ a }\n}}", "line 2 of the template: unexpected '}'"),
        ("x\n\n{{ a | nofilter }}", "line 3 of the template: there is no filter 'nofilter'; available: abs, "),
        ("{{ a|uper }}", "did you mean 'upper'?"),
        ("{{ a.__class__ }}", "'__class__' may not be read: it begins with an underscore"),
        ("{{ a['__class__'] }}", "'__class__' may not be read"),
        ("{{ row._x }}", "'_x' may not be read"),
        ("{% include 'secret' %}", "include is not available"),
        ("{% import 'os' as os %}", "import is not available"),
        ("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}", "macro is not available"),
        ("{% for x in a recursive %}{{ loop(x) }}{% endfor %}", "for is not available"),
        ("{% autoescape true %}{{ a }}{% endautoescape %}", "is not available"),
        ("{% for row in a %}{% endfor %}", "'row' is the whole record"),
        ("{" * 3 + "{% if a %}" * 3000, "of the template: "),
    ],
)
def test_a_template_that_does_not_fit_is_refused_with_its_line(template: str, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        column_names(template)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for i in range(99999999) %}x{% endfor %}", "more than 10,000 iterations"),
        ("{% for i in range(999) %}{% for j in range(999) %}{% endfor %}{% endfor %}", "more than 10,000 iterations"),
        ("{% for x in a %}{% for y in a %}{% for z in a %}{% endfor %}{% endfor %}{% endfor %}", "iterations"),
        ("{{ 'x' * 10**9 }}", "str * int does not work"),
        ("{{ 9 ** 9 ** 9 ** 9 }}", "more than 256 bits"),
        ("{{ '%999999999d' % 1 }}", "str % int does not work"),
        ("{{ '{:999999999}'.format(1) }}", "format() is not available"),
        ("{{ a.join(a) }}", "join() is not available"),
        ("{% set s = a %}" + "{% set s = s ~ s %}" * 30 + "{{ s }}", "more than 10,000,000 characters"),
        ("{% set s = a %}" + "{% set s = s + s %}" * 30 + "{{ s }}", "more than 10,000,000 characters"),
        ("{% set s = a %}" + "{% set s = s|replace('x', s) %}" * 9 + "{{ s }}", "more than 10,000,000 characters"),
        ("{% set s = a|list %}" + "{% set s = s|join(s|join(a)) %}" * 4 + "{{ s }}", "more than 10,000,000 characters"),
        ("{{ a[('__cla' ~ 'ss__')] }}", "may not be read"),
        ("{{ a.upper }}", "which is no text"),
        ("{{ self }}", "which is no text"),
        ("{{ lipsum() }}", "lipsum() is not available"),
        ("a\n\n{{ 1 / 0 }}", "line 3 of the template: division by zero"),
    ],
)
def test_a_template_cannot_go_on_without_end_or_reach_out(template: str, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        filled(template, a="x" * 100)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
