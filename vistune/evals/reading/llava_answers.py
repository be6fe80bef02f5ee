"""LLaVA's answer files (`answers.jsonl`), which its own scripts evaluate on a dozen benchmarks.

    {"question_id": 262148000, "prompt": "Is it?\\nAnswer the question using a single word or phrase.", "text": "Yes", ...}

The `question_id` is that of LLaVA's question file: often the benchmark's own, sometimes a picture's name or a line's number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vistune.evals.benchmark import result_list
from vistune.evals.prediction import Prediction
from vistune.evals.reading.sources import Content
from vistune.sample import Sample

_INSTRUCTIONS = (
    "Answer the question using a single word or phrase.",
    "Answer with the option's letter from the given choices directly.",
    "When the provided information is insufficient, respond with 'Unanswerable'.",
    "Please answer yes or no.",
)


def llava_answers(content: Content) -> list[Prediction] | None:
    """The answers under LLaVA's question ids, `None` when the content is no such file."""
    return result_list(content, "question_id", "text")


def question_of_prompt(prompt: object) -> str:
    """What a prompt asks, to compare by: without LLaVA's instructions, in lower case, spaces made one."""
    text = str(prompt)
    for instruction in _INSTRUCTIONS:
        # Prompts of the same question differ by these sentences from benchmark to benchmark.
        text = text.replace(instruction, " ")
    return " ".join(text.lower().split())


def by_question(found: Sequence[Prediction], samples: Sequence[Sample], named: Callable[[Sample], str]) -> list[Prediction]:
    """Answers to questions about things that have several, under the sample whose thing (`named`) and question agree.

    An answer that agrees with none keeps its id, and so is reported as belonging to no sample.
    """
    places = {(named(sample), _asked(sample)): sample.id for sample in samples}
    return [
        _renamed(prediction, places.get((prediction.id, question_of_prompt(prediction.extras.get("prompt", "")))))
        for prediction in found
    ]


def by_place(found: Sequence[Prediction], samples: Sequence[Sample]) -> list[Prediction] | None:
    """Answers in the order of the samples, one each; `None` when they are not that many or ask something else."""
    if len(found) != len(samples):
        return None
    for prediction, sample in zip(found, samples, strict=True):
        if "prompt" in prediction.extras and question_of_prompt(prediction.extras["prompt"]) != _asked(sample):
            return None
    return [_renamed(prediction, sample.id) for prediction, sample in zip(found, samples, strict=True)]


def by_stretch(found: Sequence[Prediction], groups: Sequence[Sequence[Sample]]) -> list[Prediction] | None:
    """Answers of one file that holds several sets of questions, each set in its order: those that belong to the `groups`.

    A group is found by what is asked, as the one stretch of the file that asks its questions. `None` when one is not found,
    or in several places; answers outside the stretches belong to sets that are not scored, and are left out.
    """
    asked = [question_of_prompt(prediction.extras.get("prompt", "")) for prediction in found]
    placed: list[Prediction] = []
    for group in groups:
        wanted = [_asked(sample) for sample in group]
        starts = [
            start
            for start in range(len(asked) - len(wanted) + 1)
            if asked[start] == wanted[0] and asked[start : start + len(wanted)] == wanted
        ]
        # A stretch that occurs twice could be either set's: guessing would score one with the other's answers.
        if len(starts) != 1:
            return None
        stretch = found[starts[0] : starts[0] + len(wanted)]
        placed += [_renamed(prediction, sample.id) for prediction, sample in zip(stretch, group, strict=True)]
    return placed


def _asked(sample: Sample) -> str:
    return question_of_prompt(sample.meta["question"])


def _renamed(prediction: Prediction, identifier: str | None) -> Prediction:
    if identifier is None:
        return prediction
    return Prediction(identifier, prediction.answer, prediction.prompt, prediction.extras)
