"""Losses of pairs by hand, from the papers' formulas, and the settings' bounds: numbers that need no other library."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from vistune.errors import InputError
from vistune.recipe import Stage
from vistune.training.preference.losses import LOSSES, Answers, Pairs, Preference
from vistune.training.preference.settings import settings_of

# Log-ratios: chosen 1 and 0.5, rejected -1 and 2; margins 2 and -1.5.
CHOSEN = Answers(torch.tensor([-2.0, -3.0]), torch.tensor([-3.0, -3.5]), torch.tensor([2.0, 4.0]))
REJECTED = Answers(torch.tensor([-5.0, -4.0]), torch.tensor([-4.0, -6.0]), torch.tensor([4.0, 2.0]))
UNSEEN = Answers(torch.tensor([-6.0, -2.0]), torch.tensor([-6.5, -3.0]), torch.tensor([2.0, 4.0]))  # log-ratios 0.5 and 1
TOLD = Preference(beta=0.5, label_smoothing=0.1, gamma=0.5, tau=2.0)


def cost(logit: float) -> float:
    """-log sigmoid."""
    return math.log1p(math.exp(-logit))


def chance(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def smooth(logit: float) -> float:
    """The conservative loss with a tenth of the pairs the wrong way round."""
    return 0.9 * cost(logit) + 0.1 * cost(-logit)


def exo(logit: float) -> float:
    """The divergence of the policy's choice from a label that is right nine times of ten."""
    right, wrong = chance(logit), chance(-logit)
    return right * math.log(right / 0.9) + wrong * math.log(wrong / 0.1)


def odds(log_probability: float) -> float:
    return math.log(math.exp(log_probability) / (1 - math.exp(log_probability)))


