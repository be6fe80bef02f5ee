"""Media of one kind through an encoder and a chain of connectors.

medium -> encoder [T inputs, L, D] -> connector [T, K, H] -> join (tiles, frames) [T', K', H] -> ... -> tokens [T' K', H]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from copy import copy

import torch
from torch import Tensor

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.encoders.base import Encoder
from vistune.model.feature_cache import MediaCache
from vistune.model.features import Features, Layout, Prepared, Sight, Thing, joined
from vistune.model.modalities.base import Seen
from vistune.prompt.writer import Places, Stretch, Words
from vistune.sample import Media, MediaKind, MediaRef, Part, Sample


class Chain:
    """`encoder` and `connectors` are parts of the model; `places` is the fusion's, `device` says where the weights are.

    `before` and `after` are words around a medium, `{n}` its number among the sample's media of the kind: Qwen-VL's
    `Picture {n}: <img>`. In them, `{frames}` is the number of a film's frames (or stretches of a sound) and `{seconds}` their
    times, with one decimal place: VideoChat's `The video contains {frames} frames sampled at {seconds} seconds.` While a stage
    runs on kept features, `cache` holds them.
    """

    def __init__(
        self,
        kind: MediaKind,
        encoder: Encoder,
        connectors: Sequence[Connector],
        places: Callable[[int], int],
        device: Callable[[], torch.device],
        before: str = "",
        after: str = "",
    ) -> None:
        self.reads: MediaKind = kind
        self.taken_for: MediaKind = kind
        self.encoder, self.connectors = encoder, list(connectors)
        self.cache: MediaCache | None = None
        self._places, self._device, self._before, self._after = places, device, before, after

    def reading(self, kind: MediaKind) -> Chain:
        """The same parts and words for media of another `kind`, which the encoder brings into one space with its own: what
        connectors learn from them serves its own kind, too."""
        other = copy(self)
        # `taken_for` stays the old kind: connectors with queries for each kind go on using those that are being taught. The
        # cache belongs to media of the other kind.
        other.reads, other.cache = kind, None
        return other

    def layout(self, medium: Media, where: str = "") -> Layout:
        """How the encoder's tokens of a medium lie."""
        return self.encoder.layout(medium, where)

    def connected(self, layout: Layout) -> Layout:
        """How the tokens lie behind the last connector."""
        for connector in self.connectors:
            layout = connector.layout_after(layout)
        return layout

    def count(self, medium: Media, where: str = "") -> int:
        """How many places a medium takes in the sequence."""
        return self._places(self.connected(self.layout(medium, where)).total)

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """As many places as there are tokens, between the words around a medium."""
        assert isinstance(part, MediaRef)
        medium = sample.media[part.index]
        # Counted among media of the same kind: the second picture is `Picture 2` also where a film stands between the two.
        number = str(sum(other.kind == medium.kind for other in sample.media[: part.index + 1]))
        said = [self._said(text.replace("{n}", number), medium, sample.where) for text in (self._before, self._after)]
        around = [Words(text) if text else None for text in said]
        stretches = [around[0], Places(self.count(medium, sample.where)), around[1]]
        return [stretch for stretch in stretches if stretch is not None]

    def _said(self, text: str, medium: Media, where: str) -> str:
        """Words around a medium, filled in with what its header says."""
        if "{frames}" not in text and "{seconds}" not in text:
            return text
        layout = self.layout(medium, where)
        if layout.seconds is None and "{seconds}" in text:
            raise InputError(
                f"{where}: {medium.name} does not say when its frames are shown, as the words around {self.reads} media want: "
                "give what reads it an array_rate, or words without {seconds}"
            )
        times = ", ".join(f"{round(second, 1)}" for second in layout.seconds or ())
        count = layout.inputs if layout.seconds is None else len(layout.seconds)
        return text.replace("{frames}", str(count)).replace("{seconds}", times)

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """Decoded and scaled, or what the cache keeps of it."""
        assert isinstance(part, MediaRef)
        return self.ready(sample.media[part.index], sample.where)

    def ready(self, medium: Media, where: str = "") -> Prepared:
        """A medium ready for `tokens`."""
        return self.read(medium, where) if self.cache is None else self.cache.prepare(medium, where, self.read, self.layout)

    def read(self, medium: Media, where: str = "") -> Prepared:
        """Decode and prepare a medium for the encoder."""
        return self.encoder.read(medium, where)

    def tokens(self, things: Sequence[Thing], seen: Seen) -> tuple[list[Tensor], list[Sight]]:
        """A medium that is shown twice is encoded once, and connected once for each question that a connector reads."""
        media = [thing.ready for thing in things]
        if self.cache is not None and self.cache.level == "connector":
            # With cached tokens there are no features, so nothing can be looked at later; a stage chooses this level only
            # where nobody looks.
            return self.cache.tokens(media, self._unasked, self._device()), []
        distinct = {id(medium): medium for medium in media}
        features = dict(zip(distinct, self.features(list(distinct.values())), strict=True))
        # Without a connector that reads the question, one picture under three questions is connected once.
        asks = any(connector.reads_text for connector in self.connectors)
        keys = [(id(thing.ready), thing.question if asks else "") for thing in things]
        # `dict.fromkeys` keeps the order of first appearance: sums of floats must not depend on the order of a set.
        pairs = list(dict.fromkeys(keys))
        made = self._connect([features[medium] for medium, _ in pairs], [distinct[medium] for medium, _ in pairs], pairs)
        tokens = dict(zip(pairs, made, strict=True))
        return [tokens[key] for key in keys], [Sight(medium, features[id(medium)]) for medium in media]

    def features(self, media: Sequence[Prepared]) -> list[Features]:
        """The encoder's features of each medium, computed or kept. No gradient goes through a frozen encoder."""
        return self._see(media) if self.cache is None else self.cache.features(media, self._see, self._device())

    def _see(self, media: Sequence[Prepared]) -> list[Features]:
        trained = any(parameter.requires_grad for parameter in self.encoder.parameters())
        found: dict[int, Features] = {}
        # Frozen encoders build no graph, which is most of a step's activation memory; trained ones only where gradients are
        # wanted at all.
        with torch.set_grad_enabled(trained and torch.is_grad_enabled()):
            # Encoders of any size (native patches) give inputs of different shapes, which cannot be stacked; equal shapes go
            # together.
            for places in grouped([medium.inputs.shape[1:] for medium in media]):
                inputs = torch.cat([media[place].inputs for place in places]).to(self._device())
                parts = self.encoder.see(inputs, self.reads).split([len(media[place].inputs) for place in places])
                found |= dict(zip(places, parts, strict=True))
        return [found[place] for place in range(len(media))]

    def _unasked(self, media: Sequence[Prepared]) -> list[Tensor]:
        # Cached tokens know no question: `caching.py` refuses this level where a connector reads the text.
        return self._connect(self._see(media), media, [(id(medium), "") for medium in media])

    def _connect(
        self, features: Sequence[Features], media: Sequence[Prepared], pairs: Sequence[tuple[int, str]]
    ) -> list[Tensor]:
        """Through all connectors: media of one shape together, each with its question."""
        states, layouts = list(features), [medium.layout for medium in media]
        for connector in self.connectors:
            # Grouped anew behind each connector, since poolings and tiles can change which media have one shape.
            for places in grouped([state.shape for state in states]):
                sizes = [len(states[place].x) for place in places]
                # One text for each encoder input, not for each medium: connectors see tiles and frames as rows of one batch.
                texts = tuple(pairs[place][1] for place, size in zip(places, sizes, strict=True) for _ in range(size))
                made = connector(joined([states[place] for place in places]), TextContext(texts, self.taken_for)).split(sizes)
                for place, tokens in zip(places, made, strict=True):
                    after = connector.layout_after(layouts[place])
                    states[place] = Features(connector.join(tokens, layouts[place]), after.grid)
                    layouts[place] = after
        return [state.x.flatten(0, 1) for state in states]


def grouped(keys: Sequence[Hashable]) -> list[list[int]]:
    """The places of equal keys, together, in the order of their first."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        groups[key].append(place)
    return list(groups.values())
