"""Reasoning is told from the answer in every spelling that a server leaves in a reply."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.text.reasoning import has_reasoning_tags, without_reasoning

TAGS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>\n", "\n</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<Think>", "</THINK>"),
    ("< think >", "</ think >"),
    ("<seed:think>", "</seed:think>"),
    ("<longcat_think>", "</longcat_think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>\n<|begin_of_solution|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>final <|constrain|>json<|message|>"),
    ("<|channel|>commentary to=f<|message|>", "<|end|>\n<|start|>assistant<|channel|>final<|message|>"),
]
ENDS = [
    "", "<|im_end|>", "<|im_end|>\n", "\n<|endoftext|>", "<|eot_id|>", "<|end|>", "<|return|>", "</s>",
    "<end_of_turn>\n",
    "<|im_end|><|endoftext|>", "<｜end▁of▁sentence｜>", "<eos>", "<|END_RESPONSE|>", "<|end_of_solution|>",
]  # fmt: skip
PROSE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='<>[]◁▷|`"'), max_size=40)


@given(PROSE, PROSE, st.sampled_from(TAGS), st.sampled_from(ENDS), st.sampled_from(("", "\n", " \n ")))
def test_what_is_between_the_tags_is_reasoning(
    thought: str, answer: str, tags: tuple[str, str], end: str, space: str
) -> None:
    found = without_reasoning(f"{space}{tags[0]}{thought}{tags[1]}{space}{answer.strip()}{end}")
    assert found == (thought.strip(), answer.strip())


@given(PROSE, PROSE, st.sampled_from(TAGS))
def test_without_its_opening_tag_it_is_reasoning_too(thought: str, answer: str, tags: tuple[str, str]) -> None:
    assert without_reasoning(f"{thought}{tags[1]}\n\n{answer}") == (thought.strip(), answer.lstrip())


@given(PROSE, st.sampled_from(TAGS))
def test_reasoning_that_never_ends_leaves_no_answer(thought: str, tags: tuple[str, str]) -> None:
    assert without_reasoning(f"{tags[0]}{thought}") == (thought.strip(), "")


@given(st.text())
def test_a_text_without_tags_is_its_own_answer(text: str) -> None:
    if not has_reasoning_tags(text):
        assert without_reasoning(text) == ("", text)


@given(st.lists(st.sampled_from([*(tag for pair in TAGS for tag in pair), *ENDS, "a", "\n", "`", '"', "```"])))
def test_nothing_is_made_up(parts: list[str]) -> None:
    text = "".join(parts)
    reasoning, answer = without_reasoning(text)
    assert answer in text
    assert len(reasoning) + len(answer) <= len(text)


@pytest.mark.parametrize("end", ENDS)
def test_signs_that_end_a_turn_are_left_out(end: str) -> None:
    assert without_reasoning(f"Paris.{end}") == ("", "Paris.")


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("a</think>b</think>c", "a</think>b", "c"),
        ("<think>a</think>b\n<think>c</think>d", "a</think>b\nc", "d"),
        ("Let me see.\n<think>\na\n</think>\nb", "Let me see.\n\na", "b"),
        ("<think></think>b", "", "b"),
        ("<think>\n\n</think>\n\nb", "", "b"),
        ("<think>it holds `</think>` and so on</think>b", "it holds `</think>` and so on", "b"),
        ("<think>```py\nx\n</think>\n```py\ny\n```", "```py\nx", "```py\ny\n```"),
        ("analysisWe need a city.assistantfinalParis", "We need a city.", "Paris"),
        ("analysisWe need.assistantanalysisMore.assistantfinalParis", "We need.assistantanalysisMore.", "Paris"),
        ("<think>all there is<|im_end|>", "all there is", ""),
    ],
)
def test_reasoning_in_odd_shapes(text: str, reasoning: str, answer: str) -> None:
    assert without_reasoning(text) == (reasoning, answer)


@pytest.mark.parametrize(
    "text",
    [
        "Models write <think> and </think> around their thoughts.",
        "It ends with `</think>`, as I said.",
        'It ends with "</think>", as I said.',
        '{"reason": "it says </think> in the middle", "score": 1}',
        '{"reason": "it says \\"</think>\\" twice", "score": 1}',
        "Take this:\n```python\ntext.split(sep)[-1]  # sep = </think>\n```\nThat is all.",
        "I think, therefore [I] am. <b>Thinking</b>",
        "analysis of the data shows nothing",
        "An <s>old</s> price, <s>9 €</s>",
        "The text <|im_end|> ends a turn, and then another begins.",
        "1 < think > 0",
        "<mind>\n  <thought>It rains.</thought>\n</mind>",
    ],
)
def test_a_text_about_tags_is_left_as_it_is(text: str) -> None:
    assert without_reasoning(text) == ("", text)


@pytest.mark.parametrize("part", ["<think>", "</think>", "`</think>", "<|im_end|>x", "analysis", "<|channel|>", '"'])
def test_a_text_that_repeats_itself_takes_no_time(part: str) -> None:
    began = time.process_time()
    without_reasoning(part * 3000)
    assert time.process_time() - began < 2
