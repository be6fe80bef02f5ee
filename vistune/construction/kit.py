"""`Kit`: the models and files a pipeline works with, and the small protocols of those that are no language models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from vistune.completer import Completer
from vistune.construction.facts import Facts
from vistune.errors import InputError
from vistune.sample import Media


class Labeler(Protocol):
    """A detector, OCR engine, tagger or speech recogniser."""

    def label(self, medium: Media) -> Facts:
        """What it finds in one medium."""
        ...


class Painter(Protocol):
    """Makes a medium from words: a text-to-image model, or a search in a captioned collection."""

    def paint(self, kind: str, description: str) -> Media:
        """A medium of a kind (image, video, audio) for a description."""
        ...


class Scorer(Protocol):
    """Image–text similarity, for example CLIP's cosine."""

    def score(self, medium: Media, text: str) -> float:
        """Higher is more alike."""
        ...


@dataclass(frozen=True, slots=True)
class Kit:
    """What a pipeline may use.

    writer:    the language model that writes instructions; viewer: a model that sees pictures
    labelers:  by the kind of fact they give (`objects`, `ocr`, `tags`, `speech`, ...)
    painter:   makes or finds media for descriptions; scorer: compares pictures and texts
    decisions: a person's verdicts by sample id, from the review page; seed: of every draw
    """

    writer: Completer
    viewer: Completer | None = None
    labelers: Mapping[str, Labeler] = field(default_factory=dict)
    painter: Painter | None = None
    scorer: Scorer | None = None
    decisions: Mapping[str, bool] = field(default_factory=dict)
    seed: int = 0

    def eyes(self) -> Completer:
        """The viewer. Raises `InputError` when none was given."""
        if self.viewer is None:
            raise InputError(
                "this pipeline needs a model that sees pictures: give --viewer, for example local:MODEL?vision=true"
            )
        return self.viewer

    def brush(self) -> Painter:
        """The painter. Raises `InputError` when none was given."""
        if self.painter is None:
            raise InputError("this pipeline makes media: give --painter package.module:Class with paint(kind, description)")
        return self.painter
