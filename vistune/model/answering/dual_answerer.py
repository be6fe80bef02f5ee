"""A dual encoder as evaluation sees it: it writes nothing, but finds the choice, class, caption or picture that fits best."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.model.answering.dual_features import DualEncoder
from vistune.model.device import chosen_device
from vistune.model.native.answerer import identity_of
from vistune.model.native.spec import NativeSpec
from vistune.sample import Sample

TEMPLATE = "a photo of a {}."
"""How CLIP puts a class's name to its text encoder (arXiv 2103.00020, section 3.1.4)."""
_LISTED = 100  # candidates of a ranking; R@10 needs ten


class DualAnswerer:
    """Keeps to `vistune.evals.run.Answerer`. The spec's `prompt` is the sentence that a choice or class is put into.

    A sample with choices is answered by a letter, one with `meta["classes"]` by a class's name, one of a retrieval benchmark
    (`meta["candidates"]` with their `meta["contents"]`) by a JSON list of ids. Raises `InputError` for all others.
    """

    def __init__(self, spec: NativeSpec, device: str = "auto") -> None:
        self._encoder = DualEncoder(spec.path, spec.revision, chosen_device(device))
        self._template = spec.prompt or TEMPLATE
        self.identity = identity_of(spec)
        self._kept: tuple[object, NDArray[np.float32]] | None = None

    def rendered(self, sample: Sample) -> str:
        """The texts that are compared with the picture or, of a caption's search, the caption."""
        if sample.choices or "classes" in sample.meta:
            return json.dumps(self._texts(sample), ensure_ascii=False)
        return str(self._query(sample))

    def generate(self, samples: Sequence[Sample], **arguments: Any) -> list[str]:
        """A letter, a name, or a ranking each; arguments of writing are ignored."""
        return [self._found(sample) for sample in samples]

    def _found(self, sample: Sample) -> str:
        if sample.choices or "classes" in sample.meta:
            scores = _unit(self._encoder.captions(self._texts(sample))) @ self._asked(sample)
            best = int(scores.argmax())
            return ascii_uppercase[best] if sample.choices else str(sample.meta["classes"][best])
        order = np.argsort(-(self._candidates(sample) @ self._asked(sample)), kind="stable")[:_LISTED]
        ids = sample.meta["candidates"]
        return json.dumps([ids[place] for place in order])

    def _texts(self, sample: Sample) -> list[str]:
        names = list(sample.choices or sample.meta["classes"])
        if len(sample.choices) > len(ascii_uppercase):
            raise InputError(f"{sample.where}: has {len(names)} choices, but there are {len(ascii_uppercase)} letters")
        return [self._template.replace("{}", str(name).replace("_", " ")) for name in names]

    def _query(self, sample: Sample) -> str:
        if "contents" not in sample.meta:
            raise InputError(
                f"{sample.where}: a dual encoder writes no answers: it takes questions with choices or classes, and retrieval"
            )
        return str(sample.meta.get("query", ""))

    def _asked(self, sample: Sample) -> NDArray[np.float32]:
        """The features of what is asked about: the sample's only picture, or the caption that is searched by."""
        if not sample.media and sample.meta.get("query"):
            return np.asarray(_unit(self._encoder.captions([sample.meta["query"]]))[0])
        if len(sample.media) != 1 or sample.media[0].kind != "image":
            raise InputError(
                f"{sample.where}: a dual encoder compares one picture with texts, and this has {len(sample.media)}"
            )
        return np.asarray(_unit(self._encoder.media(sample.media))[0])

    def _candidates(self, sample: Sample) -> NDArray[np.float32]:
        """Features of all candidates; the samples of a benchmark share them."""
        self._query(sample)
        contents = sample.meta["contents"]
        if self._kept is None or self._kept[0] is not contents:
            pictures = bool(contents) and sample.meta.get("query") is not None
            found = self._encoder.pictures([Path(name) for name in contents]) if pictures else self._encoder.captions(contents)
            self._kept = contents, _unit(found)
        return self._kept[1]


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(features, axis=-1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, 1e-12), np.float32)
