from __future__ import annotations

import math

import pytest

from vistune.evals.metrics.math_answer import Problem, equal, final_answer, math_answer, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3.0),
        ("-1,234.5", -1234.5),
        ("\\frac{1}{2}", 0.5),
        ("\\dfrac{3}{4}\\pi", 0.75 * math.pi),
        ("4\\pi", 4 * math.pi),
        ("2\\sqrt{3}", 2 * math.sqrt(3)),
        ("\\sqrt{16}", 4.0),
        ("\\frac{\\sqrt{3}}{2}", math.sqrt(3) / 2),
        ("60^\\circ", 60.0),
        ("2^{10}", 1024.0),
        ("x = 7", 7.0),
        ("25\\%", 25.0),
        ("9**9**9**9", None),
        ("1/0", None),
        ("__import__('os')", None),
        ("(lambda: 1)()", None),
        ("a" * 300, None),
        ("", None),
    ],
)
def test_value(text: str, value: float | None) -> None:
    assert value_of(text) == (None if value is None else pytest.approx(value)) or (value_of(text) is not None and value is None)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("So x is \\boxed{\\frac{1}{2}} as asked.", "\\frac{1}{2}"),
        ("First \\boxed{1}, no: \\boxed{2}", "2"),
        ("The answer is 12.", "12"),
        ("Long story.\nThe final answer is: C", "C"),
        ("line one\n42", "42"),
        ("", None),
        ("\\boxed{}", None),
    ],
)
def test_final_answer(reply: str, answer: str | None) -> None:
    assert final_answer(reply) == answer


def test_equal() -> None:
    assert equal("0.5", "\\frac{1}{2}") and equal("(1, 2)", "(1.0,2)") and equal("1,000", "1000")
    assert not equal("(1, 2)", "(2, 1)") and not equal("0.51", "0.52") and not equal("three", "3")


def test_choices_by_letter_or_value() -> None:
    problem = Problem("B", ("10", "\\frac{1}{2}", "30"))
    replies = ["B", "(B)", "The answer is 0.5", "0.5", "C", "D", "", None]
    result = math_answer(replies, [problem] * 8)
    assert result.items.tolist() == [100, 100, 100, 100, 0, 0, 0, 0]
    assert (result.unparsed, result.missing) == (1, 1)


def test_a_model_that_repeats_full_stops_costs_no_time() -> None:
    stops = "." * 1_000_000  # hours, if every stop were tried as the first of the last ones
    assert final_answer(f"the answer is {stops}x{stops}") == f"{stops}x"
