"""Retrieval, WUPS, CHAIR, CircularEval, sensitivity, tool use, likelihoods and image generation by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.evals.metrics.chair import chair
from vistune.evals.metrics.chair_words import mentioned, read_synonyms
from vistune.evals.metrics.circular import circular
from vistune.evals.metrics.exact_match import exact_match
from vistune.evals.metrics.generation import clip_score, frechet_distance, ref_clip_score
from vistune.evals.metrics.likelihood import option_ranking, perplexity
from vistune.evals.metrics.retrieval import retrieval
from vistune.evals.metrics.sensitivity import sensitivity
from vistune.evals.metrics.wups import taxonomy_similarity, wups

SYNONYMS = read_synonyms(
    [
        "person, man, woman, child",
        "dog, puppy",
        "bird",
        "toilet",
        "chair, seat",
        "hot dog",
        "knife",
        "bus",
        "skis, ski",
        "train",
        "wine glass",
    ]
)


def test_retrieval_recall_and_ties() -> None:
    similarity = np.array([[0.9, 0.1, 0.5], [0.5, 0.5, 0.5], [0.3, 0.2, 0.1]])
    relevant = np.eye(3, dtype=bool)
    result = retrieval(similarity, relevant, ks=(1, 2, 3))
    assert result.headline == pytest.approx(100 / 3)
    assert result.values["R@2"] == pytest.approx(100 / 3)
    assert result.values["R@3"] == 100
    assert retrieval(similarity, relevant, ties="optimistic").headline == pytest.approx(200 / 3)
    assert retrieval(similarity, np.ones((3, 3), bool)).headline == 100  # any of several


def test_retrieval_refusals() -> None:
    with pytest.raises(InputError, match="query 0 holds NaN"):
        retrieval(np.array([[math.nan]]), np.array([[True]]))
    with pytest.raises(InputError, match="query 0 has no relevant"):
        retrieval(np.array([[1.0]]), np.array([[False]]))


TREE = {"furniture": "thing", "chair": "furniture", "table": "furniture", "cat": "thing"}


def test_wups_over_a_taxonomy() -> None:
    similarity = taxonomy_similarity(TREE)
    # Depths: thing 1, furniture 2, chair and table 3.
    assert similarity("chair", "table") == pytest.approx(4 / 6)
    assert similarity("chair", "cat") == pytest.approx(2 / 5)
    assert wups(["chair"], [["table"]], 0.9, similarity).headline == pytest.approx(100 * 0.1 * 4 / 6)
    assert wups(["chair"], [["table"]], 0.0, similarity).headline == pytest.approx(100 * 4 / 6)
    assert wups(["chair"], [["table"]], -1, similarity).headline == 0
    assert wups(["chair, table"], [["table"]], 0.0, similarity).headline == pytest.approx(100 * 4 / 6)
    assert wups(["zebra", "", None], [["zebra"], ["chair"], ["chair"]], 0.9, similarity).items.tolist() == [100, 0, 0]


def test_wups_refuses_a_cycle() -> None:
    with pytest.raises(InputError, match="cycle"):
        taxonomy_similarity({"a": "b", "b": "a"})("a", "b")


@pytest.mark.parametrize(
    ("caption", "objects"),
    [
        ("Two puppies and a hot dog.", ["dog", "hot dog"]),
        ("a baby bird", ["bird"]),
        ("women on buses with knives", ["person", "bus", "knife"]),
        ("men and geese", []),  # WordNet lists both as they are, and no shorter singular
        ("two women seated, one skiing, one on a skiing trip", ["person", "chair", "skis"]),
        ("train tracks by a passenger train", ["train"]),
        ("wine glasses and a glass of wine", ["wine glass"]),
        ("a toilet seat on a seat", ["toilet"]),
        ("**DOG**", ["dog"]),
        ("", []),
    ],
)
def test_chair_reads_objects(caption: str, objects: list[str]) -> None:
    assert mentioned(caption, SYNONYMS) == objects


def test_chair_both_levels() -> None:
    captions, present = ["a dog and a man", "a dog", None], [frozenset({"dog"}), frozenset({"dog"}), frozenset({"dog"})]
    result = chair(captions, present, SYNONYMS, rule="words")
    assert result.headline == pytest.approx(100 / 2)  # of the captions given
    assert result.values["CHAIRi"] == pytest.approx(100 / 3)
    assert result.values["Recall"] == 100
    assert result.missing == 1
    assert chair(captions, present, SYNONYMS, headline="CHAIRi", rule="words").items.tolist() == [50, 0, 0]


def test_circular_needs_every_rotation() -> None:
    passes = exact_match(["a", "a", "a", None, "b"], [["a"]] * 5)
    result = circular(passes, ["q1", "q1", "q2", "q2", "q3"])
    assert result.headline == pytest.approx(100 / 3)
    assert result.values["vanilla"] == 60
    assert result.items.tolist() == [100, 100, 0, 0, 0]
    assert result.statistic(np.ones((1, 5)))[0] == pytest.approx(result.headline)


def test_sensitivity() -> None:
    result = sensitivity({"a": [0.4, 0.6], "b": [0.5, 0.5]})
    assert result.headline == pytest.approx((20 + 0) / 2) and result.details["lower_is_better"] is True
    with pytest.raises(InputError, match="task 'a' has 1 wordings"):
        sensitivity({"a": [1.0]})
    with pytest.raises(InputError, match="not all zero"):
        sensitivity({"a": [0.0, 0.0]})


def test_perplexity_is_per_token() -> None:
    result = perplexity([-2 * math.log(4), -1 * math.log(2)], [2, 1])
    assert result.headline == pytest.approx(32 ** (1 / 3))
    assert result.items.tolist() == pytest.approx([4, 2])
    with pytest.raises(InputError, match="text 0"):
        perplexity([math.nan], [1])


def test_option_ranking_and_its_ties() -> None:
    result = option_ranking([[-1, -2], [-1, -1], None], [0, 0, 0])
    assert result.items.tolist() == [100, 0, 0]
    assert result.missing == 1
    assert option_ranking([[-4, -3]], [0], tokens=[[4, 1]], rule="mean").headline == 100
    with pytest.raises(InputError, match="question 0"):
        option_ranking([[math.nan, 1]], [0])


def test_clip_scores_by_hand() -> None:
    images, captions = np.array([[1.0, 0], [1, 0]]), np.array([[3.0, 4], [-1, 0]])
    assert clip_score(images, captions).items.tolist() == pytest.approx([1.5, 0])
    both = ref_clip_score(images[:1], captions[:1], [np.array([[0.0, 1], [3, 4]])])
    assert both.headline == pytest.approx(2 * 1.5 * 1 / 2.5)
    with pytest.raises(InputError, match="image feature 0 is zero"):
        clip_score(np.zeros((1, 2)), np.ones((1, 2)))


def test_frechet_distance_of_gaussians() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(500, 3))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(features, features + 2) == pytest.approx(12)
    # Scaling one set by 3 leaves |m1 - m2|^2 + tr(S) (1 - 3)^2.
    expected = 4 * (np.square(features.mean(axis=0)).sum() + np.trace(np.cov(features, rowvar=False)))
    assert frechet_distance(features, 3 * features) == pytest.approx(expected)


def test_one_feature_that_is_zero_or_not_finite_is_named_among_good_ones() -> None:
    good, zero, wild = [1.0, 2.0], [0.0, 0.0], [1.0, float("nan")]
    for bad, place in (([zero, good, good], 0), ([good, wild, good], 1), ([good, good, zero], 2)):
        with pytest.raises(InputError, match=f"image feature {place} is zero or not finite"):
            clip_score(np.array(bad), np.ones((3, 2)))
        with pytest.raises(InputError, match=f"caption feature {place} is zero or not finite"):
            clip_score(np.ones((3, 2)), np.array(bad))


def test_blink_reads_a_letter_or_the_one_bracketed_letter_of_the_last_paragraph_or_of_all() -> None:
    from vistune.evals.metrics.multiple_choice import RULES

    options, blink = ["red", "green", "blue"], RULES["blink"]
    assert [blink(reply, options) for reply in ("B", "(C)", "D", "(D)")] == ["B", "C", None, None]
    assert blink("maybe (A) or (B)\n\nso it is (B) then", options) == "B"
    assert blink("it is (C)\n\nsurely", options) == "C"
    assert blink("(A) (B)\n\nneither", options) is None
