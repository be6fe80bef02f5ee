"""Alpha against the worked examples of Krippendorff (2011): binary, nominal, and four observers with missing data."""

from __future__ import annotations

import math

import pytest

from vistune.evals.human.agreement import Level, krippendorff_alpha

# Section C of the paper: observers A-D, twelve units, `.` is a missing rating.
OBSERVERS = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]


def units(rows: list[str]) -> list[list[float]]:
    return [[float(row[unit]) for row in rows if row[unit] != "."] for unit in range(len(rows[0]))]


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_four_observers_with_missing_data(level: Level, expected: float) -> None:
    assert krippendorff_alpha(units(OBSERVERS), level) == pytest.approx(expected, abs=5e-4)


def test_two_observers_binary() -> None:
    assert krippendorff_alpha(units(["0100000010", "1110010000"]), "nominal") == pytest.approx(0.095, abs=5e-4)


def test_two_observers_nominal() -> None:
    letters = ["aabbdcccedda", "babbbccceddd"]
    rows = ["".join(str("abcde".index(letter)) for letter in row) for row in letters]
    assert krippendorff_alpha(units(rows), "nominal") == pytest.approx(0.692, abs=5e-4)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_full_agreement_is_one_and_relabelling_raters_changes_nothing(level: Level) -> None:
    assert krippendorff_alpha([[1, 1], [3, 3], [5, 5, 5]], level) == 1.0
    assert krippendorff_alpha([[1, 2], [3, 5]], level) == krippendorff_alpha([[5, 3], [2, 1]], level)


def test_undefined_without_variation_or_pairs() -> None:
    assert math.isnan(krippendorff_alpha([[4, 4], [4, 4]], "ordinal"))
    assert math.isnan(krippendorff_alpha([[1], [2]], "ordinal"))
