"""Conversations that a model and its copy are compared on before either is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from vistune.errors import InputError, TooLongError
from vistune.model.native.model import NativeModel
from vistune.sample import Media, MediaRef, Sample, Text, Turn

if TYPE_CHECKING:
    from vistune.model.vlm import VisionLanguageModel


def probes(model: VisionLanguageModel | NativeModel) -> list[Sample]:
    """Text only; where the model sees one picture, and two pictures of other shapes, as far as its `max_length` takes them.

    Of models taken whole those that their family takes: some need a picture, some have room for one.
    """
    dice = np.random.default_rng(0)
    # Noise of odd shapes: wide, tall and square, so that padding, cropping and tiling all show in the logits.
    pictures = [dice.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in ((40, 61), (64, 32), (30, 30))]
    samples = [_probe("text", [], "Say yes or no.")]
    if isinstance(model, NativeModel) or model.vision is not None:
        samples += [_probe("one", pictures[:1], "What is shown?"), _probe("two", pictures[1:], "What differs?")]
    fitting = [sample for sample in samples if _fits(model, sample)]
    if not fitting:
        raise InputError("the model takes none of the questions that it would be compared on: is its max_length too small?")
    return fitting


def _fits(model: VisionLanguageModel | NativeModel, sample: Sample) -> bool:
    renderer: Any = model.renderer()  # each kind of model its own
    try:
        model.example(sample, renderer)
    except InputError as error:
        # Of our own models anything but length is a fault; how many pictures a family takes only its processor says.
        if isinstance(model, NativeModel) or isinstance(error, TooLongError):
            return False
        raise
    return True


def _probe(name: str, pictures: list[np.ndarray], question: str) -> Sample:
    shown = tuple(part for index in range(len(pictures)) for part in (MediaRef(index), Text("\n")))
    turns = (Turn("user", (*shown, Text(question))), Turn("assistant", (Text("yes"),)))
    return Sample(name, tuple(Media("image", data=picture) for picture in pictures), turns)


def largest_difference(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """Over all places and the vocabulary both know; NaN where a logit of either is NaN (`max` of Python would pass it over)."""
    # One side may have rows for padding or for the image token, which the other lacks.
    widths = [min(one.shape[-1], two.shape[-1]) for one, two in zip(ours, theirs, strict=True)]
    apart = [(one[..., :width] - two[..., :width]).abs().max() for one, two, width in zip(ours, theirs, widths, strict=True)]
    return float(torch.stack(apart).max())
