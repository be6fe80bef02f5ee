"""What no parser sees: refusals, cut replies, the wrong language, instructions smuggled into data.

The rules are deliberately narrow (openings, fixed phrases, scripts and function words), because a false alarm costs a good
record and is listed among the rejects where a person can see it.
"""

from __future__ import annotations

import re

from vistune.completer import Reply
from vistune.errors import InputError, nearest

_UNABLE = r"i (?:can(?:not|['’]?t| not)|am (?:un|not )able)\b|i['’]m (?:un|not )able\b"
_UNWILLING = rf"{_UNABLE}|i (?:could(?:n['’]t| not)|do(?:n['’]t| not)|won['’]t|will not|must decline|have to decline)\b"
# "As an AI, I", "As a large language model trained by": a sentence about an AI's doings goes on in another way.
_MODEL = r"(?:text-based |large )?(?:ai\b(?!-)|artificial intelligence\b|language model\b)"
_AS_MODEL = (
    rf"as an? (?:{_MODEL}(?=\W*$|[,.:;]| (?:i|language|model|assistant|chatbot|system|trained|developed|created|designed)\b)"
    r"|(?:ai |virtual |visual |digital |helpful )?assistant,? i\b)"
)
_REFUSAL = re.compile(
    rf"^\W*(?:i(?:['’]?m| am) (?:really |very |so )?sorry\b(?! to hear| for your)|{_UNABLE}|{_AS_MODEL}"
    rf"|sorry\b,? (?:(?:but|i|we)\b|{_AS_MODEL})|unfortunately,? (?:{_UNWILLING}|{_AS_MODEL}|i am (?:just |only )?an? {_MODEL})"
    r"|i apologi[sz]e\b|对不起|抱歉|我无法|我不能"
    r"|作为(?:一[个名种])?(?:ai|人工智能|(?:大型)?语言模型)(?=语言|助手|模型|[，,。我\s]|$))",
    re.IGNORECASE,
)
_INJECTION = re.compile(
    r"(?:ignore|disregard|forget)\s+(?:all\s+|everything\s+|any\s+)?(?:of\s+)?(?:the\s+|your\s+|these\s+|my\s+)?"
    r"(?:above|previous|prior|preceding|earlier|foregoing)"
    r"|(?:ignore|disregard|forget)\s+(?:all\s+)?(?:the\s+|your\s+)?(?:instructions|system prompt)"
    r"|(?:reveal|print|repeat)\s+(?:the\s+|your\s+)?system prompt"
    r"|<\|(?:im_start|im_end|endoftext|system|user|assistant)\|>|\[/?INST\]|<<SYS>>"
    r"|忽略(?:以上|上述|之前)",
    re.IGNORECASE,
)
_CUT = frozenset({"length", "max_tokens"})
_FILTERED = frozenset({"content_filter", "safety", "refusal"})

_SCRIPTS = {
    "zh": r"[\u4e00-\u9fff]",
    "ja": r"[\u3040-\u30ff\u4e00-\u9fff]",
    "ko": r"[\uac00-\ud7af]",
    "ar": r"[\u0600-\u06ff]",
    "ru": r"[\u0400-\u04ff]",
}
_LATIN = r"[A-Za-z\u00c0-\u024f]"
_FUNCTION_WORDS = {
    "en": "the a an is are was were of in on at to and or it its this that there with for from by what which how does you can",
    "fr": "le la les un une des est sont de du dans sur et ou il elle ce cette avec pour par que qui quel quelle je vous en au",
    "de": "der die das ein eine ist sind war von im in auf und oder es dieser diese mit für aus was wie ich sie nicht den zu",
    "es": "el la los las un una es son de del en y o se este esta con para por que qué cuál cómo hay su al no está",
}
LANGUAGES = tuple(sorted({*_SCRIPTS, *_FUNCTION_WORDS}))
PICTURE = "picture"
"""How the error of a request begins whose picture cannot be sent: it is the record's fault, not the endpoint's."""

_ENOUGH_WORDS = 8
_SLACK = 2  # function words that another language may have more: names and quotations are no proof
_ENOUGH_LETTERS = 0.6
_ENOUGH_HAN = 8  # a Japanese phrase of fewer characters may have no kana
# What the reply formats make a model write in English whatever it is asked to write in: labels, keys, tags, a tool's call.
_OWN_WORDS = re.compile(
    r"^[ \t>*#(\d.)-]*(?:(?:question|answer|instruction|reason|user|assistant|human|gpt)\s*[:：]|[a-d][:：.)])"
    r"|[\"'](?:q|a|role|user|assistant|image_ids|content)[\"'](?=\s*[:,}])"
    r"|</?(?:image|video|audio|img)\d*>|image\s?#\s?\d+|```(?:json|python)?"
    r"|(?<=\S)[ \t]*\[[^\[\]{}\"'\n]*\](?=[ \t]*$)",
    re.IGNORECASE | re.MULTILINE,
)


def injected(text: str) -> bool:
    """Does a text try to give the model orders (in a caption as much as in a reply)?"""
    return _INJECTION.search(text) is not None


def refused(text: str) -> bool:
    """Does a text begin as refusals do?"""
    return _REFUSAL.match(text) is not None


def in_language(text: str, language: str) -> bool:
    """Is a text in the language, as far as its script and function words tell? Texts too short to tell pass."""
    if language not in LANGUAGES:
        raise InputError(f"language {language!r} is unknown{nearest(language, list(LANGUAGES))}")
    letters = len(re.findall(r"[^\W\d_]", text))
    if not letters:
        return True
    own = len(re.findall(_SCRIPTS.get(language, _LATIN), text))
    if language in _SCRIPTS:
        # Chinese and Japanese share their characters; only Japanese has kana between them.
        kana = re.search(r"[\u3040-\u30ff]", text) is not None
        other = kana if language == "zh" else language == "ja" and not kana and own >= _ENOUGH_HAN
        return own / letters >= _ENOUGH_LETTERS / 2 and not other
    if own / letters < _ENOUGH_LETTERS:
        return False
    words = re.findall(r"[^\W\d_]+", text.lower())
    if len(words) < _ENOUGH_WORDS:
        return True
    counts = {name: sum(word in listed.split() for word in words) for name, listed in _FUNCTION_WORDS.items()}
    return counts[language] + _SLACK >= max(counts.values())


def fault(reply: Reply, language: str) -> tuple[str, str] | None:
    """Why a reply may not be parsed at all: (reason, detail), or None."""
    if reply.error:
        own = reply.error.startswith(f"{PICTURE}: ")
        return PICTURE if own else "endpoint", reply.error.removeprefix(f"{PICTURE}: ")
    if reply.finish in _FILTERED:
        return "refused", reply.finish
    if reply.finish in _CUT:
        return "truncated", f"{reply.completion_tokens} tokens"
    if not reply.text.strip():
        return "empty", ""
    if refused(reply.text):
        return "refused", reply.text[:80]
    if injected(reply.text):
        return "injected", reply.text[:80]
    if not in_language(_OWN_WORDS.sub(" ", reply.text), language):
        return "language", f"expected {language}"
    return None
