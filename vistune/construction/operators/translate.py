"""Translation and rewriting of a conversation that exists: the conversation as a note, and prompts that work on it."""

from __future__ import annotations

from vistune.construction.parsers import triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each

NAMES = {
    "en": "English",
    "zh": "Chinese",
    "ja": "Japanese",
    "ko": "Korean",
    "ar": "Arabic",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "ru": "Russian",
}
_SAID = {
    "en": ("Is it raining?", "Yes, it rains and people carry umbrellas."),
    "zh": ("在下雨吗？", "是的，在下雨，人们打着伞。"),
    "ja": ("雨が降っていますか。", "はい、雨が降っていて、人々は傘を差しています。"),
    "ko": ("비가 오나요?", "네, 비가 오고 사람들이 우산을 들고 있습니다."),
    "ar": ("هل تمطر؟", "نعم، إنها تمطر والناس يحملون المظلات."),
    "fr": ("Est-ce qu'il pleut ?", "Oui, il pleut et les gens portent des parapluies."),
    "de": ("Regnet es?", "Ja, es regnet und die Leute tragen Schirme."),
    "es": ("¿Está lloviendo?", "Sí, llueve y la gente lleva paraguas."),
    "ru": ("Идёт дождь?", "Да, идёт дождь, и люди несут зонты."),
}


def said() -> Operator:
    """Note the conversation as text under the name `said`, for prompts that rewrite or translate it."""

    def write(record: Record) -> Record:
        return record.with_note("said", triple_equals.write([Item(tuple(record.pairs()))]))

    return each(write)


def translation(language: str, source: str = "en", subject: str = "") -> Prompt:
    """Translate every question and answer; the reply must be in the language and have as many pairs."""
    return Prompt(
        language,
        "translate",
        f"Translate every question and every answer into {NAMES[language]}. {subject}Keep names, numbers and positions in "
        "brackets "
        "as they are, and keep the words 'Question:' and 'Answer:' and the lines between them untranslated.",
        ("note:said",),
        triple_equals.FORMAT,
        (triple_equals.write([Item.of(_SAID[source])]), (Item.of(_SAID[language]),)),
        language=language,
        temperature=0.0,
    )
