"""`Template`: roles and separators. It lays a conversation out as pieces, and writes itself as a Hugging Face chat template.

    <bos> system_prefix SYSTEM system_suffix
          user_prefix QUESTION user_suffix  assistant_prefix [answer_prefix ANSWER answer_suffix]   <- brackets: supervised
          ...

`{bos}` and `{eos}` in a field stand for the tokenizer's own tokens. Only what a model is to produce is supervised: an
answer with the separator that ends it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from vistune.errors import InputError
from vistune.sample import MediaRef, Part, Region, Sample, Text, Turn

DEFAULT_SYSTEM = "The assistant looks at the pictures it is given and answers the user's questions truthfully and to the point."


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the prompt: text of the template's own (`structure`), or a part of the sample; supervised or not."""

    part: Part
    trained: bool
    structure: bool = False


Pieces: TypeAlias = list[Piece]


@dataclass(frozen=True, kw_only=True)
class Template:
    """Fields as drawn above. `system` is the sentence used when the sample brings none of its own."""

    system: str = DEFAULT_SYSTEM
    begin: str = ""
    system_prefix: str = ""
    system_suffix: str = ""
    system_when_empty: bool = False  # write prefix and suffix around an empty sentence, too
    system_in_first_question: bool = False
    user_prefix: str = ""
    user_suffix: str = ""
    assistant_prefix: str = ""
    answer_prefix: str = ""
    answer_suffix: str = ""
    media_first: bool = False  # a turn's only medium moves to its front, followed by `media_suffix`, and its text is stripped
    media_suffix: str = ""
    question_text: bool = True  # without: questions shrink to their media (LLaVA's "plain" alignment prompt)

    def pieces(self, sample: Sample, answer_next: bool = False) -> Pieces:
        """Lay out `sample`; with `answer_next` end where the model's next answer begins.

        Raises `InputError`, naming the sample, when its turns do not alternate between user and assistant, and when its system
        turn holds more than text.
        """
        system, turns = self._split(sample)
        check_alternation(turns, sample, answer_next)
        pieces = list(self._structure(self.begin, False))
        if not self.system_in_first_question:
            pieces += self._system(system)
        for index, turn in enumerate(turns):
            if turn.role == "user":
                pieces += self._structure(self.user_prefix, False)
                if index == 0 and self.system_in_first_question:
                    pieces += self._system(system)
                pieces += self._question(turn)
                pieces += self._structure(self.user_suffix + self.assistant_prefix, False)
            else:
                trained = turn.train
                pieces += self._structure(self.answer_prefix, trained)
                pieces += [Piece(part, trained) for part in turn.parts]
                pieces += self._structure(self.answer_suffix, trained)
        return pieces

    @property
    def stops(self) -> list[str]:
        """Text other than the end-of-sequence token that ends an answer."""
        marker = self.answer_suffix.replace("{eos}", "")
        return [marker.strip() or marker] if marker.strip(" ") else []

    def _split(self, sample: Sample) -> tuple[str, list[Turn]]:
        turns = list(sample.turns)
        if turns and turns[0].role == "system":
            if not all(isinstance(part, Text) for part in turns[0].parts):
                raise InputError(f"{sample.where}: its system turn holds a medium or a region: move that to the first question")
            return turns[0].text, turns[1:]
        return self.system, turns

    def _system(self, system: str) -> Iterator[Piece]:
        if system or self.system_when_empty:
            yield from self._structure(self.system_prefix, False)
            if system:
                yield Piece(Text(system), False)
            yield from self._structure(self.system_suffix, False)

    def _structure(self, text: str, trained: bool) -> Iterator[Piece]:
        if text:
            yield Piece(Text(text), trained, structure=True)

    def _question(self, turn: Turn) -> Iterator[Piece]:
        media = [part for part in turn.parts if isinstance(part, MediaRef)]
        if not self.question_text:
            yield from (Piece(part, False) for part in media)
        elif self.media_first and len(media) == 1:
            yield Piece(media[0], False)
            yield from self._structure(self.media_suffix, False)
            yield from (Piece(part, False) for part in strip([part for part in turn.parts if part is not media[0]]))
        else:
            yield from (Piece(part, False) for part in turn.parts)

    def chat_template(self, image_token: str) -> str:
        """The same layout as Jinja source for `tokenizer.chat_template`, with `{% generation %}` around what is supervised."""
        body = _JINJA_IMAGES if not self.question_text else _JINJA_MEDIA_FIRST if self.media_first else _JINJA_CONTENT
        fields = {
            "BEGIN": self.begin,
            "SYSTEM_PREFIX": self.system_prefix,
            "SYSTEM_SUFFIX": self.system_suffix,
            "USER_PREFIX": self.user_prefix,
            "USER_SUFFIX": self.user_suffix + self.assistant_prefix,
            "ANSWER_PREFIX": self.answer_prefix,
            "ANSWER_SUFFIX": self.answer_suffix,
            "MEDIA_SUFFIX": self.media_suffix,
            "IMAGE": image_token,
        }
        source = _JINJA.replace("@BODY@", body)
        source = source.replace("@SYSTEM@", json.dumps(self.system))
        source = source.replace("@IN_QUESTION@", str(self.system_in_first_question).lower())
        source = source.replace("@WHEN_EMPTY@", str(self.system_when_empty).lower())
        for name, value in fields.items():
            quoted = json.dumps(value, ensure_ascii=False)
            quoted = quoted.replace("{bos}", '" + bos_token + "').replace("{eos}", '" + eos_token + "')
            source = source.replace(f"@{name}@", quoted)
        return source


