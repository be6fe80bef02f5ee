"""`Template`: roles and separators. It lays a conversation out as pieces, and writes itself as a Hugging Face chat template.

    <bos> system_prefix SYSTEM system_suffix
          user_prefix QUESTION user_suffix  assistant_prefix [answer_prefix ANSWER answer_suffix]   <- brackets: supervised
          ...                                                                                  [closing]

`{bos}` and `{eos}` in a field stand for the tokenizer's own tokens, `{round}` in a user prefix for the question's number, `{n}`
around a medium for that medium's number in the conversation. Only what a model is to produce is supervised: an answer with the
separator that ends it.
"""

# Annotations stay objects here: a spec is checked against them in subclasses, whose modules do not know these names.
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from vistune.errors import InputError
from vistune.prompt.jinja import chat_template
from vistune.sample import MediaRef, Part, Region, Sample, Text, Turn

DEFAULT_SYSTEM = "The assistant looks at the pictures it is given and answers the user's questions truthfully and to the point."


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the prompt: text of the template's own (`structure`), or a part of the sample; supervised or not.

    `answer` marks the parts of an answer: a region there is to be made, not shown.
    """

    part: Part
    trained: bool
    structure: bool = False
    answer: bool = False


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
    later_user_prefix: str | None = None  # of all questions but the first, where it differs
    user_suffix: str = ""
    assistant_prefix: str = ""
    answer_prefix: str = ""
    answer_prefix_trained: bool = True  # without: not supervised, but still the model's to write when it answers
    answer_suffix: str = ""
    closing: str = ""  # behind the last answer of a whole conversation, supervised
    trained_marks: tuple[str, ...] = ()  # supervised wherever the template writes them, around questions too (Qwen-VL)
    media_prefix: str = ""
    media_suffix: str = ""  # white space at its end parts a moved medium from the text, and only that
    media_first: bool | Literal["all"] = False  # a turn's only medium (or all) moves to its front, and its text is stripped
    question_text: bool = True  # without: questions shrink to their media (LLaVA's "plain" alignment prompt)
    first_round: int = 1
    leading_answer: Literal["refuse", "drop"] = "refuse"  # a conversation that begins with an answer (LLaVA drops that turn)

    def pieces(self, sample: Sample, answer_next: bool = False) -> Pieces:
        """Lay out `sample`; with `answer_next` end where the model's next answer begins.

        Raises `InputError`, naming the sample, when its turns do not alternate between user and assistant, and when its system
        turn holds more than text.
        """
        system, turns = self._split(sample)
        check_alternation(turns, sample, answer_next)
        numbers = _Numbers(self.first_round)
        pieces = list(self._structure(self.begin))
        if not self.system_in_first_question:
            pieces += self._system(system)
        for index, turn in enumerate(turns):
            if turn.role == "user":
                prefix = self.user_prefix if index == 0 or self.later_user_prefix is None else self.later_user_prefix
                pieces += self._structure(prefix.replace("{round}", str(numbers.round())))
                if index == 0 and self.system_in_first_question:
                    pieces += self._system(system)
                pieces += self._question(turn, numbers)
                pieces += self._structure(self.user_suffix + self.assistant_prefix)
            else:
                pieces += self._structure(self.answer_prefix, turn.train and self.answer_prefix_trained)
                pieces += [Piece(part, turn.train, answer=True) for part in turn.parts]
                pieces += self._structure(self.answer_suffix, turn.train)
        if turns and turns[-1].role == "assistant" and not answer_next:
            pieces += self._structure(self.closing, turns[-1].train)
        return pieces

    @property
    def stops(self) -> list[str]:
        """Text other than the end-of-sequence token that ends an answer."""
        marker = (self.closing or self.answer_suffix).partition("{eos}")[0]
        return [marker.strip() or marker] if marker.strip(" ") else []

    def _split(self, sample: Sample) -> tuple[str, list[Turn]]:
        system, turns = self.system, list(sample.turns)
        if turns and turns[0].role == "system":
            if not all(isinstance(part, Text) for part in turns[0].parts):
                raise InputError(f"{sample.where}: its system turn holds a medium or a region: move that to the first question")
            system, turns = turns[0].text, turns[1:]
        if self.leading_answer == "drop" and turns and turns[0].role == "assistant":
            turns = turns[1:]
        return system, turns

    def _system(self, system: str) -> Iterator[Piece]:
        if system or self.system_when_empty:
            yield from self._structure(self.system_prefix)
            if system:
                yield Piece(Text(system), False)
            yield from self._structure(self.system_suffix)

    def _structure(self, text: str, trained: bool = False) -> Iterator[Piece]:
        if trained or not self.trained_marks:
            if text:
                yield Piece(Text(text), trained, structure=True)
            return
        marks = "|".join(map(re.escape, sorted(self.trained_marks, key=len, reverse=True)))
        for index, stretch in enumerate(re.split(f"({marks})", text)):
            if stretch:
                yield Piece(Text(stretch), index % 2 == 1, structure=True)

    def _question(self, turn: Turn, numbers: "_Numbers") -> Iterator[Piece]:
        media = [part for part in turn.parts if isinstance(part, MediaRef)]
        moved = bool(media) and (self.media_first == "all" or (self.media_first is True and len(media) == 1))
        if moved or not self.question_text:
            for medium in media:
                yield from self._medium(medium, numbers, self.media_suffix)
            rest = strip([part for part in turn.parts if not isinstance(part, MediaRef)]) if self.question_text else []
            yield from (Piece(part, False) for part in rest)
            return
        suffix = self.media_suffix.rstrip() if self.media_first else self.media_suffix
        for part in turn.parts:
            if isinstance(part, MediaRef):
                yield from self._medium(part, numbers, suffix)
            else:
                yield Piece(part, False)

    def _medium(self, part: MediaRef, numbers: "_Numbers", suffix: str) -> Iterator[Piece]:
        number = str(numbers.medium())
        yield from self._structure(self.media_prefix.replace("{n}", number))
        yield Piece(part, False)
        yield from self._structure(suffix.replace("{n}", number))

    def chat_template(self, image_token: str) -> str:
        """The same layout as Jinja source for `tokenizer.chat_template`, with `{% generation %}` around answers.

        Roles that training refuses are refused there, too, as are media other than images.
        """
        return chat_template(asdict(self), image_token)


class _Numbers:
    """The numbers that prefixes may write, counted through a conversation: of questions and of media."""

    def __init__(self, first_round: int) -> None:
        self._round, self._media = first_round - 1, 0

    def round(self) -> int:
        self._round += 1
        return self._round

    def medium(self) -> int:
        self._media += 1
        return self._media


def strip(parts: list[Part]) -> list[Part]:
    """Remove white space at the ends of a turn, and text parts that vanish."""
    parts = list(parts)
    while parts and isinstance(first := parts[0], Text):
        parts[0] = Text(first.text.lstrip())
        if first.text.strip():
            break
        parts.pop(0)
    while parts and isinstance(last := parts[-1], Text):
        parts[-1] = Text(last.text.rstrip())
        if last.text.strip():
            break
        parts.pop()
    return [part for part in parts if not (isinstance(part, Text) and not part.text)]


def check_alternation(turns: list[Turn], sample: Sample, answer_next: bool) -> None:
    """Roles alternate, the user first; the last turn is an answer, or a question when the answer is to come."""
    for index, turn in enumerate(turns):
        expected = "assistant" if index % 2 else "user"
        if turn.role != expected:
            first = index == 0 and turn.role == "assistant"
            hint = " (a template with `leading_answer: drop` leaves an answer to nothing out, as LLaVA does)" if first else ""
            raise InputError(f"{sample.where}: turn {index + 1} is the {turn.role}'s, expected the {expected}'s{hint}")
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
            words.append(with_own_tokens(piece.part.text, tokens) if piece.structure else piece.part.text)
        elif isinstance(piece.part, Region):
            words.append("<region>")
        else:
            words.append(image)
    return "".join(words)


def with_own_tokens(text: str, tokens: dict[str, str]) -> str:
    """Put the tokenizer's own tokens where a field says `{bos}` or `{eos}`."""
    return text.replace("{bos}", tokens.get("bos", "")).replace("{eos}", tokens.get("eos", ""))
