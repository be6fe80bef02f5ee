"""Multiple choice without writing: the likeliest of a sample's choices."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Literal, TypeAlias

from vistune.errors import InputError
from vistune.model.answering.asked import Asked
from vistune.sample import Sample

Ranking: TypeAlias = Literal["sum", "mean"]


def likeliest(model: Asked, sample: Sample, ranking: Ranking) -> str:
    """The letter of the choice that the model would answer with most probably; of equal ones the first.

    `mean` takes the probability per token, so that long choices are at no disadvantage. Raises `InputError` for a sample
    without choices.
    """
    if not sample.choices:
        raise InputError(f"{sample.where}: has no choices to rank: answer this data without --options")
    if len(sample.choices) > len(ascii_uppercase):
        raise InputError(f"{sample.where}: has {len(sample.choices)} choices, but there are {len(ascii_uppercase)} letters")
    scores = model.rank(sample, sample.choices, mean=ranking == "mean")
    return ascii_uppercase[scores.index(max(scores))]