def strip(parts: list[Part]) -> list[Part]:
    """Remove white space at the ends of a turn, and text parts that vanish."""
    parts = list(parts)
    if parts and isinstance(parts[0], Text):
        parts[0] = Text(parts[0].text.lstrip())
    if parts and isinstance(parts[-1], Text):
        parts[-1] = Text(parts[-1].text.rstrip())
    return [part for part in parts if not (isinstance(part, Text) and not part.text)]


def check_alternation(turns: list[Turn], sample: Sample, answer_next: bool) -> None:
    """Roles alternate, the user first; the last turn is an answer, or a question when the answer is to come."""
    for index, turn in enumerate(turns):
        expected = "assistant" if index % 2 else "user"
        if turn.role != expected:
            raise InputError(f"{sample.where}: turn {index + 1} is the {turn.role}'s, expected the {expected}'s")
    if not turns:
        raise InputError(f"{sample.where}: has no turns")
    if answer_next and turns[-1].role != "user":
        raise InputError(f"{sample.where}: ends with an answer, expected a question to answer")
    if not answer_next and turns[-1].role == "user":
        raise InputError(f"{sample.where}: ends with a question, expected its answer")


def as_text(pieces: Pieces, tokens: dict[str, str], image: str = "<image>") -> str:
    """The prompt as one string, `tokens` giving `bos` and `eos`: for people, golden tests and chat templates."""
    words = []
    for piece in pieces:
        if isinstance(piece.part, Text):
            words.append(fill(piece.part.text, tokens) if piece.structure else piece.part.text)
        elif isinstance(piece.part, Region):
            words.append("<region>")
        else:
            words.append(image)
    return "".join(words)


def fill(text: str, tokens: dict[str, str]) -> str:
    """Put the tokenizer's own tokens where a field says `{bos}` or `{eos}`."""
    return text.replace("{bos}", tokens.get("bos", "")).replace("{eos}", tokens.get("eos", ""))


_CONTENT = "message['content']"
_ITEMS = f"({{'type': 'text', 'text': {_CONTENT}}},) if {_CONTENT} is string else {_CONTENT}"
_JINJA_CONTENT = (
    "{%- for item in content -%}{%- if item['type'] == 'text' -%}{{- item['text'] -}}{%- else -%}{{- @IMAGE@ -}}{%- endif -%}"
    "{%- endfor -%}"
)
_JINJA = (
    "{%- if messages[0]['role'] == 'system' -%}"
    "{%- set system = messages[0]['content'] if messages[0]['content'] is string else messages[0]['content'][0]['text'] -%}"
    "{%- set turns = messages[1:] -%}{%- else -%}{%- set system = @SYSTEM@ -%}{%- set turns = messages -%}{%- endif -%}"
    "{{- @BEGIN@ -}}"
    "{%- if not @IN_QUESTION@ and (system or @WHEN_EMPTY@) -%}{{- @SYSTEM_PREFIX@ + system + @SYSTEM_SUFFIX@ -}}{%- endif -%}"
    "{%- for message in turns -%}{%- set content = " + _ITEMS + " -%}{%- if message['role'] == 'user' -%}{{- @USER_PREFIX@ -}}"
    "{%- if loop.first and @IN_QUESTION@ and (system or @WHEN_EMPTY@) -%}"
    "{{- @SYSTEM_PREFIX@ + system + @SYSTEM_SUFFIX@ -}}{%- endif -%}@BODY@{{- @USER_SUFFIX@ -}}"
    "{%- else -%}{%- generation -%}{{- @ANSWER_PREFIX@ -}}" + _JINJA_CONTENT + "{{- @ANSWER_SUFFIX@ -}}{%- endgeneration -%}"
    "{%- endif -%}{%- endfor -%}"
)
_JINJA_IMAGES = "{%- for item in content -%}{%- if item['type'] != 'text' -%}{{- @IMAGE@ -}}{%- endif -%}{%- endfor -%}"
_JINJA_MEDIA_FIRST = (
    "{%- set media = content | rejectattr('type', 'equalto', 'text') | list -%}"
    "{%- if media | length == 1 -%}{{- @IMAGE@ + @MEDIA_SUFFIX@ -}}"
    "{{- content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join | trim -}}"
    "{%- else -%}" + _JINJA_CONTENT + "{%- endif -%}"
)
