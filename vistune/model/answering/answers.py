"""`Answer`: the text of an answer with the regions and media it holds, and how heads get to make them.

prompt  |  It is [SEG] .                                    text first; then the row is read once more, and
                  ^ the state that predicts it              each head decodes the states at its triggers

prompt  |  Here: <dream>  [ 64 places ]  </dream> Done.     a head that fills places pauses the answer behind
                  pause    filled by the head               its opening token, and the text goes on behind them
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from vistune.data.media.image import image_size
from vistune.model.features import Sight, Thing
from vistune.model.heads.base import Head, Made, states_of
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.model.modalities.base import probe
from vistune.model.packing import Batch, Example, pack
from vistune.prompt.codec import Codec
from vistune.prompt.render import IGNORE, Rendered, Renderer, Slot
from vistune.prompt.template import Template
from vistune.prompt.writer import MADE, Aside, Branch, Places, Trigger, Words
from vistune.sample import MEDIA_KINDS, Media, MediaRef, Part, Produce, Region, Sample


class Answering(Protocol):
    """What is asked of a model that answers."""

    @property
    def head_of(self) -> dict[str, Head]:
        """Heads by what they make."""
        ...

    @property
    def codec(self) -> Codec:
        """Coordinates in words."""
        ...

    @property
    def template(self) -> Template:
        """How a conversation is laid out."""
        ...

    @property
    def llm(self) -> LanguageModel:
        """The language model."""
        ...

    def generate(self, samples: Sequence[Sample], max_new_tokens: int = 128, **options: Any) -> list[str]:
        """Texts."""
        ...

    def example(self, sample: Sample, renderer: Renderer, answer_next: bool = False) -> Example:
        """A sample made ready."""
        ...

    def renderer(self) -> Renderer:
        """What renders samples."""
        ...

    def inputs(self, batch: Batch) -> Inputs:
        """What the language model reads of a row."""
        ...

    def read(self, batch: Batch) -> tuple[Tensor, Tensor, dict[str, list[Sight]]]:
        """States and embeddings of a row, and what was seen."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answers. `regions` are those that the text writes, then those that heads make; `media` are made by heads."""

    text: str
    regions: tuple[Region, ...] = ()
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """How artefacts of a `kind` stand in an answer: a run of `triggers`, or `places` behind the words `opening`.

    `aside` are the words in front of as many places that stand alone beside the answer (DreamLLM's empty prompt).
    """

    kind: str
    head: Head
    triggers: tuple[int, ...] = ()
    opening: int | None = None
    places: int = 0
    closing: tuple[int, ...] = ()
    aside: tuple[int, ...] | None = None


@torch.no_grad()
def answered(model: Answering, samples: Sequence[Sample], max_new_tokens: int, **options: Any) -> list[Answer]:
    """Answer each sample's last question with text, regions and media; `options` as for `generate`."""
    if not model.head_of:
        texts = model.generate(samples, max_new_tokens, **options)
        return [Answer(text, tuple(regions_of(model.codec, sample, text))) for sample, text in zip(samples, texts, strict=True)]
    written = forms(model)
    return [_with_heads(model, sample, max_new_tokens, written, options) for sample in samples]


def forms(model: Answering) -> list[Form]:
    """How each head's artefacts are written, asked of the heads themselves."""
    tokenizer, found = model.llm.tokenizer, []
    for kind, head in model.head_of.items():
        # Heads write by their own rules, so the form is read off an example instead of being declared a second time.
        part, sample = example_of(kind)
        stretches = list(head.write(part, sample))
        triggers = tuple(tokenizer.convert_tokens_to_ids(each.text) for each in stretches if isinstance(each, Trigger))
        filled = next((number for number, each in enumerate(stretches) if isinstance(each, Places)), None)
        if filled is None:
            found.append(Form(kind, head, triggers))  # it reads states of words, and fills nothing
            continue
        places = stretches[filled]
        closing = "".join(each.text for each in stretches[filled + 1 :] if isinstance(each, Words))
        ids = tokenizer(closing, add_special_tokens=False)["input_ids"] if closing else []
        opening = tokenizer.convert_tokens_to_ids(head.opens) if head.opens else None
        assert isinstance(places, Places)
        beside = [each for each in stretches if isinstance(each, Aside) and each.alone]
        said = "".join(each.text for aside in beside for each in aside.stretches if isinstance(each, Words))
        aside = tuple(tokenizer(said, add_special_tokens=False)["input_ids"]) if beside else None
        found.append(Form(kind, head, (), opening, places.count, tuple(ids), aside))
    return found


def example_of(kind: str) -> tuple[Part, Sample]:
    """A part that stands for an artefact of a kind, and the sample it lies in."""
    made = kind.removeprefix(MADE)
    if made in MEDIA_KINDS:
        return Produce(0), Sample("probe", (probe(made),), ())  # type: ignore[arg-type]
    picture = Sample("probe", (probe("image"),), ())
    if made == "mask":
        return Region(mask=np.ones((48, 64), dtype=bool)), picture
    return Region(box=(0.0, 0.0, 1.0, 1.0)) if made == "box" else Region(point=(0.5, 0.5)), picture


def regions_of(codec: Codec, sample: Sample, text: str) -> list[Region]:
    """The regions that an answer writes."""
    size = None
    if codec.needs_size and sample.media and sample.media[0].kind == "image":
        size = image_size(sample.media[0], sample.where)
    regions: list[Region] = codec.decode(text, size)
    return regions


