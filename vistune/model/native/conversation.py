"""A sample in a native model's own words: the text its processor reads, and where in it the answers stand.

The chat template writes the text; an answer is what the template adds when its turn is added:

    asked     <|im_start|>user\\nIMAGE What is it?<|im_end|>\\n<|im_start|>assistant\\n
    answered  <|im_start|>user\\nIMAGE What is it?<|im_end|>\\n<|im_start|>assistant\\nA cat.<|im_end|>\\n
    answer                                                                           A cat.<|im_end|>
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vistune.errors import InputError
from vistune.model.native.families import Form
from vistune.prompt.codec import Codec
from vistune.prompt.spelling import written
from vistune.sample import MediaRef, Produce, Sample, Text, Turn

Content = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Span:
    """An earlier answer inside a prompt: its characters, and how many pictures are shown before it ends."""

    start: int
    end: int
    pictures: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """`prompt` up to where the last answer begins, that `answer`, the numbers of the `pictures` in the order they are shown,
    and the `earlier` answers that are trained, too."""

    prompt: str
    answer: str
    pictures: tuple[int, ...]
    earlier: tuple[Span, ...] = ()


class ChatTemplate:
    """Writes conversations with a tokenizer's Jinja chat template."""

    mixed = False

    def __init__(self, tokenizer: Any, template: str, codec: Codec) -> None:
        self._tokenizer, self._template, self._codec = tokenizer, template, codec

    def write(self, sample: Sample, answered: bool) -> Conversation:
        """The conversation up to its last question or, when `answered`, to its last trained answer."""
        turns = kept(sample, answered)
        asked = turns[:-1] if answered else turns
        prompt = self._render(sample, asked, True)
        answer = self._behind(sample, prompt, turns) if answered else ""
        earlier = []
        for index, turn in enumerate(asked):
            if answered and turn.role == "assistant" and turn.train:
                before = self._render(sample, turns[:index], True)
                # Where an earlier answer ends is found by rendering the conversation up to it: templates are programs, and
                # nothing else tells.
                end = len(before) + len(self._behind(sample, before, turns[: index + 1]))
                if prompt[:end] != before + self._behind(sample, before, turns[: index + 1]):
                    raise InputError(
                        f"{sample.where}: the model's chat template rewrites earlier answers, so none can be taught"
                    )
                earlier.append(Span(len(before), end, len(shown(turns[:index]))))
        return Conversation(prompt, answer, shown(asked), tuple(earlier))

    def _behind(self, sample: Sample, prompt: str, turns: Sequence[Turn]) -> str:
        """What the last turn adds to the text that asks for it, without the white space that separates turns."""
        whole = self._render(sample, turns, False)
        if not whole.startswith(prompt):
            raise InputError(
                f"{sample.where}: the model's chat template does not write an answer behind the prompt that asks for it, so"
                " where the answer begins cannot be told: give the model key 'prompt'"
            )
        # White space behind the end token separates turns; a model is not to produce it before the next question.
        return whole[len(prompt) :].rstrip()

    def _render(self, sample: Sample, turns: Sequence[Turn], ask: bool) -> str:
        messages = [{"role": turn.role, "content": contents(turn, sample, self._codec)} for turn in turns]
        text: str = self._tokenizer.apply_chat_template(
            messages, chat_template=self._template, add_generation_prompt=ask, tokenize=False
        )
        return text


class FixedForm:
    """Writes one question, or a short dialogue, in a family's own form."""

    def __init__(self, form: Form, codec: Codec) -> None:
        self._form, self._codec = form, codec
        self.mixed = form.mixed

    def write(self, sample: Sample, answered: bool) -> Conversation:
        """As `ChatTemplate.write`; only the last answer can be trained."""
        turns = kept(sample, answered)
        asked, answer = (turns[:-1], turns[-1]) if answered else (turns, None)
        if any(turn.role == "system" for turn in turns):
            raise InputError(f"{sample.where}: this model has no place for a system turn")
        if answered and sum(turn.role == "assistant" and turn.train for turn in turns) > 1:
            raise InputError(f"{sample.where}: this model learns one answer a sample: split the conversation")
        *past, question = asked
        if past and (self._form.past is None or len(past) % 2):
            raise InputError(f"{sample.where}: this model answers one question and knows no turns before it")
        pairs = zip(past[::2], past[1::2], strict=True)
        before = "".join(_fill(self._form.past or "", self._words(q, sample), self._words(a, sample)) for q, a in pairs)
        prompt = before + _fill(self._form.question, self._words(question, sample))
        pictures = shown(asked)
        if not self.mixed:
            prompt = self._form.shown * len(pictures) + prompt
        written = "" if answer is None else _fill(self._form.answer, self._words(answer, sample))
        return Conversation(prompt, written, pictures)

    def _words(self, turn: Turn, sample: Sample) -> str:
        parts = contents(turn, sample, self._codec)
        return "".join(part.get("text", self._form.shown if self.mixed else "") for part in parts)


def kept(sample: Sample, answered: bool) -> tuple[Turn, ...]:
    """The turns up to the last question or, when `answered`, to the last answer that is trained and not empty."""
    turns = sample.turns
    if not answered:
        turns = sample.prompt().turns
        if not turns or turns[-1].role != "user":
            raise InputError(f"{sample.where} has no question to answer")
        return turns
    trained = [index for index, turn in enumerate(turns) if turn.role == "assistant" and turn.train and turn.parts]
    if not trained:
        raise InputError(f"{sample.where}: has no supervised token: every answer is empty or marked train=false")
    return turns[: trained[-1] + 1]


def shown(turns: Sequence[Turn]) -> tuple[int, ...]:
    """Numbers of the media that turns show, in order; one shown twice stands there twice."""
    return tuple(part.index for turn in turns for part in turn.parts if isinstance(part, MediaRef))


def contents(turn: Turn, sample: Sample, codec: Codec) -> Content:
    """A turn as the content list that chat templates read: pictures and, between them, words with regions written out.

    Line ends between words and a picture are left to the template. Raises `InputError` for a medium to produce.
    """
    found: Content = []
    for part in written(turn.parts, codec, sample):
        if isinstance(part, Produce):
            raise InputError(f"{sample.where}: a native model produces text only")
        if isinstance(part, MediaRef):
            if found and found[-1]["type"] == "text":
                found[-1]["text"] = found[-1]["text"].removesuffix("\n")
            found.append({"type": "image"})
            continue
        assert isinstance(part, Text)
        text = part.text
        if found and found[-1]["type"] == "text":
            found[-1]["text"] += text
        else:
            found.append({"type": "text", "text": text.removeprefix("\n") if found else text})
    return [part for part in found if part.get("text") != ""] or [{"type": "text", "text": ""}]


def _fill(pattern: str, *values: str) -> str:
    """`{}` in a pattern replaced, one after the other; braces in the values stay. A pattern without any is what it is."""
    first, *others = pattern.split("{}")
    filled = [value + piece for value, piece in zip(values, others, strict=False)]
    return first + "".join(filled) + "".join(others[len(values) :])
