"""The named losses of prompt learning, each the mean over its batch unless it says otherwise."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.promptlearn.backbone import unit


def cosine_distance(mine: Tensor, frozen: Tensor) -> Tensor:
    """1 - mean cosine of two sets of features `[N, E]` (KgCoOp, equation 6)."""
    return 1 - F.cosine_similarity(mine, frozen, dim=-1).mean()


def l1_distance(mine: Tensor, frozen: Tensor) -> Tensor:
    """Mean absolute difference of the unit features (PromptSRC, equation 4); the mean is over entries too."""
    return F.l1_loss(unit(mine), unit(frozen))


def distillation(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Cross-entropy of logits against soft targets, times T^2: KL(teacher || student) without its constant."""
    target = (teacher / temperature).softmax(-1)
    return -(target * (student / temperature).log_softmax(-1)).sum(-1).mean() * temperature**2


def divergence_per_entry(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """KL(teacher || student) summed over everything and divided by the number of entries, times T^2.

    The released PromptSRC and PromptKD divide by batch * classes, not by batch.
    """
    log_student, log_teacher = (student / temperature).log_softmax(-1), (teacher / temperature).log_softmax(-1)
    return F.kl_div(log_student, log_teacher, reduction="sum", log_target=True) * temperature**2 / student.numel()


def mean_absolute_error(logits: Tensor, labels: Tensor) -> Tensor:
    """1 - probability of the label: bounded, hence robust to wrong labels (generalised cross-entropy at q = 1)."""
    return (1 - logits.softmax(-1).gather(1, labels[:, None])[:, 0]).mean()


def generalised_cross_entropy(logits: Tensor, labels: Tensor, q: float) -> Tensor:
    """(1 - p^q) / q for the probability p of the label, plus 1e-6 (Zhang and Sabuncu 2018, equation 6)."""
    # The power of a probability near zero has an unbounded gradient.
    p = logits.softmax(-1).gather(1, labels[:, None])[:, 0] + 1e-6
    return ((1 - p**q) / q).mean()


def entropy(logits: Tensor) -> Tensor:
    """Entropy of each prediction `[..]`."""
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p).sum(-1)


def marginal_entropy(logits: Tensor) -> Tensor:
    """Entropy `[..]` of the mean probability over views, `logits [.., V, N]` (TPT, equation 3)."""
    # In logarithms: probabilities of views that are sure underflow to zero, whose logarithm is minus infinity.
    log_mean = logits.log_softmax(-1).logsumexp(-2) - torch.log(torch.tensor(float(logits.shape[-2])))
    return -(log_mean.exp() * log_mean).sum(-1)


def info_nce(logits: Tensor) -> Tensor:
    """Symmetric contrastive loss of paired rows and columns `[B, B]`."""
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def off_diagonal_cosine(features: Tensor) -> Tensor:
    """Mean absolute cosine between different rows `[P, E]` (ProDA's diversity term)."""
    cosine = unit(features) @ unit(features).T
    count = len(features)
    return (cosine.abs().sum() - cosine.diagonal().abs().sum()) / (count * (count - 1))
