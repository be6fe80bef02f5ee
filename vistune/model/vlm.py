"""`VisionLanguageModel`: media -> modalities -> fusion -> language model -> heads, and what a user does with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from vistune.errors import InputError
from vistune.model import miscount
from vistune.model.adapters.adapt import adapt
from vistune.model.answering.answers import Answer, answered
from vistune.model.answering.asked import Asked, Terms, positions
from vistune.model.answering.prefixes import shared_prefixes
from vistune.model.assembly import Route, build_heads, build_modalities, build_parts, routes, seen_width
from vistune.model.connectors.base import Connector
from vistune.model.encoders.base import Encoder
from vistune.model.features import Extent, Sight
from vistune.model.fusion.base import Fusion
from vistune.model.fusion.splice import splice
from vistune.model.heads.base import Head, Loss, states_of
from vistune.model.language.borrowed import language_model
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.model.late_words import with_late_words
from vistune.model.modalities.chain import Chain
from vistune.model.packing import Batch, Example, pack
from vistune.model.preparing import Known, Preparer
from vistune.model.spec import ModelSpec
from vistune.model.trainable import Trainable
from vistune.model.weights.quiet import quiet
from vistune.progress import track
from vistune.prompt.codec import Codec
from vistune.prompt.render import IGNORE, Renderer
from vistune.prompt.template import Template
from vistune.prompt.writer import MADE, Writer
from vistune.sample import MEDIA_KINDS, Media, MediaKind, MediaRef, Sample, Text, Turn
from vistune.spec import Spec, build, check_arguments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image


class VisionLanguageModel(Trainable[Renderer, Example, Batch], Asked):
    """The whole model. Its children bear the names that stages train them by: parts, `fusion`, `llm`, `heads`.

    `modalities` and `head_of` (by kind) hold no weights. `vision` and `connector` are None where no part has that name.
    """

    packs = True
    vision: Encoder | None
    connector: Connector | None
    fusion: Fusion
    llm: LanguageModel

    def __init__(self, spec: ModelSpec, load_weights: bool = True, stored: Set[str] = frozenset()) -> None:
        """Built from a spec; without `load_weights` nothing is read, and what is `stored` elsewhere is not read either."""
        super().__init__()
        self.spec = spec
        llm = {"path": spec.llm} if isinstance(spec.llm, str) else dict(spec.llm)
        check_arguments(language_model, llm, "model.llm", {"load_weights": None})
        self.routes = routes(spec)
        # A checkpoint that holds a part makes reading its pretrained file superfluous: gigabytes that would be overwritten at
        # once.
        unread = frozenset(stored) if load_weights else frozenset({"llm", "heads", *_named(self.routes)})
        with quiet():
            self.llm = language_model(**llm, load_weights="llm" not in unread)
        with quiet():
            fusion: Fusion = build("vistune.model.fusion", spec.fusion, Fusion, load_weights=load_weights)
        self.parts = build_parts(
            spec, self.llm.width, unread, self.routes, fusion.reads(self.llm.width), lambda: self.llm.embeddings
        )
        # The two names are always registered, as None where absent, so that code which asks for them needs no probing.
        for name, part in {"vision": None, "connector": None, **self.parts}.items():
            self.add_module(name, part)
        self.fusion = fusion
        # Before `install`: a fusion may look through a part of the model, and must know it when it makes its own weights.
        self.fusion.meet(self.parts)
        with quiet():
            self.fusion.install(self.llm)
        self.heads = build_heads(spec, self.llm.width, seen_width(self.parts, self.routes), "heads" not in unread)
        self.codec = build("vistune.prompt.codecs", spec.codec, Codec)
        # Codec before heads, always in this order: token ids are assigned one after the other and stand in checkpoints.
        self.llm.add_tokens([*self.codec.tokens, *(token for head in self._heads for token in head.tokens)])
        self.template: Template = build("vistune.prompt.templates", spec.template, Template, tokenizer=self.llm.tokenizer)
        # After new tokens have their rows: adapters can train those rows alone, and must know their numbers.
        adapt(dict(self.named_children()), spec.adapt)
        self.modalities = build_modalities(self.parts, self.routes, self.codec, self.fusion.places, lambda: self.device)

    @property
    def _heads(self) -> list[Head]:
        return [head for head in self.heads.values() if isinstance(head, Head)]

    @property
    def head_of(self) -> dict[str, Head]:
        """The head that makes things of a kind, by kind."""
        return {kind: head for head in self._heads for kind in head.makes}

    @property
    def image(self) -> Chain | None:
        """The modality of pictures."""
        found = self.modalities.get("image")
        return found if isinstance(found, Chain) else None

    @property
    def chains(self) -> dict[MediaKind, Chain]:
        """The modalities of media, by kind."""
        return {modality.reads: modality for modality in self.modalities.values() if isinstance(modality, Chain)}

    @contextmanager
    def encoding_as(self, kinds: Mapping[str, str], where: str = "") -> Iterator[None]:
        """Let media of a kind go the way of another (`{"video": "audio"}`) while the block runs: a joint encoder reads both.

        Raises `InputError` for a kind that no modality reads, and where the encoder does not read media of the first kind.
        """
        # Only the tables are swapped; the parts and their weights are the same objects, so optimizer and checkpoint see no
        # change.
        kept, chains = (self.modalities, self.routes), dict(self.chains.items())
        said = f"{where}: encode_as" if where else "encode_as"
        for kind, other in kinds.items():
            chain = chains.get(cast(MediaKind, other))
            if chain is None or kind not in MEDIA_KINDS:
                raise InputError(f"{said} says {kind}: {other}, but the model reads {', '.join(chains)}")
            if kind not in chain.encoder.reads:
                raise InputError(f"{said} says {kind}: {other}, but their encoder reads {' and '.join(chain.encoder.reads)}")
            changed = chain.reading(cast(MediaKind, kind))
            self.modalities, self.routes = self.modalities | {kind: changed}, self.routes | {kind: self.routes[other]}
        try:
            yield
        finally:
            self.modalities, self.routes = kept

    @property
    def looks_back(self) -> bool:
        """Whether region encoders, heads or the fusion look at features of media, which then must be there beside tokens."""
        return bool(self.heads) or len(self.modalities) > len(self.chains) or self.fusion.looks

    @property
    def max_length(self) -> int:
        """The most tokens of a training sample."""
        return self.spec.max_length

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.llm.parameters()).device

    @property
    def losses(self) -> dict[str, float]:
        """The published weights of the losses of the text and of the heads, by name."""
        return {"text": 1.0} | {name: weight for head in self._heads for name, weight in head.losses.items()}

    def renderer_of(self, template: Spec | None) -> Renderer:
        """What turns samples into token ids, with the model's own template or another."""
        if template is None:
            return self.renderer()
        return self.renderer(build("vistune.prompt.templates", template, Template, tokenizer=self.llm.tokenizer))

    def renderer(self, template: Template | None = None) -> Renderer:
        """What turns samples into token ids for this model, with its own template or another."""
        tokenizer = self.llm.tokenizer
        writers: dict[str, Writer] = {**self.modalities, **self.head_of}
        return Renderer(template or self.template, self.codec, tokenizer, tokenizer.pad_token_id, writers)

    def media_tokens(self, medium: Media, where: str = "") -> int:
        """How many places a medium takes in the sequence. Raises `InputError` when the model has no encoder for it."""
        chain = self.chains.get(medium.kind)
        if chain is None:
            raise InputError(f"{where or medium.name}: this model has no encoder for {medium.kind} media")
        return chain.count(medium, where)

    def example(
        self,
        sample: Sample,
        renderer: Renderer,
        answer_next: bool = False,
        known: Known | None = None,
    ) -> Example:
        """Render a sample and prepare its things. Runs on the CPU, touches no weights.

        Media and regions are looked up in `known` by their content, and put there.
        """
        preparer = Preparer(self.modalities, self.head_of)
        return preparer.example(sample, renderer, answer_next, self.spec.max_length, {} if known is None else known)

    def tokens_of(self, sample: Sample, renderer: Renderer) -> int:
        """How many tokens a sample takes, by headers of media."""
        return len(renderer.render(sample))

    def extent(self, sample: Sample, renderer: Renderer) -> Extent:
        """What `example` would ask for, decoding nothing."""
        rendered = renderer.render(sample, False, self.spec.max_length)
        inputs, seen = 0, dict[str, int]()
        for kind, chain in self.chains.items():
            shown = {part.index for part in rendered.things.get(kind, ()) if isinstance(part, MediaRef)}
            layouts = [chain.layout(sample.media[index], sample.where) for index in sorted(shown)]
            inputs += sum(layout.inputs for layout in layouts)
            seen[kind] = sum(layout.total for layout in layouts)
        return Extent(len(rendered), rendered.supervised, inputs, seen)

    def encode(self, batch: Batch) -> tuple[dict[str, list[Tensor]], dict[str, list[Sight]]]:
        """Tokens `[K, H]` of all things that are shown, and what was seen of media, both by kind."""
        tokens: dict[str, list[Tensor]] = {}
        seen: dict[str, list[Sight]] = {}
        # In the order of `modalities`, media before regions: region encoders look at `seen`, which media fill.
        for kind, modality in self.modalities.items():
            if batch.things.get(kind):
                names = self.routes[kind].chain
                chain = modality if isinstance(modality, Chain) else None
                with miscount.told(batch, kind, chain, names):
                    tokens[kind], seen[kind] = modality.tokens(batch.things[kind], seen)
                    # A fusion may give media other places than tokens (gated attention: one); regions are always spliced.
                    taken = self.fusion.places if chain is not None and kind in self.fusion.carries else lambda count: count
                    places = {number: taken(len(each)) for number, each in enumerate(tokens[kind])}
                    miscount.check(batch, kind, dict(enumerate(tokens[kind])), places, f"the part {names[-1]!r}")
        for kind, head in self.head_of.items():
            # A head that fills its places gives embeddings of its own queries; other heads only read states later.
            if kind in batch.slots and batch.slots[kind] and head.fills:
                # By number, since slots may stand in another order than the things they belong to.
                lengths = {slot.which: slot.length for slot in batch.slots[kind]}
                tokens[kind] = [head.fill(length) for _, length in sorted(lengths.items())]
                places = {number: len(each) for number, each in enumerate(tokens[kind])}
                miscount.check(batch, kind, dict(enumerate(tokens[kind])), places, f"the head {type(head).__name__}")
        return tokens, seen

    def inputs(self, batch: Batch) -> Inputs:
        """What the language model reads of a packed row: its text, and its things as the fusion brings them in."""
        return self._inputs(batch)[0]

    def _inputs(self, batch: Batch) -> tuple[Inputs, dict[str, list[Sight]]]:
        text = Inputs(
            self.llm.embed(batch.ids.to(self.device)),
            batch.positions.to(self.device),
            batch.lengths,
            # Encoder-decoders split the row at supervised tokens; decoders do not look at this.
            answers=batch.labels.to(self.device) != IGNORE,
            branches=batch.branches,
        )
        tokens, seen = self.encode(batch)
        # Two ways into the model: tokens in their places in the row, and, for the kinds a fusion carries (gated attention,
        # visual experts), whatever the fusion makes of them.
        spliced = splice(text, {kind: those for kind, those in tokens.items() if kind not in self.fusion.carries}, batch.slots)
        carried = {kind: those for kind, those in tokens.items() if kind in self.fusion.carries}
        prepared = self.fusion.prepare(spliced, carried, batch.slots)
        return self.fusion.settle(self.llm, prepared, carried, batch.slots, seen), seen

    def hidden(self, batch: Batch) -> Tensor:
        """Last hidden states `[T, H]` of a packed row."""
        return self.read(batch)[0]

    def read(self, batch: Batch) -> tuple[Tensor, Tensor, dict[str, list[Sight]]]:
        """Last hidden states and embeddings of a packed row, both `[T, H]`, and what was seen of its media."""
        inputs, seen = self._inputs(batch)
        states: Tensor = self.llm(inputs)
        return states, inputs.embeds, seen

    def forward(self, batch: Batch) -> dict[str, Loss]:
        """Named losses: that of the text, and those of the heads whose things the row holds."""
        # Codes of a picture are known once its encoder has run, on the device: until now their tokens were placeholders.
        batch = with_late_words(batch, self.head_of, self.llm.tokenizer)
        hidden, embeds, seen = self.read(batch)
        losses = {"text": Loss(self.llm.loss_sum(hidden, batch.labels.to(self.device)))}
        for kind, head in self.head_of.items():
            if batch.things.get(kind):
                states = states_of(hidden, embeds, batch.slots.get(kind, []), head)
                losses |= head.loss(states, batch.things[kind], seen)
        return losses

    def pack(self, examples: Sequence[Example]) -> Batch:
        """Examples as one batch for training."""
        return pack(examples)

    def prompt_text(self, sample: Sample) -> str:
        """The token ids of the prompt, places of media included, as text: what decides an answer, beside media and weights."""
        return " ".join(map(str, self.renderer().render(sample.prompt(), True, self.spec.max_length).ids))

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
        known: Known = {}
        examples = [self.example(sample.prompt(), renderer, True, known) for sample in samples]
        # Of like length together, so that few rows of a batch wait for its longest answer.
        order = arranged(examples)
        # Beams and samples repeat rows inside the library, which a cache of shared prefixes does not follow.
        several = max(options.get("num_beams", 1), options.get("num_return_sequences", 1)) > 1
        reuse = reuse and not several and not self.fusion.repeats
        starts = range(0, len(order), batch_size)
        for start in track(starts, "answering", len(starts)) if progress else starts:
            chosen = order[start : start + batch_size]
            part = [examples[index] for index in chosen]
            inputs = self.inputs(pack(part))
            shared = shared_prefixes(part) if reuse else None
            cache = None if shared is None else self.llm.prefill(inputs, shared)
            more = options if cache is None else {"past_key_values": cache, **options}
            texts = self.llm.generate(inputs, max_new_tokens, self.template.stops, **more)
            answers |= dict(zip(chosen, texts, strict=True))
        return [answers[index] for index in range(len(samples))]

    def answer(
        self, samples: Sequence[Sample], max_new_tokens: int = 128, say: Callable[[str], None] | None = None, **options: Any
    ) -> list[Answer]:
        """Answer each sample's last question with text, the regions it writes, and the regions and media that heads make.

        `say` is told a single sample's text as it is written.
        """
        return answered(self, samples, max_new_tokens, **self.spoken(say, options), **options)

    @property
    def terms(self) -> Terms:
        """How the model is asked."""
        stops, language = tuple(self.template.stops), self.llm.model
        return Terms(
            tokenizer=self.llm.tokenizer,
            stops=stops,
            ends=frozenset(self.llm.ends(list(stops))),
            vocabulary=int(language.get_output_embeddings().weight.shape[0]),
            context=positions(language.config),
            reads=tuple(kind for kind in MEDIA_KINDS if kind in self.chains),
            # Boxes and points are at least written out; a mask needs a part that reads it.
            points=("box", "point", *(kind for kind in ("mask",) if kind in self.modalities)),
            makes=tuple(sorted(kind.removeprefix(MADE) for kind in self.head_of)),
        )

    def text_of(self, ids: Sequence[int]) -> str:
        """Tokens as text, but for blanks around it."""
        return self.llm.words(ids)

    @torch.no_grad()
    def rank(self, sample: Sample, options: Sequence[str], mean: bool = False, reuse: bool = True) -> list[float]:
        """Log-probability of each option as the answer to the sample's last question, natural logarithm.

        Counted are the tokens that an answer would be trained on: its own and those that end it; with `mean` they are averaged.
        With `reuse` the question is read once. Raises `InputError` without options, and for an empty one.
        """
        if not options or not all(option.strip() for option in options):
            raise InputError(f"{sample.where}: ranking needs options, none of them empty, but they are {list(options)}")
        prompt, renderer = sample.prompt(), self.renderer()
        known: Known = {}
        # Only the option counts: a likelihood of the history would be the same for all of them.
        history = tuple(replace(turn, train=False) for turn in prompt.turns)
        answered = [replace(prompt, turns=(*history, Turn("assistant", (Text(option),)))) for option in options]
        examples = [self.example(each, renderer, known=known) for each in answered]
        # A dropped turn here would be the option itself: its likelihood would be an empty sum, the best of all.
        if any(example.rendered.dropped_turns for example in examples):
            raise InputError(f"{sample.where}: with an option as its answer it takes more than {self.spec.max_length} tokens")
        batch = pack(examples)
        inputs = self.inputs(batch)
        shared = shared_prefixes(examples) if reuse and not self.fusion.repeats else None
        hidden = None if shared is None else self.llm.shared_states(inputs, shared)
        # Where sharing prefixes is not possible (encoder-decoders, soft prompts) the whole row is read, with the same
        # numbers.
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
        # Equal media are one object (`known`), so identity finds questions about the same picture, whose prefix is then read
        # once.
        groups[tuple(map(id, example.media))].append(number)

    def length(number: int) -> int:
        return len(examples[number].rendered)

    ordered = sorted((sorted(group, key=length) for group in groups.values()), key=lambda group: length(group[-1]))
    return [number for group in ordered for number in group]


def _named(routes: Mapping[str, Route]) -> set[str]:
    return {name for route in routes.values() for name in route.chain}


def question_sample(image: str | Image.Image | NDArray[np.uint8] | None, question: str, history: Sequence[Turn] = ()) -> Sample:
    """A conversation about one picture whose next answer is wanted; the picture is shown in the first question."""
    import numpy as np

    media: tuple[Media, ...] = ()
    if isinstance(image, str):
        media = (Media.file("image", image),)
    elif image is not None:
        media = (Media("image", data=np.asarray(image)),)
    # With a history the picture was shown in its first question; showing it again would make two slots.
    shown = (MediaRef(0), Text("\n")) if media and not history else ()
    return Sample("chat", media, (*history, Turn("user", (*shown, Text(question)))))
