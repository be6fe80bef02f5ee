"""The text normalisation of the VQA challenge (Antol et al., VQA, 2015) and of its M4C/EvalAI reading.

Its quirks are part of the number: punctuation is looked for in the text as it came in, at most 32 full stops go, and a
full stop stays only before a digit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

NUMBER_WORDS: Mapping[str, str] = MappingProxyType(
    {"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
    | {"six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"}
)
ARTICLES = frozenset({"a", "an", "the"})
PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'

_FULL_STOP = re.compile(r"\.(?!\d)")
_MAX_FULL_STOPS = 32  # the official call hands re.UNICODE (32) to the count of substitutions
_DIGIT_COMMA_DIGIT = re.compile(r"\d,\d")
_DIGIT_COMMAS_DIGIT = re.compile(r"\d,+\d")

_FORMS = """
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's
how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've o'clock
oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd
someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're there's
they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's
where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've
y'all y'all'll y'all'd've you'd you'd've you'll you're you've
"""


def _contractions() -> dict[str, str]:
    """Each form, keyed by itself with one apostrophe left out; the official table's one reversed entry is kept."""
    table = {"somebody'd": "somebodyd"}
    for form in _FORMS.split():
        for position, letter in enumerate(form):
            if letter == "'":
                table[form[:position] + form[position + 1 :]] = form
    return table


CONTRACTIONS: Mapping[str, str] = MappingProxyType(_contractions())


def unwrap(text: str) -> str:
    """Newlines and tabs become spaces, the ends are stripped."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def strip_punctuation(text: str, digit_comma: re.Pattern[str] = _DIGIT_COMMA_DIGIT) -> str:
    """Delete a mark that touches a space anywhere (every mark where digit,digit occurs), put a space for any other."""
    has_digit_comma = digit_comma.search(text) is not None
    result = text
    for mark in PUNCTUATION:
        if mark in text:
            touches_space = mark + " " in text or " " + mark in text
            result = result.replace(mark, "" if touches_space or has_digit_comma else " ")
    return _FULL_STOP.sub("", result, count=_MAX_FULL_STOPS)


def digits_and_articles(text: str) -> str:
    """Lower-case; number words to digits, articles dropped, apostrophes put back into contractions."""
    words = (NUMBER_WORDS.get(word, word) for word in text.lower().split())
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


def normalize_vqa(text: str) -> str:
    """The challenge's normalisation of an answer already unwrapped."""
    return digits_and_articles(strip_punctuation(text))


def normalize_m4c(text: str) -> str:
    """M4C's (and EvalAI's for TextVQA): lower-case, `,` and `?` deleted, `'s` set apart, then the challenge's."""
    words = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    return digits_and_articles(strip_punctuation(unwrap(words), _DIGIT_COMMAS_DIGIT))
