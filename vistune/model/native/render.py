"""`NativeRenderer`: a sample becomes what a native model reads, through its own processor, and the tokens it is to learn.

    prompt    the processor's tensors for text and pictures up to the last answer, a batch of one
    rendered  ids and labels of prompt and answer; the answer's tokens come as generation would give them, one behind the other

Training and generation thus see the same prompt, bit for bit. Labels inside a prompt (earlier answers) come from its text: the
processor replaces a picture's place by many tokens, so tokens are told from the text's end, up to the last picture, and what
stands before that is read from a shorter prompt that ends there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from vistune.data.media.image import load_image
from vistune.errors import InputError, TooLongError
from vistune.model.native.conversation import ChatTemplate, Conversation, FixedForm, Span
from vistune.model.native.families import Family
from vistune.prompt.render import IGNORE, Rendered
from vistune.sample import Sample, Text


@dataclass(frozen=True, slots=True)
class NativeExample:
    """A sample made ready: the processor's tensors of its prompt (a batch of one), and ids and labels of prompt and answer."""

    id: str
    prompt: dict[str, Tensor]
    rendered: Rendered

    @property
    def answer(self) -> list[int]:
        """The last answer's tokens; none where one is wanted."""
        return self.rendered.ids[self.prompt["input_ids"].shape[1] :]


