"""`VisionLanguageModel`: encoder -> connector -> fusion -> language model, and what a user does with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from vistune.data.media.image import image_size, load_image
from vistune.errors import InputError
from vistune.model.adapters.adapt import adapt
from vistune.model.answering.prefixes import share
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.encoders.base import Encoder
from vistune.model.feature_cache import FeatureCache
from vistune.model.features import Features, Prepared
from vistune.model.fusion.base import Fusion
from vistune.model.language.causal import LanguageModel
from vistune.model.language.encoder_decoder import language_model
from vistune.model.language.inputs import Inputs
from vistune.model.packing import Batch, Example, pack
from vistune.model.spec import ModelSpec
from vistune.model.weights.quiet import quiet
from vistune.progress import track
from vistune.prompt.codec import Codec
from vistune.prompt.render import IGNORE, Renderer
from vistune.prompt.template import Template
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.spec import build

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image


class VisionLanguageModel(nn.Module):
    """The whole model. Parts are named as stages name them: `vision`, `connector`, `fusion`, `llm`."""

    vision: Encoder | None
    connector: Connector | None
    fusion: Fusion
    llm: LanguageModel

    def __init__(self, spec: ModelSpec, load_weights: bool = True) -> None:
        super().__init__()
        self.spec = spec
        llm = {"path": spec.llm} if isinstance(spec.llm, str) else dict(spec.llm)
        with quiet():
            self.llm = language_model(**llm, load_weights=load_weights)
        self.vision = self.connector = None
        self.cache: FeatureCache | None = None  # set while a frozen encoder's features are kept
        if spec.vision is not None:
            if spec.connector is None:
                raise InputError("model.vision needs model.connector, which brings its features to the language model")
            with quiet():
                self.vision = build("vistune.model.encoders", spec.vision, Encoder, load_weights=load_weights)
            self.connector = build(
                "vistune.model.connectors", spec.connector, Connector, width=self.vision.width, out_width=self.llm.width
            )
        self.fusion = build("vistune.model.fusion", spec.fusion, Fusion)
        self.fusion.install(self.llm)
        self.codec = build("vistune.prompt.codecs", spec.codec, Codec)
        self.llm.add_tokens(self.codec.tokens)
        self.template: Template = build("vistune.prompt.templates", spec.template, Template, tokenizer=self.llm.tokenizer)
        adapt(dict(self.named_children()), spec.adapt)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.llm.parameters()).device

    def renderer(self, template: Template | None = None) -> Renderer:
        """What turns samples into token ids for this model, with its own template or another."""
        tokenizer = self.llm.tokenizer
        placeholder = tokenizer.pad_token_id
        return Renderer(template or self.template, self.codec, tokenizer, placeholder)

    def media_tokens(self, medium: Media, where: str = "") -> int:
        """How many places a medium takes in the sequence. Raises `InputError` when the model has no encoder for it."""
        if self.vision is None or self.connector is None or medium.kind != "image":
            raise InputError(f"{where or medium.name}: this model has no encoder for {medium.kind} media")
        size = image_size(medium, where)
        count = self.connector.count(self.vision.num_tokens(size), self.vision.grid(size), self.vision.tiling(size))
        return self.fusion.places(count)

    def example(
        self, sample: Sample, renderer: Renderer, answer_next: bool = False, known: dict[Hashable, Prepared] | None = None
    ) -> Example:
        """Render a sample and prepare the media it shows. Runs on the CPU, touches no weights.

        Media are looked up in `known` by their content, and put there.
        """
        known = {} if known is None else known
        rendered = renderer.render(
            sample,
            lambda index: self.media_tokens(sample.media[index], sample.where),
            answer_next,
            self.spec.max_length,
        )
        shown = dict.fromkeys(slot.which for slots in rendered.slots.values() for slot in slots)
        media = {}
        for index in shown:
            key = content(sample.media[index])
            if key not in known:
                known[key] = self._prepare(sample.media[index], sample.where)
            media[index] = known[key]
        return Example(sample.id, rendered, media, {index: question_about(sample, index) for index in shown})

    def _prepare(self, medium: Media, where: str) -> Prepared:
        assert self.vision is not None
        if self.cache is not None:
            return self.cache.prepare(medium, where)
        return self.vision.prepare(load_image(medium, where))

    def encode(self, media: Sequence[Prepared], questions: Sequence[str]) -> list[Tensor]:
        """Visual tokens `[K, H]` of each medium, shown in that question. No gradient goes through a frozen encoder."""
        if not media:
            return []
        if self.cache is not None and self.cache.level == "connector":
            return self.cache.tokens(media, lambda new: self._connect(new, [""] * len(new), self._see), self.device)
        cache = self.cache
        see = self._see if cache is None else lambda new: cache.features(new, self._see, self.device)
        return self._connect(media, questions, see)

    def _see(self, media: Sequence[Prepared]) -> Features:
        """Features of all inputs of `media`."""
        assert self.vision is not None
        training = any(parameter.requires_grad for parameter in self.vision.parameters())
        with torch.set_grad_enabled(training and torch.is_grad_enabled()):
            features: Features = self.vision(torch.cat([medium.pixels for medium in media]).to(self.device))
        return features

    def _connect(
        self, media: Sequence[Prepared], questions: Sequence[str], see: Callable[[Sequence[Prepared]], Features]
    ) -> list[Tensor]:
        assert self.connector is not None
        distinct = {id(medium): medium for medium in media}  # what is shown twice is encoded once
        features = see(list(distinct.values()))
        asked = [question if self.connector.reads_text else "" for question in questions]
        pairs = list(dict.fromkeys(zip(map(id, media), asked, strict=True)))
        if len(pairs) > len(distinct):
            sizes = [len(medium.pixels) for medium in distinct.values()]
            rows = dict(zip(distinct, torch.arange(sum(sizes)).split(sizes), strict=True))
            features = features.rows(torch.cat([rows[medium] for medium, _ in pairs]).to(self.device))
        shown = [distinct[medium] for medium, _ in pairs]
        inputs = [len(medium.pixels) for medium in shown]
        text = TextContext(tuple(question for (_, question), count in zip(pairs, inputs, strict=True) for _ in range(count)))
        parts = self.connector(features, text).split(inputs)
        joined = [self.connector.join(part, features.grid, medium.tiling) for part, medium in zip(parts, shown, strict=True)]
        tokens = dict(zip(pairs, joined, strict=True))
        return [tokens[pair] for pair in zip(map(id, media), asked, strict=True)]

    def inputs(self, batch: Batch) -> Inputs:
        """What the language model reads of a packed row: its text, and its media as the fusion brings them in."""
        text = Inputs(
            self.llm.embed(batch.ids.to(self.device)),
            batch.positions.to(self.device),
            batch.lengths,
            answers=batch.labels.to(self.device) != IGNORE,
        )
        return self.fusion.prepare(text, self.encode(batch.media, batch.questions), batch.slots)

    def hidden(self, batch: Batch) -> Tensor:
        """Last hidden states `[T, H]` of a packed row."""
        states: Tensor = self.llm(self.inputs(batch))
        return states

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Named losses, each summed over its supervised tokens: divide by their global count."""
        return {"text": self.llm.loss_sum(self.hidden(batch), batch.labels.to(self.device))}

    def pack(self, examples: Sequence[Example]) -> Batch:
        """Examples as one batch for training."""
        return pack(examples)

    def prompt_text(self, sample: Sample) -> str:
        """The token ids of the prompt, places of media included, as text: what decides an answer, beside media and weights."""
        asked = sample.prompt()
        rendered = self.renderer().render(
            asked, lambda index: self.media_tokens(asked.media[index], asked.where), True, self.spec.max_length
        )
        return " ".join(map(str, rendered.ids))

    def save_tokenizer(self, folder: Path) -> None:
        """Write the tokenizer's files."""
        self.llm.tokenizer.save_pretrained(folder)

    @torch.no_grad()
    def logits(self, samples: Iterable[Sample]) -> list[Tensor]:
        """Next-token logits `[length, vocabulary]` of each sample as rendered for training."""
        renderer = self.renderer()
        batch = pack([self.example(sample, renderer) for sample in samples])
        return list(self.llm.logits(self.hidden(batch)).split(batch.lengths))

    @torch.no_grad()
    def generate(
        self,
        samples: Sequence[Sample],
        max_new_tokens: int = 128,
        batch_size: int = 64,
        progress: bool = False,
        reuse: bool = True,
        **options: Any,
    ) -> list[str]:
        """Answer each sample's last question; turns after it are ignored. Greedy unless `options` (sampling) say otherwise.

        With `reuse`, prefixes that prompts share, media included, are computed once (`vistune.model.answering.prefixes`).
        """
        renderer = self.renderer()
        answers: dict[int, str] = {}
        known: dict[Hashable, Prepared] = {}
        examples = [self.example(sample.prompt(), renderer, True, known) for sample in samples]
        order = arranged(examples)
        reuse = reuse and max(options.get("num_beams", 1), options.get("num_return_sequences", 1)) == 1
        starts = range(0, len(order), batch_size)
        for start in track(starts, "answering", len(starts)) if progress else starts:
            chosen = order[start : start + batch_size]
            part = [examples[index] for index in chosen]
            inputs = self.inputs(pack(part))
            shared = share(part) if reuse else None
            cache = None if shared is None else self.llm.prefill(inputs, shared)
            more = options if cache is None else {"past_key_values": cache, **options}
            texts = self.llm.generate(inputs, max_new_tokens, self.template.stops, **more)
            answers |= dict(zip(chosen, texts, strict=True))
        return [answers[index] for index in range(len(samples))]

    @torch.no_grad()
    def rank(self, sample: Sample, options: Sequence[str], mean: bool = False, reuse: bool = True) -> list[float]:
        """Log-probability of each option as the answer to the sample's last question, natural logarithm.

        Counted are the tokens that an answer would be trained on: its own and those that end it; with `mean` they are averaged.
        With `reuse` the question is read once. Raises `InputError` without options, and for an empty one.
        """
        if not options or not all(option.strip() for option in options):
            raise InputError(f"{sample.where}: ranking needs options, none of them empty, but they are {list(options)}")
        prompt, renderer = sample.prompt(), self.renderer()
        known: dict[Hashable, Prepared] = {}
        history = tuple(replace(turn, train=False) for turn in prompt.turns)
        answered = [replace(prompt, turns=(*history, Turn("assistant", (Text(option),)))) for option in options]
        examples = [self.example(each, renderer, known=known) for each in answered]
        if any(example.rendered.dropped_turns for example in examples):
            raise InputError(f"{sample.where}: with an option as its answer it takes more than {self.spec.max_length} tokens")
        batch = pack(examples)
        inputs = self.inputs(batch)
        shared = share(examples) if reuse else None
        hidden = None if shared is None else self.llm.shared_states(inputs, shared)
        hidden = self.llm(inputs) if hidden is None else hidden
        likely = self.llm.log_likelihoods(hidden, batch.labels.to(self.device)).split(batch.lengths)
        tokens = [example.rendered.supervised if mean else 1 for example in examples]
        return [float(part.sum()) / count for part, count in zip(likely, tokens, strict=True)]

    def chat(
        self, image: str | Image.Image | NDArray[np.uint8] | None, question: str, max_new_tokens: int = 256, **options: Any
    ) -> str:
        """Ask one question about one picture (a path, a PIL picture, an array, or None for none)."""
        return self.generate([question_sample(image, question)], max_new_tokens, **options)[0]


