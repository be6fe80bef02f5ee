"""Losses of pairs, each from log-probabilities of whole answers: what the policy gives them, and what the reference gives.

    log-ratio   of an answer: the policy's log-probability minus the reference's; times beta it is the answer's reward
    margin      the chosen answer's log-ratio minus the rejected one's

Every function returns one number a pair, `[P]`. Those of `transformers`' TRL (`DPOTrainer`, `loss_type`) bear its names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

SFT = "sft"
"""Cross-entropy of the chosen answers, a token: not of pairs, but added to them."""


Reference: TypeAlias = Literal["auto", "adapters", "copy", "kept"]
Unseen: TypeAlias = Literal["crop", "black"]


@dataclass(frozen=True, kw_only=True)
class Preference:
    """How pairs become a loss.

    losses:           names of `LOSSES` and `SFT` with their weights, added up (MPO, arXiv 2411.10442, is
                      `{sigmoid: 0.8, bco_pair: 0.2, sft: 1.0}`); ORPO is `{odds_ratio: 1, sft: 1}`, mDPO
                      `{sigmoid: 1, image: 1, anchor: 1}`
    beta:             how much the policy may leave the reference
    label_smoothing:  the share of pairs whose order is wrong
    gamma:            SimPO's margin, over beta
    tau:              DiscoPOP's temperature
    average:          log-probabilities a token, not an answer (RLAIF-V's `dpo_use_average`)
    reference:        `adapters`: the weights without their adapters; `copy`: a copy of what is trained;
                      `kept`: log-probabilities of the pairs, computed once before the first step;
                      `auto`: adapters where nothing else is trained, else kept
    unseen:           what the loss `image` takes away of the picture: all but a fifth of it, or all of it
    """

    losses: Mapping[str, float] = field(default_factory=lambda: {"sigmoid": 1.0})
    beta: float = 0.1
    label_smoothing: float = 0.0
    gamma: float = 0.5
    tau: float = 0.05
    average: bool = False
    reference: Reference = "auto"
    unseen: Unseen = "crop"

    @property
    def compares(self) -> bool:
        """Whether any of the losses asks a reference."""
        return any(LOSSES[name].reference for name in self.losses if name != SFT)

    @property
    def hides(self) -> bool:
        """Whether any of the losses takes the picture away."""
        return "image" in self.losses


@dataclass(frozen=True, slots=True)
class Answers:
    """Log-probabilities `[P]` of answers under policy and reference, and their numbers of tokens."""

    policy: Tensor
    reference: Tensor
    tokens: Tensor

    @property
    def ratio(self) -> Tensor:
        """The log-ratio."""
        return self.policy - self.reference


@dataclass(frozen=True, slots=True)
class Pairs:
    """The chosen and the rejected answers, and the chosen ones without their pictures where a loss asks for that."""

    chosen: Answers
    rejected: Answers
    unseen: Answers | None = None

    @property
    def margin(self) -> Tensor:
        """By how much more the policy prefers the chosen answer than the reference does."""
        return self.chosen.ratio - self.rejected.ratio


def sigmoid(pairs: Pairs, told: Preference) -> Tensor:
    """DPO (arXiv 2305.18290, eq. 7); with label smoothing its conservative form (Mitchell, 2023)."""
    return _smoothed(told.beta * pairs.margin, told.label_smoothing)


def hinge(pairs: Pairs, told: Preference) -> Tensor:
    """SLiC-HF's margin (arXiv 2305.10425) on DPO's."""
    return torch.relu(1 - told.beta * pairs.margin)


def ipo(pairs: Pairs, told: Preference) -> Tensor:
    """IPO (arXiv 2310.12036, eq. 17), log-ratios a token, as its authors ran it."""
    # The square is centred where the margin is worth 1 / (2 beta), whatever the length of the answers.
    return (_a_token(pairs) - 1 / (2 * told.beta)) ** 2


def sigmoid_norm(pairs: Pairs, told: Preference) -> Tensor:
    """DPO with log-ratios a token."""
    return -F.logsigmoid(told.beta * _a_token(pairs))


def exo_pair(pairs: Pairs, told: Preference) -> Tensor:
    """EXO (arXiv 2402.00856, eq. 16) for two answers."""
    logits, smoothing = told.beta * pairs.margin, torch.tensor(told.label_smoothing)
    # A divergence from the smoothed label, of which the logarithm is taken: smoothing of zero is refused in the settings.
    right = torch.sigmoid(logits) * (F.logsigmoid(logits) - torch.log1p(-smoothing))
    return right + torch.sigmoid(-logits) * (F.logsigmoid(-logits) - torch.log(smoothing))


def nca_pair(pairs: Pairs, told: Preference) -> Tensor:
    """NCA (arXiv 2402.05369): absolute rewards against noise."""
    chosen, rejected = told.beta * pairs.chosen.ratio, told.beta * pairs.rejected.ratio
    return -F.logsigmoid(chosen) - 0.5 * F.logsigmoid(-chosen) - 0.5 * F.logsigmoid(-rejected)


def robust(pairs: Pairs, told: Preference) -> Tensor:
    """Robust DPO (arXiv 2403.00409): unbiased under a known share of wrong pairs."""
    logits, wrong = told.beta * pairs.margin, told.label_smoothing
    return (-(1 - wrong) * F.logsigmoid(logits) + wrong * F.logsigmoid(-logits)) / (1 - 2 * wrong)


def bco_pair(pairs: Pairs, told: Preference) -> Tensor:
    """BCO (arXiv 2404.04656) without its shift: each answer against a threshold of zero."""
    return -F.logsigmoid(told.beta * pairs.chosen.ratio) - F.logsigmoid(-told.beta * pairs.rejected.ratio)


def sppo_hard(pairs: Pairs, told: Preference) -> Tensor:
    """SPPO (arXiv 2405.00675, eq. 4.7) where the chosen answer wins for certain."""
    half = 0.5 / told.beta
    return (pairs.chosen.ratio - half) ** 2 + (pairs.rejected.ratio + half) ** 2


def aot(pairs: Pairs, told: Preference) -> Tensor:
    """AOT for pairs (arXiv 2406.05882): sorted over the pairs that go through the model at once."""
    # Sorted over the batch: optimal transport in one dimension compares quantiles, not answers.
    policy = (pairs.chosen.policy - pairs.rejected.policy).sort(dim=0).values
    reference = (pairs.chosen.reference - pairs.rejected.reference).sort(dim=0).values
    return _smoothed(told.beta * (policy - reference), told.label_smoothing)


def aot_unpaired(pairs: Pairs, told: Preference) -> Tensor:
    """AOT where answers belong to no pair: both sides sorted alone."""
    margin = pairs.chosen.ratio.sort(dim=0).values - pairs.rejected.ratio.sort(dim=0).values
    return _smoothed(told.beta * margin, told.label_smoothing)


def apo_zero(pairs: Pairs, told: Preference) -> Tensor:
    """APO (arXiv 2408.06266, eq. 7), for chosen answers better than the model's own; KTO's loss with a divergence of zero."""
    return 1 - torch.sigmoid(told.beta * pairs.chosen.ratio) + torch.sigmoid(told.beta * pairs.rejected.ratio)


def apo_down(pairs: Pairs, told: Preference) -> Tensor:
    """APO (arXiv 2408.06266, eq. 8), for chosen answers worse than the model's own."""
    return torch.sigmoid(told.beta * pairs.chosen.ratio) + 1 - torch.sigmoid(told.beta * pairs.margin)


def discopop(pairs: Pairs, told: Preference) -> Tensor:
    """DiscoPOP (arXiv 2406.08414, eq. 5): logistic and exponential, mixed by the margin."""
    logits = told.beta * pairs.margin
    mixed = torch.sigmoid(logits / told.tau)
    return -F.logsigmoid(logits) * (1 - mixed) + torch.exp(-logits) * mixed


def kto(pairs: Pairs, told: Preference) -> Tensor:
    """KTO (arXiv 2402.01306, eq. 7): each answer good or bad by itself, against how far the policy has moved.

    The divergence is estimated on the other side's answers of the pairs that go through the model at once, never below zero and
    without a gradient (as TRL's `kto_pair` did); the paper's is one over mismatched questions and answers.
    """
    # The other side's answers stand for mismatched ones: of the answers to judge, the estimate would cancel their reward.
    moved = [side.ratio.mean().detach().clamp(min=0) for side in (pairs.rejected, pairs.chosen)]
    good = 1 - torch.sigmoid(told.beta * (pairs.chosen.ratio - moved[0]))
    return good + 1 - torch.sigmoid(told.beta * (moved[1] - pairs.rejected.ratio))


def odds_ratio(pairs: Pairs, told: Preference) -> Tensor:
    """ORPO's term (arXiv 2403.07691, eqs. 4 and 7): log-odds of answers a token, no reference; `beta` is its weight lambda."""
    chosen, rejected = (side.policy / side.tokens for side in (pairs.chosen, pairs.rejected))
    odds = (chosen - rejected) - (_log1mexp(chosen) - _log1mexp(rejected))
    return -told.beta * F.logsigmoid(odds)


def simpo(pairs: Pairs, told: Preference) -> Tensor:
    """SimPO (arXiv 2405.14734, eq. 6): log-probabilities a token, a margin of `gamma`, no reference."""
    margin = pairs.chosen.policy / pairs.chosen.tokens - pairs.rejected.policy / pairs.rejected.tokens
    return _smoothed(told.beta * margin - told.gamma, told.label_smoothing)


def likelihood(pairs: Pairs, told: Preference) -> Tensor:
    """The chosen answer's negative log-likelihood, which RLAIF-V's trainer adds as its SFT term."""
    return -pairs.chosen.policy


def image(pairs: Pairs, told: Preference) -> Tensor:
    """mDPO's conditional term (arXiv 2406.11839, eq. 4): the chosen answer is worth more with its picture than without."""
    assert pairs.unseen is not None
    return -F.logsigmoid(told.beta * (pairs.chosen.ratio - pairs.unseen.ratio))


def anchor(pairs: Pairs, told: Preference) -> Tensor:
    """mDPO's anchor (arXiv 2406.11839, eq. 5, with its margin at zero): the chosen answer's reward stays positive."""
    return -F.logsigmoid(told.beta * pairs.chosen.ratio)


def _smoothed(logits: Tensor, smoothing: float) -> Tensor:
    return -(1 - smoothing) * F.logsigmoid(logits) - smoothing * F.logsigmoid(-logits)


def _a_token(pairs: Pairs) -> Tensor:
    return pairs.chosen.ratio / pairs.chosen.tokens - pairs.rejected.ratio / pairs.rejected.tokens


def _log1mexp(value: Tensor) -> Tensor:
    """`log(1 - exp(x))` for x below zero, by whichever of two forms is exact there."""
    # At -ln 2 the two forms are equally exact; each loses all digits at the other's end. `where` guards the gradient as well.
    near = value > -0.6931471805599453
    close = torch.log(-torch.expm1(torch.where(near, value, -1.0)))
    return torch.where(near, close, torch.log1p(-torch.exp(torch.where(near, -1.0, value))))


@dataclass(frozen=True, slots=True)
class PairLoss:
    """A loss, and whether it asks a reference."""

    of: Callable[[Pairs, Preference], Tensor]
    reference: bool = True


LOSSES: dict[str, PairLoss] = {
    **{
        made.__name__: PairLoss(made)
        for made in (
            sigmoid, hinge, ipo, sigmoid_norm, exo_pair, nca_pair, robust, bco_pair, sppo_hard, aot, aot_unpaired, apo_zero,
            apo_down, discopop, kto, image, anchor,
        )
    },
    **{made.__name__: PairLoss(made, reference=False) for made in (odds_ratio, simpo, likelihood)},
}  # fmt: skip
