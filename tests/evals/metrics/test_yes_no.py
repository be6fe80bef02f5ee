"""POPE, MME, AMBER and HallusionBench by hand."""

from __future__ import annotations

import pytest

from vistune.evals.metrics.amber import Scene, amber_discriminative, amber_generative
from vistune.evals.metrics.hallusion_bench import Question, hallusion_bench, judge_yes_no
from vistune.evals.metrics.mme import mme, read_yes_no
from vistune.evals.metrics.pope import pope


@pytest.mark.parametrize(
    ("reply", "official_is_yes"),
    [
        ("Yes, no", False),
        ("Yes. No.", True),  # only the first sentence
        ("no", False),
        ("NO", True),  # officially only No, no and not
        ("there is not", False),
        ("**No**", True),
        ("nothing", True),
        ("", True),  # whatever is not no is yes
        ("\uff2e\uff4f", True),
        ("no" * 5_000_000, True),
    ],
)
def test_pope_official(reply: str, official_is_yes: bool) -> None:
    assert pope([reply], [True]).values["accuracy"] == (100 if official_is_yes else 0)


def test_pope_values_and_splits() -> None:
    said, truth = ["yes", "yes", "no", "no", None, "maybe"], [True, False, True, False, True, False]
    result = pope(said, truth, ["random"] * 4 + ["popular"] * 2, rule="exact")
    # 1 TP; FP: the second and the unparsed; FN: the third and the missing; 1 TN.
    assert result.values["precision"] == pytest.approx(100 / 3)
    assert result.values["recall"] == pytest.approx(100 / 3)
    assert result.headline == pytest.approx(100 / 3)
    assert result.name == "F1"
    assert result.values["F1_random"] == 50
    assert result.values["mean_F1"] == pytest.approx((50 + 0) / 2)
    assert (result.missing, result.unparsed) == (1, 1)
    assert result.items.tolist() == [100, 0, 0, 100, 0, 0]


@pytest.mark.parametrize(
    ("reply", "reading"),
    [
        ("yes", "yes"),
        ("YES!", "yes"),
        ("No.", "no"),
        (" no", "no"),
        ("Oh yes", "other"),
        ("not", "no"),
        ("know", "no"),
        ("", "other"),
        ("yno", "no"),
        ("**yes**", "other"),
    ],
)
def test_mme_reads_four_characters(reply: str, reading: str) -> None:
    assert read_yes_no(reply) == reading


def test_mme_acc_and_acc_plus() -> None:
    # existence: image a right twice, image b once; OCR: one image, one missing, one unreadable.
    result = mme(
        ["yes", "no", "yes", "yes", None, "hm"],
        [True, False, True, False, True, False],
        ["existence"] * 4 + ["OCR"] * 2,
        ["a", "a", "b", "b", "a", "a"],
    )
    assert result.details["existence"]["acc"] == 75
    assert result.details["existence"]["acc+"] == 50
    assert result.details["existence"]["precision"] == pytest.approx(200 / 3)
    assert result.details["OCR"]["score"] == 0
    assert result.headline == 125
    assert (result.values["Cognition"], result.values["total"]) == (0, 125)
    assert (result.missing, result.unparsed) == (1, 1)
    low, high = result.interval()
    assert low <= 125 <= high


def test_amber_no_is_positive_and_exact() -> None:
    kinds = ["discriminative-hallucination"] * 2 + ["discriminative-attribute-state", "discriminative-relation"]
    result = amber_discriminative(["No", "no", "Yes", None], [False, False, True, True], kinds)
    # Two true noes, one of them said; the guards of .001 and .0001 round away here but for F1.
    assert result.values["precision"] == 99.9
    assert result.values["recall"] == 50
    assert result.headline == 66.6
    assert result.values["accuracy"] == 50
    assert (result.unparsed, result.missing) == (1, 1)
    assert result.details["existence"]["F1"] == 66.6
    assert result.details["relation"]["accuracy"] == 0


def test_amber_generative() -> None:
    association = {"dog": ["puppy"], "cat": [], "ball": []}
    scene = Scene(("dog", "ball"), ("cat",))
    result = amber_generative(
        [["puppy", "cat", "idea", "grass"], None], [scene, scene], association, frozenset({"grass"}), lambda one, two: False
    )
    assert dict(result.values) == {"CHAIR": 50.0, "Cover": 25.0, "Hal": 50.0, "Cog": 50.0}
    assert result.missing == 1


def question(figure: str = "1", number: str = "0", visual: int = 1, yes: bool = True, category: str = "VD") -> Question:
    return Question(category, "chart", "0", figure, number, visual, yes)


def test_hallusion_bench_levels() -> None:
    questions = [
        question("0", "0", 0, category="VS"),
        question("1", "0", 1, category="VS"),
        question("2", "0", 2, yes=False, category="VS"),
        question("2", "1", 2, category="VS"),
    ]
    result = hallusion_bench([2, 1, 0, None], questions)
    assert result.headline == 50  # unclear is right without a figure
    assert result.values["qAcc"] == 0
    assert result.values["fAcc"] == 50  # the row without a figure belongs to none
    assert result.values["easy"] == 100
    assert result.values["hard"] == 0
    assert result.values["fp_ratio"] == 0.5
    assert result.missing == 1


@pytest.mark.parametrize(
    ("reply", "judgement"),
    [("Yes, it is", 1), ("no", 0), ("**Yes**", 1), ("Yesterday", 2), ("", 2), ("It is, yes", 2), ("Yes, no", 1)],
)
def test_yes_no_prefix(reply: str, judgement: int) -> None:
    assert judge_yes_no(reply, yes=True) == judgement