def arranged(examples: Sequence[Example]) -> list[int]:
    """Numbers of examples in the order they are answered: of like length, and those about the same media together."""
    groups: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, example in enumerate(examples):
        groups[tuple(map(id, example.media.values()))].append(number)

    def length(number: int) -> int:
        return len(examples[number].rendered)

    ordered = sorted((sorted(group, key=length) for group in groups.values()), key=lambda group: length(group[-1]))
    return [number for group in ordered for number in group]


def content(medium: Media) -> Hashable:
    """What tells a medium from others: its file, or its bytes."""
    data = medium.data
    held = data if data is None or isinstance(data, bytes) else (data.dtype.str, data.shape, data.tobytes())
    return medium.kind, medium.path, medium.offset, medium.length, held


def question_about(sample: Sample, index: int) -> str:
    """The words of the first question that shows medium `index`: what a connector that reads the instruction is told."""
    shown = (turn for turn in sample.turns if turn.role == "user" and MediaRef(index) in turn.parts)
    return next((turn.text.strip() for turn in shown), "")


def question_sample(image: str | Image.Image | NDArray[np.uint8] | None, question: str, history: Sequence[Turn] = ()) -> Sample:
    """A conversation about one picture whose next answer is wanted; the picture is shown in the first question."""
    import numpy as np

    media: tuple[Media, ...] = ()
    if isinstance(image, str):
        media = (Media.file("image", image),)
    elif image is not None:
        media = (Media("image", data=np.asarray(image)),)
    shown = (MediaRef(0), Text("\n")) if media and not history else ()
    return Sample("chat", media, (*history, Turn("user", (*shown, Text(question)))))
