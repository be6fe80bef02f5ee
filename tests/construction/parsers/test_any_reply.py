"""Every parser takes any text: arbitrary text, cut and damaged replies, and what Python and JSON read with trouble."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.construction.parsers.test_parsers import FORMATS
from vistune.construction.parsers import messages, python_pairs
from vistune.construction.parsers.base import Format, Item, Parsed, Problem
from vistune.construction.parsers.target_names import names

DIALOGUE = messages.FORMAT.write(FORMATS["messages"][1])
NASTY = [
    "[{{'Q': 1}}]",
    "[{'Q': {[]: 1}, 'A': 'b'}]",
    "[{'Q': 'a\x00', 'A': 'b'}]",
    "\ud800",
    "[{'Q': '\\ud800', 'A': 'b'}]",
    f"[{{'Q': 0x{'f' * 9000}, 'A': 'b'}}]",
    f"[{{'Q': {'9' * 9000}, 'A': 'b'}}]",
    f"[{{'Q': {'[' * 90}{']' * 90}}}]",
    f"[{{'Q': {'[' * 40_000}{']' * 40_000}}}]",
    f"[{{'Q': {'-' * 40_000}1}}]",
    f"[{{'Q': {'1+' * 40_000}1}}]",
    f"[{{'Q': {'(' * 40_000}",
    "[{'Q': f'" + "{" * 200 + "'}]",
    f'[[{{"role": {"9" * 9000}}}]]',
    f'[[{{"role": {"[" * 900}{"]" * 900}}}]]',
    f"{'[' * 20_000}{']' * 20_000}",
    "[" + '{"a":' * 20_000 + "1" + "}" * 20_000 + "]",
    "[1, 'x', null, [], {}, [{}], [[]]]",
    "NaN",
    '{"role": "user"}',
    DIALOGUE.replace('["2", "14"]', "5"),
    DIALOGUE.replace('["2", "14"]', '"2"'),
    DIALOGUE.replace('["2", "14"]', '{"2": 1}'),
    DIALOGUE.replace('["2", "14"]', '["²", null, [[]], {}]'),
    DIALOGUE.replace("Both", "\\ud83d"),
    DIALOGUE.replace('"role"', "{}"),
]


def sound(parsed: object) -> bool:
    """A `Parsed` that lost nothing: items with pairs, problems with reasons, and one of either."""
    assert isinstance(parsed, Parsed)
    assert parsed.items or parsed.problems, "nothing is lost"
    assert all(isinstance(item, Item) and item.pairs for item in parsed.items)
    assert all(isinstance(problem, Problem) and problem.reason for problem in parsed.problems)
    return True


def damaged(text: str, seed: int) -> str:
    """A reply as models and networks spoil them: cut, with pieces left out, doubled, moved or put in."""
    draw = random.Random(seed)
    for _ in range(draw.randint(1, 4)):
        start, end = sorted(draw.choices(range(len(text) + 1), k=2))
        piece = text[start:end]
        text = draw.choice(
            (
                text[:end],
                text[start:],
                text[:start] + text[end:],
                text[:end] + piece + text[end:],
                piece + text[:start] + text[end:],
                text[:start]
                + draw.choice(["\x00", "'", '"', "{", "}", "[", "]", ":", ",", "\n", "²", "\\", "===", "\r"])
                + text[start:],
            )
        )[:4000]
    return text


def written(text: str, reply: str) -> bool:
    """Does a text stand in a reply, as it is or escaped as JSON and Python do? Spaces and quotation marks do not count."""
    forms = (text, json.dumps(text), json.dumps(text, ensure_ascii=False), repr(text))
    return any(bare(form) in bare(reply) for form in forms)


def bare(text: str) -> str:
    return re.sub(r"[\s\"'\\]", "", text)


def lined(text: str) -> str:
    """Without spaces and quotation marks, but with the ends of lines, which divide pieces."""
    return re.sub(r"[ \t\"'\\]", "", text.replace("\r", "\n"))


def unaccounted(form: Format, items: Sequence[Item], reply: str) -> list[str]:
    """What of the whole items that a damaged reply still holds is neither in what was read nor in what is reported.

    A format whose pieces hang together may report the whole reply by a reason alone, if it reads nothing.
    """
    parsed = form.parse(reply)
    if not parsed.items and not form.independent:
        return []
    said = [text for item in parsed.items for pair in item.pairs for text in pair]
    said += [str(value) for item in parsed.items for value in item.fields.values()]
    said += [problem.text for problem in parsed.problems]
    whole = [item for item in items if item not in parsed.items and lined(form.write([item])) in lined(reply)]
    texts = [text for item in whole for pair in item.pairs for text in pair]
    return [text for text in texts if not all(any(written(word, one) for one in said) for word in text.split())]


def invented(form: Format, reply: str) -> list[str]:
    """What was read and stands nowhere in the reply; one with escapes in it is read by Python and JSON, not compared here."""
    if "\\" in reply:
        return []
    texts = [text for item in form.parse(reply).items for pair in item.pairs for text in pair]
    return [text for text in texts if not written(text, reply)]


def account(name: str, count: int) -> Counter[str]:
    """Damaged replies of a format: how many were tried and read, and how many pieces were lost or became others."""
    form, items = FORMATS[name]
    good, counts = form.write(items), Counter[str]()
    for seed in range(count):
        reply = damaged(good, seed)
        parsed = form.parse(reply)
        assert sound(parsed)
        counts.update(tried=1, read=len(parsed.items), reported=len(parsed.problems))
        counts.update(lost=len(unaccounted(form, items, reply)), changed=len(invented(form, reply)))
    return counts


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_what_python_and_json_stumble_over(name: str, text: str):
    assert sound(FORMATS[name][0].parse(text))
    assert isinstance(names(text), list)


@pytest.mark.parametrize("name", FORMATS)
@given(text=st.text(max_size=300))
def test_arbitrary_text(name: str, text: str):
    assert sound(FORMATS[name][0].parse(text))
    assert all(names(text))


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_replies(name: str):
    form, items = FORMATS[name]
    good = form.write(items)
    for end in range(len(good)):
        assert sound(form.parse(good[:end]))
    counts = account(name, 1500)
    assert (counts["read"] and counts["reported"]) or name == "free_text"
    assert (counts["lost"], counts["changed"]) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_damaged_replies_are_accounted_for(name: str):
    counts = account(name, 10_000)
    assert (counts["tried"], counts["lost"], counts["changed"]) == (10_000, 0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_names_are_read_as_names(seed: int):
    read = names(damaged("It is cold. Therefore the answer is: [fridge, ice box, fridge]", seed))
    assert all(read) and len(set(read)) == len(read)


def test_half_a_character_is_reported_because_it_cannot_be_saved():
    assert [problem.reason for problem in python_pairs.parse("[{'Q': '\\ud800', 'A': 'b'}]").problems] == [
        "a question or answer is not text"
    ]
    assert [problem.reason for problem in messages.parse(DIALOGUE.replace("Both", "\\ud83d")).problems] == [
        "a message has no content"
    ]


def test_pictures_must_be_a_list():
    for ids in ("5", '"2"', '{"2": 1}'):
        (problem,) = messages.parse(DIALOGUE.replace('["2", "14"]', ids)).problems
        assert problem.reason == "a user message shows no picture"


def test_a_name_may_be_followed_by_a_letter_without_spaces():
    assert messages.parse(DIALOGUE.replace("IMAGE#2 and", "IMAGE#2和")).items