WANTED: dict[str, tuple[float, float]] = {
    "sigmoid": (smooth(1.0), smooth(-0.75)),
    "hinge": (0.0, 1.75),
    "ipo": ((0.75 - 1) ** 2, (-0.875 - 1) ** 2),  # a token: 1/2 + 1/4 and 1/8 - 1
    "sigmoid_norm": (cost(0.375), cost(-0.4375)),
    "exo_pair": (exo(1.0), exo(-0.75)),
    "nca_pair": (cost(0.5) + 0.5 * cost(-0.5) + 0.5 * cost(0.5), cost(0.25) + 0.5 * cost(-0.25) + 0.5 * cost(-1.0)),
    "robust": ((0.9 * cost(1.0) - 0.1 * cost(-1.0)) / 0.8, (0.9 * cost(-0.75) - 0.1 * cost(0.75)) / 0.8),
    "bco_pair": (cost(0.5) + cost(0.5), cost(0.25) + cost(-1.0)),
    "sppo_hard": (0.0 + 0.0, 0.25 + 9.0),
    "aot": (smooth(0.0), smooth(0.25)),  # policy 1 and 3, reference 1 and 2.5, both sorted
    "aot_unpaired": (smooth(0.75), smooth(-0.5)),  # chosen 0.5 and 1 against rejected -1 and 2
    "apo_zero": (1 - chance(0.5) + chance(-0.5), 1 - chance(0.25) + chance(1.0)),
    "apo_down": (chance(0.5) + 1 - chance(1.0), chance(0.25) + 1 - chance(-0.75)),
    "discopop": (
        cost(1.0) * (1 - chance(0.5)) + math.exp(-1.0) * chance(0.5),
        cost(-0.75) * (1 - chance(-0.375)) + math.exp(0.75) * chance(-0.375),
    ),
    # The rejected answers moved by 0.5 on average, the chosen ones by 0.75.
    "kto": (1 - chance(0.25) + 1 - chance(0.875), 1 - chance(0.0) + 1 - chance(-0.625)),
    "odds_ratio": (0.5 * cost(odds(-1.0) - odds(-1.25)), 0.5 * cost(odds(-0.75) - odds(-2.0))),
    "simpo": (smooth(0.5 * 0.25 - 0.5), smooth(0.5 * 1.25 - 0.5)),
    "likelihood": (2.0, 3.0),
    "image": (cost(0.25), cost(-0.25)),
    "anchor": (cost(0.5), cost(0.25)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_is_its_papers(name: str) -> None:
    found = LOSSES[name].of(Pairs(CHOSEN, REJECTED, UNSEEN), TOLD).tolist()
    assert found == pytest.approx(list(WANTED[name]), rel=1e-5, abs=1e-6)


def test_a_side_that_moved_down_counts_as_unmoved_in_kto() -> None:
    down = replace(CHOSEN, policy=CHOSEN.reference - 1)
    found = LOSSES["kto"].of(Pairs(down, REJECTED), TOLD).tolist()
    # The rejected answers moved by 0.5 on average; the chosen ones by -1, which the estimate of a divergence reads as 0.
    assert found == pytest.approx([2 - chance(0.5 * (-1 - 0.5)) - chance(0.5), 2 - chance(-0.75) - chance(-1.0)], rel=1e-5)


@pytest.mark.parametrize("log_probability", [-1e-4, -0.69, -0.7, -20.0])
def test_odds_are_finite_and_exact_at_both_ends(log_probability: float) -> None:
    one = Answers(torch.tensor([log_probability]), torch.tensor([0.0]), torch.tensor([1.0]))
    half = Answers(torch.tensor([math.log(0.5)]), torch.tensor([0.0]), torch.tensor([1.0]))  # even odds
    found = float(LOSSES["odds_ratio"].of(Pairs(one, half), Preference(beta=1.0)))
    assert found == pytest.approx(cost(log_probability - math.log(-math.expm1(log_probability))), rel=1e-4)


def settings(**told: Any) -> Preference | None:
    return settings_of(Stage(name="s", train={"llm": 1e-4}, data="world", batch=1, **told))


def test_what_a_stage_leaves_out() -> None:
    assert settings() is None
    assert settings(preference={}) == Preference(
        losses={"sigmoid": 1.0}, beta=0.1, label_smoothing=0.0, gamma=0.5, tau=0.05, average=False, reference="auto"
    )


@pytest.mark.parametrize(
    "told",
    [
        {"beta": 1e-6},
        {"tau": 1e-6},
        {"label_smoothing": 0.0},
        {"label_smoothing": 0.499},
        {"losses": {"ipo": 1e-6, "sft": 2.0}},
    ],
)
def test_the_least_and_the_most_that_is_taken(told: dict[str, Any]) -> None:
    made = settings(preference=told)
    assert made is not None and {key: getattr(made, key) for key in told} == told


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"beta": 0}, "beta is 0, expected a number above 0"),
        ({"beta": math.inf}, "beta is inf"),
        ({"tau": 0}, "tau is 0"),
        ({"tau": math.inf}, "tau is inf"),
        ({"label_smoothing": -0.01}, "expected a share below one half"),
        ({"label_smoothing": 0.5}, "label_smoothing is 0.5"),
        ({"losses": {"sigmoid": 0}}, "losses.sigmoid is 0, expected a weight above 0"),
        ({"losses": {"sigmoid": math.inf}}, "losses.sigmoid is inf"),
        ({"losses": {"sft": 1.0}}, "compares no answers"),
        ({"losses": {}}, "compares no answers"),
        ({"losses": {"sigmoyd": 1.0}}, "has no 'sigmoyd'"),
        ({"losses": {"exo_pair": 1.0}}, "needs label_smoothing above 0"),
    ],
)
def test_beyond_the_bounds(told: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        settings(preference=told)


def test_which_losses_ask_a_reference_and_which_hide_the_picture() -> None:
    none = {"odds_ratio", "simpo", "likelihood"}
    assert {name for name in LOSSES if not Preference(losses={name: 1.0, "sft": 1.0}).compares} == none
    assert [name for name in LOSSES if Preference(losses={name: 1.0}).hides] == ["image"]
