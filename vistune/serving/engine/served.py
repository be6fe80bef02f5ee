"""A model as the engine sees it, whichever kind it is: how a question is made ready, how tokens become text and regions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from vistune.data.media.image import image_size
from vistune.errors import InputError
from vistune.model.answering.opening import Model
from vistune.model.answering.ranking import Ranking
from vistune.model.native.model import NativeModel
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import MEDIA_KINDS, Region, Sample
from vistune.serving.engine.kept import EncodedMedia


class Served:
    """`model` under the `name` that clients ask for. What is encoded of media is kept in at most `media_bytes`."""

    def __init__(self, name: str, model: Model, media_bytes: int) -> None:
        self.name, self.model = name, model
        self.caches: list[EncodedMedia] = []
        if isinstance(model, VisionLanguageModel):
            self._keep_media(model, media_bytes)

    def _keep_media(self, model: VisionLanguageModel, limit: int) -> None:
        for chain in model.chains.values():
            # Tokens may be kept only where they depend on the medium alone and nobody looks at features behind them.
            looked_at = model.looks_back or any(connector.reads_text for connector in chain.connectors)
            cache = EncodedMedia("encoder" if looked_at else "connector", limit // len(model.chains))
            chain.cache = cache
            self.caches.append(cache)

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""
        return self.model.llm.tokenizer if isinstance(self.model, VisionLanguageModel) else self.model.tokenizer

    @property
    def vocabulary(self) -> int:
        """How many logits there are."""
        if isinstance(self.model, VisionLanguageModel):
            return int(self.model.llm.model.get_output_embeddings().weight.shape[0])
        return int(self.model.native.model.config.get_text_config().vocab_size)

    @cached_property
    def stops(self) -> tuple[str, ...]:
        """Texts that end an answer."""
        return tuple(self.model.template.stops) if isinstance(self.model, VisionLanguageModel) else ()

    @cached_property
    def ends(self) -> frozenset[int]:
        """Tokens that end an answer."""
        if isinstance(self.model, VisionLanguageModel):
            return frozenset(self.model.llm.ends(list(self.stops)))
        return frozenset(self.model.native.ends(self.model.tokenizer))

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The kinds of media that it takes."""
        if isinstance(self.model, NativeModel):
            return ("image",)
        return tuple(kind for kind in MEDIA_KINDS if kind in self.model.chains)

    @cached_property
    def points(self) -> tuple[str, ...]:
        """The kinds of regions that it can be pointed at with: boxes and points are at least written out."""
        written = ("box", "point")
        if isinstance(self.model, NativeModel):
            return written
        return (*written, *(kind for kind in ("mask",) if kind in self.model.modalities))

    @cached_property
    def makes(self) -> tuple[str, ...]:
        """What its heads make."""
        if isinstance(self.model, NativeModel):
            return ()
        return tuple(sorted(kind.removeprefix("produce_") for kind in self.model.head_of))

    @cached_property
    def context(self) -> int:
        """The most tokens of a prompt with its answer."""
        model = self.model.llm.model if isinstance(self.model, VisionLanguageModel) else self.model.native.model
        # Families with relative positions (T5) name no limit.
        positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        return int(positions or 1 << 20)

    def ready(self, sample: Sample) -> tuple[Any, int]:
        """A question as the model reads it, and how many tokens that are. Touches no weights; raises `InputError`."""
        example: Any = self.model.example(sample.prompt(), self.model.renderer(), True)  # type: ignore[arg-type]
        return example, len(example.rendered)

    def decode(self, ids: Sequence[int]) -> str:
        """Tokens as text, as the command line writes it, but for blanks around it."""
        if isinstance(self.model, VisionLanguageModel):
            return self.model.llm.words(ids)
        return self.model.text_of(ids)

    def regions(self, sample: Sample, text: str) -> list[tuple[int, int, Region]]:
        """Boxes and points that an answer writes, with where in its text they stand: (start, end, region)."""
        if not sample.media:
            return []
        size = None
        if self.model.codec.needs_size:
            picture = next((medium for medium in sample.media if medium.kind == "image"), None)
            if picture is None:
                return []
            size = image_size(picture, sample.where)
        return self.model.codec.located(text, size)

    def rank(self, sample: Sample, options: Sequence[str], ranking: Ranking) -> list[float]:
        """Log-probabilities of options as the answer. Raises `InputError` for a model that is not of this package's parts."""
        if not isinstance(self.model, VisionLanguageModel):
            raise InputError(f"the model {self.name!r} is not made of this package's parts: it cannot rank")
        return self.model.rank(sample, list(options), mean=ranking == "mean")
