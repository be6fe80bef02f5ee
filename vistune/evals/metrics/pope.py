"""POPE (Li et al., Evaluating Object Hallucination, EMNLP 2023): is an object there, yes or no? Yes is positive."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from vistune.evals.metrics.binary import f1_statistic, precision_recall_f1
from vistune.evals.metrics.groups import group_means
from vistune.evals.metrics.inputs import aligned, chosen, missing
from vistune.evals.result import Result

_WORDS = re.compile(r"[a-z]+")


def _official(reply: str) -> bool:
    words = reply.partition(".")[0].replace(",", "").split(" ")
    return not {"No", "not", "no"} & set(words)


def _exact(reply: str) -> bool | None:
    return {"yes": True, "no": False}.get(reply.strip().lower())


RULES: Mapping[str, Callable[[str], bool | None]] = MappingProxyType({"official": _official, "exact": _exact})


def pope(
    predictions: Sequence[str | None],
    references: Sequence[bool],
    splits: Sequence[str] = (),
    rule: str = "official",
) -> Result:
    """F1 in percent first, then accuracy, precision, recall and the share of yes.

    With `splits` (random, popular, adversarial) the F1 of each follows, and their mean, LLaVA's headline.

    - `official`: no if the first sentence holds `No`, `not` or `no` as a word, else yes; so an empty answer is a yes
    - `exact`: the whole answer is yes or no; anything else is unparsed

    A missing or unparsed answer is wrong: it counts as the opposite of the truth. `official` leaves nothing unparsed; a note
    says how many answers it read as a yes that do not say so.
    """
    reading = chosen(RULES, rule, "POPE")
    read = [None if reply is None else reading(reply) for reply, _ in aligned(predictions, references)]
    said = [not truth if answer is None else answer for answer, truth in zip(read, references, strict=True)]
    right = [100.0 * (answer == truth) for answer, truth in zip(said, references, strict=True)]
    precision, recall, f1 = precision_recall_f1(said, references)
    by_split = {split: _f1_of(said, references, splits, split) for split in dict.fromkeys(splits)}
    values = {
        "F1": f1,
        "accuracy": sum(right) / len(right) if right else float("nan"),
        "precision": precision,
        "recall": recall,
        "yes_ratio": 100.0 * sum(said) / len(said) if said else float("nan"),
        **({"mean_F1": sum(by_split.values()) / len(by_split)} if by_split else {}),
        **{f"F1_{split}": value for split, value in by_split.items()},
        **{
            f"accuracy_{split}": value
            for split, value in group_means(right, [[split] for split in splits] or [()] * len(right)).items()
        },
    }
    guessed = _unclear(predictions) if rule == "official" else 0
    return Result(
        f"pope/{rule}",
        values,
        np.array(right, dtype=np.float64),
        f1_statistic(said, references),
        missing=missing(predictions),
        unparsed=sum(answer is None and reply is not None for answer, reply in zip(read, predictions, strict=True)),
        notes=(f"{guessed} answers do not say yes; the official rule reads them as yes",) if guessed else (),
        details={"guessed": guessed} if guessed else {},
    )


def _unclear(predictions: Sequence[str | None]) -> int:
    """The official rule takes what it does not understand, NO in capitals too, as a yes: how often it did."""
    return sum(reply is not None and _official(reply) and "yes" not in _WORDS.findall(reply.lower()) for reply in predictions)


def _f1_of(said: Sequence[bool], truth: Sequence[bool], splits: Sequence[str], split: str) -> float:
    chosen_items = [index for index, name in enumerate(splits) if name == split]
    return precision_recall_f1([said[index] for index in chosen_items], [truth[index] for index in chosen_items])[2]