@dataclass(frozen=True)
class NativeRenderer:
    """A model's processor, the writer of its conversations, its family, the tokens that end an answer (the first is written)
    and arguments of the picture processor that are replaced."""

    processor: Any
    writer: ChatTemplate | FixedForm
    family: Family
    ends: tuple[int, ...]
    pictures: dict[str, Any]

    def render(self, sample: Sample, answer_next: bool = False, max_length: int | None = None) -> NativeExample:
        """Make `sample` ready for training or, with `answer_next`, to be answered.

        Over `max_length`, whole question-answer pairs are dropped from the end, never part of a picture. Raises `InputError`,
        naming the sample, when one pair alone does not fit, and for whatever the model cannot read.
        """
        turns = sample.turns
        while True:
            example = self._render(replace(sample, turns=turns), answer_next)
            if max_length is None or len(example.rendered) <= max_length:
                break
            shorter = turns[:-2]
            if answer_next or not any(turn.role == "assistant" and turn.train for turn in shorter):
                raise TooLongError(
                    f"{sample.where}: takes {len(example.rendered)} tokens, but the limit is {max_length}: raise the limit or"
                    " shorten the sample"
                )
            turns = shorter
        dropped = len(sample.turns) - len(turns)
        return replace(example, rendered=replace(example.rendered, dropped_turns=dropped))

    def text(self, sample: Sample) -> str:
        """The prompt that asks the sample's last question, as the processor reads it."""
        return self.writer.write(sample, answered=False).prompt

    def _render(self, sample: Sample, answer_next: bool) -> NativeExample:
        self._check(sample)
        said = self.writer.write(sample, answered=not answer_next)
        self._check_pictures(sample, said)
        images = [load_image(sample.media[index], sample.where) for index in said.pictures]
        prompt = self._process(said.prompt, images, sample)
        ids: list[int] = prompt["input_ids"][0].tolist()
        labels = self._labels(said.prompt, images, ids, said.earlier, sample)
        if not answer_next:
            tokenizer = self.processor.tokenizer
            answer: list[int] = tokenizer(said.answer, add_special_tokens=False)["input_ids"]
            # Templates end an answer or do not; a model that never learns to end runs on to the limit.
            if not answer or answer[-1] not in self.ends:
                answer.append(self.ends[0])
            ids, labels = ids + answer, labels + answer
        return NativeExample(sample.id, prompt, Rendered(ids, labels, {}))

    def _check(self, sample: Sample) -> None:
        """Refuse words that the processor would take for a picture's place."""
        place = str(getattr(self.processor, "image_token", "") or "")
        for turn in sample.turns:
            for part in turn.parts:
                if place and isinstance(part, Text) and place in part.text:
                    raise InputError(f"{sample.where}: its text holds {place!r}, which this model takes for a picture's place")

    def _check_pictures(self, sample: Sample, said: Conversation) -> None:
        for index in said.pictures:
            if sample.media[index].kind != "image":
                kind = sample.media[index].kind
                raise InputError(f"{sample.where}: {kind} media cannot be shown to a native model, only images can")
        fewest, most = self.family.pictures
        if not fewest <= len(said.pictures) <= most:
            wanted = f"exactly {most}" if fewest == most else f"at least {fewest}"
            raise InputError(f"{sample.where}: shows {len(said.pictures)} pictures, but this model reads {wanted} a sample")

    def _process(self, text: str, images: Sequence[Any], sample: Sample) -> dict[str, Tensor]:
        arguments: dict[str, Any] = {"images_kwargs": self.pictures} if self.pictures else {}
        if self._begins(text):
            # Most chat templates write it, and twice at the beginning is a prompt that no model was trained on.
            arguments["add_special_tokens"] = False
        try:
            if self.writer.mixed:
                made = self.processor(text=interleaved(text, images), return_tensors="pt", **arguments)
            else:
                # Processors of models with one picture a sample take a list of pictures, the others one list for each text.
                shown = list(images) if self.family.pictures == (1, 1) else [list(images)]
                made = self.processor(text=[text], images=shown if images else None, return_tensors="pt", **arguments)
        except (ValueError, TypeError, IndexError) as error:
            raise InputError(
                f"{sample.where}: the model's processor refuses it: {' '.join(str(error).split())[:300]}"
            ) from error
        # Some processors make labels of the whole text; ours are those of the answers.
        return {name: made[name] for name in made if name != "labels"}

    def _begins(self, text: str) -> bool:
        """Whether the text already starts with the token that the tokenizer would put there."""
        begin = self.processor.tokenizer.bos_token
        return bool(begin) and text.startswith(begin)

    def _labels(self, text: str, images: Sequence[Any], ids: list[int], spans: Sequence[Span], sample: Sample) -> list[int]:
        """Labels of a prompt's `ids`: the tokens of `spans` of its text."""
        labels = [IGNORE] * len(ids)
        if not spans:
            return labels
        plain = self.processor.tokenizer(text, add_special_tokens=not self._begins(text), return_offsets_mapping=True)
        alike = 0  # tokens from the end that are the text's own
        # A processor puts many tokens where the text has one placeholder, so ids of text and prompt agree only behind the
        # last picture; what is taught before it is found by rendering the shorter prompt, whose end it is.
        for ours, theirs in zip(reversed(plain["input_ids"]), reversed(ids), strict=False):
            if ours != theirs:
                break
            alike += 1
        offsets = plain["offset_mapping"]
        first = offsets[len(offsets) - alike][0] if alike else len(text)
        told = [span for span in spans if span.start >= first]
        for place in range(1, alike + 1):
            start, end = offsets[-place]
            # A token belongs to the answer in which it ends: one that begins with the space before the answer is learnt too.
            if end > start and any(span.start < end <= span.end for span in told):
                labels[-place] = ids[-place]
        rest = spans[: len(spans) - len(told)]
        if rest:
            cut, seen = text[: rest[-1].end], images[: rest[-1].pictures]
            shorter: list[int] = self._process(cut, seen, sample)["input_ids"][0].tolist()
            if (not told and cut == text) or ids[: len(shorter)] != shorter:
                raise InputError(
                    f"{sample.where}: which tokens its earlier answers have cannot be told: split the conversation"
                )
            labels[: len(shorter)] = self._labels(cut, seen, shorter, rest, sample)
        return labels


def interleaved(text: str, images: Sequence[Any]) -> list[Any]:
    """Words and pictures in one list, as the processor of IDEFICS takes them."""
    pieces, pictures = text.split("<image>"), iter(images)
    mixed: list[Any] = [pieces[0]] if pieces[0] else []
    for piece in pieces[1:]:
        mixed += [next(pictures), *([piece] if piece.strip(" ") else [])]
    return mixed
