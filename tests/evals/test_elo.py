from __future__ import annotations

import pytest

from vistune.errors import InputError
from vistune.evals.reports.elo import START, Match, elo


def test_ratings_recover_the_strength_that_made_the_outcomes() -> None:
    """Three to one is 191 points on Elo's scale: 400 log10(3)."""
    matches = [Match("strong", "weak", float(number % 4 != 0)) for number in range(4000)]
    standings = elo(matches, resamples=50)
    assert [standing.model for standing in standings] == ["strong", "weak"]
    assert standings[0].rating - standings[1].rating == pytest.approx(190.8, abs=15)
    assert standings[0].rating + standings[1].rating == pytest.approx(2 * START)
    assert standings[0].low < standings[0].rating < standings[0].high and standings[0].matches == 4000


def test_ties_move_nothing_and_the_seed_decides() -> None:
    ties = [Match("a", "b", 0.5)] * 10
    assert {standing.rating for standing in elo(ties)} == {START}
    matches = [Match("a", "b", 1.0), Match("b", "c", 1.0), Match("c", "a", 1.0)]
    assert elo(matches, seed=1) == elo(matches, seed=1)


def test_no_matches() -> None:
    with pytest.raises(InputError, match="at least one"):
        elo([])
