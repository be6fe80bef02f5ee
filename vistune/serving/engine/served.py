"""A model as the engine sees it, whichever kind it is: how a question is made ready, how tokens become text and regions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from vistune.data.media.image import image_size
from vistune.model.answering.asked import Terms
from vistune.model.answering.opening import Model
from vistune.model.answering.ranking import Ranking
from vistune.sample import Region, Sample
from vistune.serving.engine.kept import EncodedMedia


class Served:
    """`model` under the `name` that clients ask for. What is encoded of media is kept in at most `media_bytes`."""

    def __init__(self, name: str, model: Model, media_bytes: int) -> None:
        self.name, self.model = name, model
        self.caches: list[EncodedMedia] = []
        for chain in model.chains.values():
            # Tokens may be kept only where they depend on the medium alone and nobody looks at features behind them.
            looked_at = model.looks_back or any(connector.reads_text for connector in chain.connectors)
            cache = EncodedMedia("encoder" if looked_at else "connector", media_bytes // len(model.chains))
            chain.cache = cache
            self.caches.append(cache)

    @cached_property
    def terms(self) -> Terms:
        """How the model is asked."""
        return self.model.terms

    def ready(self, sample: Sample) -> tuple[Any, int]:
        """A question as the model reads it, and how many tokens that are. Touches no weights; raises `InputError`."""
        example: Any = self.model.example(sample.prompt(), self.model.renderer(), True)  # type: ignore[arg-type]
        return example, len(example.rendered)

    def decode(self, ids: Sequence[int]) -> str:
        """Tokens as text, as the command line writes it, but for blanks around it."""
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
        return self.model.rank(sample, list(options), mean=ranking == "mean")
