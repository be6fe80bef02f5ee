"""Image classification by a text answer: which class a reply names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from vistune.evals.metrics.groups import group_means
from vistune.evals.metrics.inputs import aligned, chosen, missing
from vistune.evals.result import Result

_APART = re.compile(r"[\W_]+")


def classification(
    predictions: Sequence[str | None], references: Sequence[str], classes: Sequence[str], rule: str = "contains"
) -> Result:
    """Top-1 accuracy in percent, and the mean of the classes' accuracies.

    - `exact`: the reply is a class's name
    - `contains`: exactly one class's name is in the reply as whole words, names within longer found names aside
      (`tiger` in `tiger lily`); LVLM-eHub's rule, which however takes any reply that contains the right name

    Case, punctuation, underscores and articles at the front do not matter. A reply that names no class, or several, is
    unparsed and wrong.
    """
    reading = chosen(RULES, rule, "classification")
    names = {_normal(name): name for name in classes}
    read = [None if reply is None else reading(_normal(reply), names) for reply in predictions]
    scores = np.array([100.0 * (given == truth) for given, truth in aligned(read, references)])
    by_class = list(group_means(scores, [(truth,) for truth in references]).values())
    return Result.mean(
        f"classification/{rule}",
        "accuracy",
        scores,
        values={"mean per class": sum(by_class) / len(by_class)} if by_class else {},
        missing=missing(predictions),
        unparsed=sum(given is None and reply is not None for given, reply in zip(read, predictions, strict=True)),
    )


def _normal(text: str) -> str:
    return re.sub(r"^(a|an|the) ", "", " ".join(_APART.split(text.lower())).strip())


def _exact(reply: str, names: Mapping[str, str]) -> str | None:
    return names.get(reply)


def _contains(reply: str, names: Mapping[str, str]) -> str | None:
    padded = f" {reply} "
    found = [name for name in names if f" {name} " in padded]
    # A class inside another class's name was not meant by itself.
    longest = [name for name in found if not any(f" {name} " in f" {other} " and name != other for other in found)]
    return names[longest[0]] if len(longest) == 1 else None


RULES: Mapping[str, Callable[[str, Mapping[str, str]], str | None]] = MappingProxyType({"exact": _exact, "contains": _contains})
