"""BLEU, ROUGE-L and CIDEr-D: by hand, and equal to `pycocoevalcap`'s on random captions."""

from __future__ import annotations

import math
import random
import shutil

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.evals.metrics.bleu import bleu
from vistune.evals.metrics.captions import captions
from vistune.evals.metrics.cider_d import cider_d
from vistune.evals.metrics.meteor import meteor
from vistune.evals.metrics.rouge_l import rouge_l


def test_bleu_counts_and_brevity() -> None:
    result = bleu(["a cat", None], [["a cat sat", "the dog"], ["a bird"]])
    # Lengths 2 + 0; closest references 2 and 2. One of one bigram matches.
    assert result.details == {"testlen": 2, "reflen": 4, "guess": [2, 1, 0, 0], "correct": [2, 1, 0, 0]}
    assert result.values["Bleu_2"] == pytest.approx(math.exp(1 - 2), abs=1e-6)
    assert result.missing == 1
    assert result.statistic(np.ones((1, 2)))[0] == pytest.approx(result.headline)


def test_rouge_takes_best_precision_and_recall_apart() -> None:
    # Precision 1 from the long reference, recall 1 from the short one.
    assert rouge_l(["a b"], [["a b c d", "a"]]).headline == pytest.approx(1)
    # Common subsequence 2 of 3 and of 4.
    precision, recall, beta = 2 / 3, 2 / 4, 1.2
    expected = (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
    assert rouge_l(["a b x"], [["a y b z"]]).headline == pytest.approx(expected)


def test_cider_extremes() -> None:
    references = [["a red cat sat there"], ["two dogs run very fast"]]
    assert cider_d([group[0] for group in references], references).headline == pytest.approx(10)
    assert cider_d(["x", None], references).headline == 0
    assert cider_d(["a red cat sat there"], references[:1]).headline == 0  # one image: every document frequency is one


def test_suite_headline_is_the_first_and_shares_one_tokenisation() -> None:
    result = captions(["A cat!", "the dog."], [["a cat"], ["the dog"]], ("ROUGE_L", "CIDEr"))
    assert list(result.values) == ["ROUGE_L", "CIDEr"]
    assert result.headline == 1
    assert result.rule == "rouge-l/coco-caption cider-d/corpus"


def test_refusals_and_nothing() -> None:
    with pytest.raises(InputError, match="image 1 has no reference"):
        captions(["a", "b"], [["a"], []])
    with pytest.raises(InputError, match="did you mean 'CIDEr'"):
        captions([], [], ("CIDER",))
    assert math.isnan(captions([], []).headline)


def test_equal_to_pycocoevalcap_on_random_captions() -> None:
    pytest.importorskip("pycocoevalcap", reason="needs the extra 'captions'")
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    generator = random.Random(0)
    words = ["a", "dog", "cat", "red", "runs", "on", "the", "mat", "big", "two"]
    said = [" ".join(generator.choices(words, k=generator.randint(0, 9))) for _ in range(60)]
    truth = [
        [" ".join(generator.choices(words, k=generator.randint(1, 9))) for _ in range(generator.randint(1, 5))] for _ in said
    ]
    ours = captions(said, truth)
    gts, res = dict(enumerate(truth)), {number: [text] for number, text in enumerate(said)}
    assert ours.values["CIDEr"] == pytest.approx(float(Cider().compute_score(gts, res)[0]), rel=1e-12)
    assert ours.values["ROUGE_L"] == pytest.approx(float(Rouge().compute_score(gts, res)[0]), rel=1e-12)
    theirs = Bleu(4).compute_score(gts, res, verbose=0)[0]
    assert [ours.values[f"Bleu_{n}"] for n in (1, 2, 3, 4)] == pytest.approx(theirs, rel=1e-12)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java")
def test_meteor_of_equal_captions_and_of_none() -> None:
    pytest.importorskip("pycocoevalcap", reason="needs the extra 'captions'")
    result = meteor(["a red cat sat there", None], [["a red cat sat there"], ["a dog"]])
    assert result.items.tolist() == pytest.approx([1, 0])
    assert result.missing == 1
