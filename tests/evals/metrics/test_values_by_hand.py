"""Values of written arithmetic, overlaps of masks and boxes, shares of words and reading rules, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.evals.metrics import lamm
from vistune.evals.metrics.latex_value import MAX_CHARACTERS, latex_value
from vistune.evals.metrics.likelihood import option_ranking, perplexity
from vistune.evals.metrics.math_answer import equal, final_answer, value_of
from vistune.evals.metrics.math_vision import same
from vistune.evals.metrics.mme import read_yes_no
from vistune.evals.metrics.mmmu import open_match, parse_choice
from vistune.evals.metrics.mmmu_pro import parse_reply
from vistune.evals.metrics.rad_3d import closed_answer, unigram_f, unigram_precision
from vistune.evals.metrics.segmentation import dice
from vistune.evals.metrics.video_masks import contour, contour_accuracy, dilated, region_similarity, statistics
from vistune.evals.metrics.wups import taxonomy_similarity, wups


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12 - 3\\pi", 12 - 3 * math.pi),
        ("\\frac{\\sqrt{3}}{2}", math.sqrt(3) / 2),
        ("\\frac12", 0.5),
        ("\\frac{1}{3} \\cdot 6", 2),
        ("5 : 4", 1.25),
        ("12 \\div 8", 1.5),
        ("7/2/2", 1.75),
        ("6,021,018", 6021018),
        ("6,021,018.5", 6021018.5),
        (".5", 0.5),
        ("42\\%", 0.42),
        ("(3 - 2\\sqrt 2)\\pi", (3 - 2 * math.sqrt(2)) * math.pi),
        ("6\\frac{1}{4}", 1.5),  # a product, as in algebra
        ("2(3 + 4)[2]", 28),
        ("2 - 3", -1),
        ("2 \\times -3", -6),
        ("--3", 3),
        ("+3", 3),
        ("-2^2", -4),
        ("2^{-2}", 0.25),
        ("2^-2", 0.25),
        ("2^3!", 40320),  # what stands behind takes what was read so far
        ("3!", 6),
        ("0!", 1),
        ("\\sqrt[3]{8}", 2),
        ("\\sqrt16", 6),  # the first digit is the whole argument
        ("\\sqrt{0}", 0),
        ("4^{0.5}", 2),
        ("e^2", math.e**2),
        ("\\sin{0} + \\cos{0}", 1),
        ("\\ln(1) + \\log{1000}", 3),
        ("\\arctan{1}", math.pi / 4),
        ("\\left( 1 + 1 \\right)\\quad", 2),
        ("3.", 3),
        ("3 \\rightarrow 4", 3),  # begins something else, which is not read
        ("10^{400}/10^{399}", 10),  # exact, though no float holds either
        ("170!/169!", 170),
    ],
)
def test_arithmetic_in_latex_has_its_value(text: str, value: float) -> None:
    assert latex_value(text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "",
        "1/0",
        "2x",
        "(1",
        "(1]",
        "1)",
        "\\frac{1}2",
        "\\sqrt{-1}",
        "171!",
        "(-1)!",
        "1.5!",
        "2^{99999}",
        "(-8)^{0.5}",
        "e",
        "\\leftarrow 2",
        "10^{400}",
        "1" + "+1" * (MAX_CHARACTERS // 2),
        "\\frac{1}{0}",
        "0^{-1}",
        "\\ln(0)",
    ],
)
def test_anything_else_has_no_value(text: str) -> None:
    assert latex_value(text) is None


def test_the_longest_text_that_is_read() -> None:
    assert latex_value("1" + " " * (MAX_CHARACTERS - 1)) == 1 and latex_value("1" + " " * MAX_CHARACTERS) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x = 2(3)", 6),
        ("4\\pi", 4 * math.pi),
        ("\\dfrac{\\sqrt{2}}{2}", math.sqrt(2) / 2),
        ("√2", math.sqrt(2)),
        ("-3^2", -9),
        ("+5", 5),
        ("1,000 \\times 2", 2000),
        ("7 − 9", -2),
        ("90°", 90),
        ("7/2", 3.5),
        ("6 * 7", 42),
        ("1" * 200, float("1" * 200)),
        ("1" * 201, None),
        ("1/0", None),
        ("9**9**9", None),
        ("a", None),
        ("'a'", None),
        ("7 // 4", None),
    ],
)
def test_arithmetic_of_math_vision(text: str, value: float | None) -> None:
    assert value_of(text) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("so \\boxed{\\frac{1}{2}} and \\boxed{{3}}.", "{3}"),
        ("\\boxed{1} then \\boxed{ }", None),
        ("\\boxed{1", "\\boxed{1"),
        ("The answer is: 12.\nThanks", "12"),
        ("The final answer is 7!\nThe answer is 8", "7"),
        ("first\n\n  42 . \n", "42"),
        ("", None),
        (" \n ", None),
        ("...", None),
    ],
)
def test_the_final_answer_of_a_reply(reply: str, answer: str | None) -> None:
    assert final_answer(reply) == answer


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        ("A b", "aB", True),
        ("(1, 2)", "[1.001, 2]", True),
        ("(1, 2)", "(1, 2, 3)", False),
        ("(1, 2)", "(1, 3)", False),
        ("1,000", "1000", True),
        ("0.336", "1/3", False),
        ("0.333", "1/3", True),
        ("x", "y", False),
        ("x", "1", False),
    ],
)
def test_answers_are_equal_to_two_decimals(first: str, second: str, holds: bool) -> None:
    assert equal(first, second) is holds and equal(second, first) is holds


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        ("1/3", "0.333", True),
        ("0.34", "1/3", False),
        ("(2*3,7)", "(6,5+2)", True),
        ("(1,2)", "(1,3)", False),
        ("", "", False),
        (" ", "1", False),
        ("1", "", False),
        ("X", "x ", True),
        ("x", "1", False),
        ("(q,2)", "(q,1+1)", False),
    ],
)
def test_math_vistas_equality(first: str, second: str, holds: bool) -> None:
    assert same(first, second) is holds


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("(B) or (A)", "A"),
        ("A then B", "B"),
        ("B.", "B"),
        ("it is a red car", None),
        ("it is a big red car there", "A"),
        ("red car red car blue bus x", "B"),
        ("(D)", None),
        ("nothing of these words is in the list", None),
    ],
)
def test_mmmu_reads_the_letter_named_last(reply: str, letter: str | None) -> None:
    assert parse_choice(reply, ["red car", "blue bus", "tree"]) == letter


@pytest.mark.parametrize(
    ("reply", "answers", "holds"),
    [
        ("The answer is 1,250.0", ["1250"], True),
        ("so x = 0.333", ["0.33"], True),
        ("so x = 0.339", ["0.33"], False),
        ("12\nthus it is blue", ["blue"], True),
        ("about 2e3", ["2000"], True),
        ("red", ["blue", "red"], True),
        ("green", ["blue", "red"], False),
    ],
)
def test_mmmus_open_answers(reply: str, answers: list[str], holds: bool) -> None:
    assert open_match(reply, answers) is holds


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("(A) no. Answer: C", "C"),
        ("Answer: A or C, (B)", "B"),
        ("(A) and later (C)", "C"),
        ("it is B or A ", "A"),
        ("B.", "B"),
        ("it is a blue bus", None),
        ("it is a blue bus not red car", "A"),
        ("it is the red car or blue bus", "B"),
    ],
)
def test_mmmu_pro_reads_in_steps(reply: str, letter: str | None) -> None:
    assert parse_reply(reply, ["red car", "blue bus", "tree"]) == letter


@pytest.mark.parametrize(
    ("reply", "read"),
    [("Yes", "yes"), ("no", "no"), ("a yes", "other"), ("yes, no", "yes"), (" no.", "no"), ("well no", "other"), ("", "other")],
)
def test_mme_reads_the_first_four_characters(reply: str, read: str) -> None:
    assert read_yes_no(reply) == read


def test_3d_rads_letters_and_words() -> None:
    result = closed_answer(["B. No", "B", "it is A. yes", None], ["B. No", "B. No", "B. No", "A. Yes"])
    assert (result.items.tolist(), result.missing, result.unparsed) == ([100, 0, 0, 0], 1, 1)
    assert unigram_precision("a b", "a b") == 1 and unigram_precision("", "a") == 0
    # Two of three words are there; a shorter reply is worth exp(1 - 4 / 3) of it.
    assert unigram_precision("a a b", "a b c d") == pytest.approx(2 / 3 * math.exp(-1 / 3))
    assert unigram_precision("a b c d", "a") == pytest.approx(1 / 4)
    assert unigram_precision("a, b", "a b") == pytest.approx(2 / 3)  # a mark is a word
    assert unigram_f("A, b b", "a b") == pytest.approx(2 * 2 / 5) and unigram_f("x", "a") == unigram_f("", "") == 0


def test_dice_by_hand() -> None:
    full, half, none = np.ones((2, 2), bool), np.array([[True, True], [False, False]]), np.zeros((2, 2), bool)
    result = dice([half, none, None, none], [full, none, full, full])
    assert result.items.tolist() == pytest.approx([200 / 3, 100, 0, 0])
    assert result.headline == pytest.approx((200 / 3 + 100) / 4) and result.missing == 1
    assert result.values["mIoU"] == pytest.approx((50 + 100) / 4)
    with pytest.raises(InputError, match="mask 1"):
        dice([full, full], [full, full[:1]])


def test_contours_of_films() -> None:
    block = np.zeros((6, 6), bool)
    block[2:4, 2:4] = True
    shifted = np.roll(block, 1, axis=1)
    assert region_similarity(block, shifted) == pytest.approx(2 / 6) and region_similarity(~block, block) == 0
    assert region_similarity(block & False, block & False) == 1
    wanted = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2), (3, 3)]
    assert [tuple(place) for place in np.argwhere(contour(block)).tolist()] == wanted
    assert np.argwhere(contour(np.eye(2, dtype=bool))).tolist() == [[0, 0], [0, 1], [1, 0]]
    spot = np.zeros((7, 7), bool)
    spot[3, 3] = True
    assert dilated(spot, 0).sum() == 1 and dilated(spot, 1).sum() == 5 and dilated(spot, 2).sum() == 13
    assert dilated(spot, 1)[2:5, 3].all() and dilated(spot, 1)[3, 2:5].all()
    corner = np.zeros((3, 3), bool)
    corner[0, 0] = True
    assert np.argwhere(dilated(corner, 1)).tolist() == [[0, 0], [0, 1], [1, 0]] and dilated(corner, 9).all()
    assert contour_accuracy(block, block) == 1 and contour_accuracy(block, block & False) == 0
    assert contour_accuracy(block & False, block & False) == 1
    assert contour_accuracy(block, shifted) == 1  # a pixel apart, which the tolerance rounds up to
    assert contour_accuracy(block, shifted, tolerance=0) == 0.5  # four of eight pixels


def test_means_recall_and_decay_of_frames() -> None:
    mean, recall, decay = statistics(np.array([1.0, 1.0, 0.5, 0.75, 0.25, 0.0, 0.0, 0.0]))
    # Bounds at frames 1, 2.75, 4.5, 6.25 and 8, rounded to 1, 3, 5, 6 and 8: quarters share their ends.
    assert mean == pytest.approx(3.5 / 8) and recall == pytest.approx(3 / 8) and decay == pytest.approx(2.5 / 3)


def test_lamms_boxes_in_space() -> None:
    unit = (0, 0, 0, 1, 1, 1)
    assert lamm.box_iou_3d(unit, unit) == 1 and lamm.box_iou_3d(unit, (2, 0, 0, 1, 1, 1)) == 0
    assert lamm.box_iou_3d(unit, (0.5, 0, 0, 1, 1, 1)) == pytest.approx(1 / 3)
    assert lamm.box_iou_3d(unit, (0, 0.5, 0, 1, 2, 1)) == pytest.approx(1 / 2)
    assert lamm.box_iou_3d(unit, (0, 0, 0.25, 1, 1, 0.5)) == pytest.approx(1 / 2)
    assert lamm.box_iou_3d((0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0)) == 0
    reply = "A chair at [0, 0, 0, 1, 1, 1] and a table at (5, 5, 5, 1, 1, 1)"
    truths = [("chair", unit), ("table", (0.0, 0, 0.5, 1, 1, 1)), ("sofa", unit)]
    assert lamm.found_in_space(truths, reply, 0.3, lamm.by_words) == 2
    assert lamm.found_in_space(truths, reply, 1 / 3, lamm.by_words) == 1  # a third is not over a third


def test_lamms_numbers_letters_and_words() -> None:
    assert lamm.numbers_in("[1, 2] then (3,4) [5, 6]", 2) == [(1, 2), (5, 6), (3, 4)]
    assert lamm.numbers_in("[1, 2, 3]", 2) == [(1, 2)]
    assert lamm.numbers_in("at 1.5 and 2, not 3", 2) == [(1.5, 2)] and lamm.numbers_in("none", 2) == []
    assert lamm.inside([(1, 1), (5, 5)], (0, 0, 2, 2)) and not lamm.inside([(2, 1), (1, 0)], (0, 0, 2, 2))
    choices = ["red", "green", "blue"]
    assert lamm.right_choice("The answer is (B).", choices, 1) and not lamm.right_choice("The answer is (B).", choices, 0)
    assert lamm.right_choice("ANSWER: C", choices, 2) and lamm.right_choice("(A) red", choices, 0)
    assert lamm.right_choice("it is green", choices, 1) and not lamm.right_choice("green or red", choices, 1)
    assert lamm.words_read("say 'stop here' now", ["stop", "now"]) == 0.5 and lamm.words_read("stop now", ["stop", "now"]) == 1
    assert lamm.words_read("x", []) == 0
    assert lamm.by_words("cat", "Two Cats.") and not lamm.by_words("cat", "a catalogue")


def test_lamms_detections_are_paired_one_to_one() -> None:
    found = lamm.detections_in("It is classified as dog, at [0, 0, 1, 1]. It is classified as cat, at [1, 1, 0, 0]. Fine.")
    assert found == [("dog", (0, 0, 1, 1))]
    left, right, both = (0.0, 0.0, 1.0, 1.0), (0.1, 0.0, 1.1, 1.0), (0.05, 0.0, 1.05, 1.0)
    truths = [("dog", left), ("cat", right)]
    # The first guess reaches both and gives way to the second, which reaches only one.
    assert lamm.matched(truths, [("dog", both), ("dog", (-0.1, 0.0, 0.9, 1.0))], 0.8, None) == 2
    assert lamm.matched(truths, [("dog", both), ("dog", both)], 0.8, lamm.by_words) == 1
    assert lamm.matched(truths, [("dog", left)], 1.0, None) == 1 and lamm.matched(truths, [], 0.5, None) == 0


def test_wups_of_empty_sets_of_strangers_and_of_the_root() -> None:
    similarity = taxonomy_similarity({"cat": "thing", "dog": "thing", "oak": "plant"})
    assert similarity("cat", "oak") == 0 and similarity("zebra", "zebra") == 1 and similarity("zebra", "cat") == 0
    assert similarity("cat", "thing") == pytest.approx(2 / 3) and similarity("cat", "cat") == 1
    result = wups(["", ",", "cat", ""], [[""], ["cat"], [""], [" , "]], 0.9, similarity)
    assert result.items.tolist() == [100, 0, 0, 100]
    assert wups(["cat"], [["dog"]], 0.5, similarity).headline == pytest.approx(50)  # half is not below one half
    assert wups(["cat"], [["dog"]], 0.51, similarity).headline == pytest.approx(5)


def test_likelihoods_when_texts_are_drawn_again() -> None:
    result = perplexity([-math.log(4), -math.log(2)], [1, 1])
    assert result.headline == pytest.approx(math.sqrt(8))
    drawn = result.statistic(np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]]))
    assert drawn.tolist() == pytest.approx([math.sqrt(8), 4, 2])
    # Summed the second answer wins, a token the first.
    assert option_ranking([[-4, -3]], [1]).headline == 100 and option_ranking([[-4, -3]], [0]).headline == 0