def _with_heads(
    model: Answering, sample: Sample, max_new_tokens: int, written: Sequence[Form], options: dict[str, Any]
) -> Answer:
    asked = sample.prompt()
    prompt = model.example(asked, model.renderer(), True)
    row = _Answering(prompt, model.llm.tokenizer.pad_token_id)
    # Generation stops at the token that opens places: the text behind it depends on the embeddings that the head fills in.
    openings = {form.opening: form for form in written if form.opening is not None}
    left = max_new_tokens
    while left > 0:
        # The row is read afresh behind each opening: what the head fills in changes everything that follows.
        inputs = model.inputs(pack([row.example]))
        ids = model.llm.generate_ids(inputs, left, model.template.stops, list(openings), **options)[0]
        row.say(ids)
        left -= len(ids)
        # No new token, or an end that is no opening: the answer is complete.
        if not ids or ids[-1] not in openings:
            break
        form = openings[ids[-1]]
        row.leave_places(form)
    for form in written:
        row.find(form, _target(form.head, prompt, asked))
    # Last, since nothing may be said behind a branch: every head's triggers must have been found by now.
    for form in written:
        row.lay_aside(form)
    text = model.llm.text_of(row.spoken, model.template.stops)
    made = list(_decoded(model, row.example, written)) + [thing for form in written for thing in form.head.made_of_words(text)]
    regions = [thing for thing in made if isinstance(thing, Region)]
    return Answer(
        text, (*regions_of(model.codec, sample, text), *regions), tuple(thing for thing in made if isinstance(thing, Media))
    )


class _Answering:
    """A prompt with as much of its answer as there is: tokens, filled places, and slots of what heads read."""

    def __init__(self, prompt: Example, placeholder: int) -> None:
        self.prompt, self.placeholder = prompt, placeholder
        self.ids: list[int] = []
        self.spoken: list[int] = []
        self.slots: dict[str, list[Slot]] = {}
        self.things: dict[str, list[Thing]] = {}
        self.branches: list[Branch] = []

    @property
    def example(self) -> Example:
        """The row as an example."""
        before = self.prompt.rendered
        ids = [*before.ids, *self.ids]
        slots = {kind: list(places) for kind, places in before.slots.items()} | self.slots
        rendered = Rendered(ids, [IGNORE] * len(ids), slots, things=before.things, branches=tuple(self.branches))
        things: Mapping[str, Sequence[Thing]] = {**self.prompt.things, **self.things}
        return replace(self.prompt, rendered=rendered, things=things)

    def say(self, ids: Sequence[int]) -> None:
        """Tokens behind the row."""
        self.ids += ids
        self.spoken += ids

    def leave_places(self, form: Form) -> None:
        """Places behind the row, and the words that close them."""
        start = len(self.prompt.rendered.ids) + len(self.ids)
        self._add(form.kind, Slot(len(self.things.get(form.kind, [])), start, form.places), Thing(None))
        # `ids` is what the model reads, `spoken` what a person is told: filled places are not words.
        self.ids += [self.placeholder] * form.places
        self.say(form.closing)

    def lay_aside(self, form: Form) -> None:
        """Behind the whole row, further places of each thing that stand alone. Nothing can be said behind them."""
        if form.aside is None:
            return
        for slot in list(self.slots.get(form.kind, [])):
            start = len(self.prompt.rendered.ids) + len(self.ids) + len(form.aside)
            self.ids += [*form.aside, *[self.placeholder] * form.places]
            self.slots[form.kind].append(Slot(slot.which, start, form.places))
            # Going on from position 0 means to see nothing before it: the unconditional pass of classifier-free guidance.
            self.branches.append((0, len(form.aside) + form.places))

    def find(self, form: Form, thing: Thing) -> None:
        """Slots at every run of a form's triggers, each an unknown `thing` of its own."""
        run, start = list(form.triggers), len(self.prompt.rendered.ids)
        place = 0
        while run and place + len(run) <= len(self.ids):
            # Whole runs only: half a run (generation was cut) is no artefact.
            if self.ids[place : place + len(run)] == run:
                number = len(self.things.get(form.kind, []))
                self._add(form.kind, Slot(number, start + place, len(run)), thing)
                place += len(run)
            else:
                place += 1

    def _add(self, kind: str, slot: Slot, thing: Thing) -> None:
        self.slots.setdefault(kind, []).append(slot)
        self.things.setdefault(kind, []).append(thing)


def _target(head: Head, prompt: Example, sample: Sample) -> Thing:
    """An unknown thing on the last picture or film that the prompt shows."""
    for kind in ("image", "video"):
        shown = prompt.rendered.things.get(kind, [])
        if shown:
            part = shown[-1]
            assert isinstance(part, MediaRef)
            return Thing(None, on=(kind, len(shown) - 1), view=head.view(sample.media[part.index], sample.where))
    return Thing(None)


def _decoded(model: Answering, example: Example, written: Sequence[Form]) -> Iterator[Made]:
    """The row read once more, whole, and each head's states decoded."""
    if not any(example.things.get(form.kind) for form in written):
        return
    hidden, embeds, seen = model.read(pack([example]))
    for form in written:
        things = example.things.get(form.kind, [])
        if things:
            states = states_of(hidden, embeds, example.rendered.slots[form.kind], form.head)
            yield from form.head.decode(states, things, seen)
