"""A sample made ready for a model: rendered, and its media and regions prepared. Runs on the CPU, touches no weights."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from vistune.errors import InputError
from vistune.model.features import Prepared, Thing
from vistune.model.heads.base import Head
from vistune.model.modalities.base import Modality
from vistune.model.modalities.region import Regions
from vistune.model.packing import Example
from vistune.model.regions.base import RegionEncoder
from vistune.prompt.render import Rendered, Renderer
from vistune.prompt.writer import MADE
from vistune.sample import Media, MediaRef, Part, Produce, Region, Sample

Known: TypeAlias = dict[Hashable, Prepared | None]
"""Media, regions and views that were prepared, by content."""


@dataclass(frozen=True)
class Preparer:
    """`modalities` prepare media and regions that are shown, `heads` (by kind) things that are to be made."""

    modalities: Mapping[str, Modality]
    heads: Mapping[str, Head]

    def example(self, sample: Sample, renderer: Renderer, answer_next: bool, max_length: int, known: Known) -> Example:
        """Render a sample and prepare its things. What is `known` by its content is not prepared again, and so is shared."""
        rendered = renderer.render(sample, answer_next, max_length)
        things = {
            kind: [self._thing(kind, part, sample, rendered, known) for part in parts]
            for kind, parts in rendered.things.items()
        }
        return Example(sample.id, rendered, things)

    def _thing(self, kind: str, part: Part, sample: Sample, rendered: Rendered, known: Known) -> Thing:
        if isinstance(part, MediaRef):
            # The key is the content, not the path: a picture held in memory and the same file read twice share one
            # `Prepared`, and identity of `Prepared` is what later stages group by.
            key = content(sample.media[part.index])
            if key not in known:
                known[key] = self.modalities[kind].prepare(part, sample)
            return Thing(known[key], question_about(sample, part.index))
        if isinstance(part, Produce):
            # Targets are not shared: the same picture may be asked for twice with other words, and its loss then counts
            # twice.
            return Thing(self.heads[kind].prepare(part, sample))
        assert isinstance(part, Region)
        return self._region(kind, part, sample, rendered, known)

    def _region(self, kind: str, region: Region, sample: Sample, rendered: Rendered, known: Known) -> Thing:
        medium = sample.media[region.media]
        reference = MediaRef(region.media)
        on = rendered.things.get(medium.kind, [])
        if reference not in on:
            raise InputError(
                f"{sample.where}: a {kind.removeprefix(MADE)} lies on medium {region.media + 1}, which no turn shows"
            )
        # `index` finds the number of the medium among the things of its kind, which is how `Batch.things` and `seen` count.
        place = medium.kind, on.index(reference)
        if kind.startswith(MADE):
            head = self.heads[kind]
            return Thing(head.prepare(region, sample), on=place, view=self._view(head, kind, medium, sample, known))
        modality = self.modalities[kind]
        assert isinstance(modality, Regions)
        key = kind, content(medium), region
        if key not in known:
            known[key] = modality.prepare(region, sample)
        return Thing(known[key], on=place, view=self._view(modality.encoder, kind, medium, sample, known))

    def _view(
        self,
        viewer: Head | RegionEncoder,
        kind: str,
        medium: Media,
        sample: Sample,
        known: Known,
    ) -> Prepared | None:
        # The kind is part of the key, since two heads may prepare one picture for encoders of different sizes.
        key = "view", kind, content(medium)
        if key not in known:
            known[key] = viewer.view(medium, sample.where)
        return known[key]


def content(medium: Media) -> Hashable:
    """What tells a medium from others: its file, or its bytes."""
    data = medium.data
    # Shape and dtype belong to an array's identity: the same bytes as 2 x 8 and as 4 x 4 are two pictures.
    held = data if data is None or isinstance(data, bytes) else (data.dtype.str, data.shape, data.tobytes())
    return medium.kind, medium.path, medium.offset, medium.length, held


def question_about(sample: Sample, index: int) -> str:
    """The words of the first question that shows medium `index`: what a connector that reads the instruction is told."""
    shown = (turn for turn in sample.turns if turn.role == "user" and MediaRef(index) in turn.parts)
    return next((turn.text.strip() for turn in shown), "")
