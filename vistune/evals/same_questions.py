"""Do answers belong to the questions whose ids they carry?

Ids of two numberings can agree by chance: lines counted from 0 here and from 1 there, splits that each begin anew. Where
predictions say what was asked, it is compared with what the samples ask.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from vistune.errors import InputError
from vistune.evals.prediction import Prediction
from vistune.sample import Sample

_WORD = re.compile(r"\w+")
SHARED = 0.5  # of the words of a question or of its prompt, whichever is shorter: what both must hold


def refuse_other_questions(samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> None:
    """Raises `InputError` when most predictions that say their prompt were asked something else than their samples ask.

    `predictions[i]` belongs to `samples[i]`. Compared are the words that tell the samples' questions apart: instructions, which
    most questions share, may be worded in any way. Where all samples ask the same, there is nothing to compare.
    """
    texts = [_words(_question(sample)) for sample in samples]
    common = {word for word, count in Counter(word for words in texts for word in words).items() if 2 * count > len(texts)}
    compared, other = 0, None
    differing = 0
    for sample, words, prediction in zip(samples, texts, predictions, strict=True):
        prompt = "" if prediction is None else _prompt(prediction)
        own, said = words - common, _words(prompt) - common
        if not own or not said:
            continue
        compared += 1
        # A prompt may lack the options that a sample's text lists, or have more around the question.
        if len(own & said) < SHARED * min(len(own), len(said)):
            differing, other = differing + 1, other or (sample, prompt)
    if other is not None and 2 * differing > compared:
        sample, prompt = other
        raise InputError(
            f"{differing} of {compared} predictions were asked something else than the samples of their ids: {sample.id!r} asks"
            f" {_short(_question(sample))}, its prediction answers {_short(prompt)}: the ids are of another numbering (where"
            " prompts are meant to differ, leave them out of the file)"
        )


def _question(sample: Sample) -> str:
    return sample.turns[-1].text if sample.turns else ""


def _prompt(prediction: Prediction) -> str:
    return prediction.prompt or str(prediction.extras.get("prompt") or prediction.extras.get("question") or "")


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else line[:57] + "...")
