"""The loss in chunks is cross-entropy: value, gradients, and heads that bend their logits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from families import decoder
from torch import Tensor, nn

from vistune.model.language import loss as module
from vistune.model.language.causal import LanguageModel
from vistune.model.language.loss import cross_entropy_sum, log_likelihoods

WIDTH, VOCABULARY = 16, 50


@pytest.fixture(params=[1, 7, 64], ids="chunks of {}".format)
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many tokens' logits are held at once."""
    monkeypatch.setattr(module, "HELD", request.param * VOCABULARY)
    return int(request.param)


class Capped(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(super().forward(x) / 3) * 3


def gradients(head: nn.Linear, hidden: Tensor, targets: Tensor, chunked: bool, scale: float) -> list[Tensor]:
    hidden = hidden.clone().requires_grad_()
    if chunked:
        total = cross_entropy_sum(head, list(head.parameters()), VOCABULARY, hidden, targets)
    else:
        total = F.cross_entropy(head(hidden).float(), targets, reduction="sum")
    learners = [hidden, *(weight for weight in head.parameters() if weight.requires_grad)]
    return [total.detach(), *torch.autograd.grad(total * scale, learners)]


@pytest.mark.parametrize("kind", [nn.Linear, Capped])
@pytest.mark.parametrize("frozen", [False, True])
def test_value_and_gradients_are_those_of_full_logits(kind: type[nn.Linear], frozen: bool, rows: int) -> None:
    torch.manual_seed(0)
    head = kind(WIDTH, VOCABULARY).requires_grad_(not frozen)
    hidden, targets = torch.randn(40, WIDTH), torch.randint(VOCABULARY, (40,))
    for scale in (1.0, 1 / 40):
        got, expected = (gradients(head, hidden, targets, chunked, scale) for chunked in (True, False))
        assert len(got) == (2 if frozen else 4)
        for mine, theirs in zip(got[1:], expected[1:], strict=True):
            assert float((mine - theirs).abs().max()) <= 1e-6 * max(1.0, float(theirs.abs().max()))
        assert abs(float(got[0] - expected[0])) <= 1e-6 * float(expected[0])


def test_in_bf16_it_is_as_near_to_fp32_as_full_logits_are(rows: int) -> None:
    torch.manual_seed(0)
    head = nn.Linear(WIDTH, VOCABULARY)
    hidden, targets = torch.randn(40, WIDTH), torch.randint(VOCABULARY, (40,))
    exact = gradients(head, hidden, targets, False, 1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, full = (gradients(head, hidden, targets, chunked, 1.0) for chunked in (True, False))
    for mine, theirs, truth in zip(got, full, exact, strict=True):
        assert mine.dtype == theirs.dtype
        assert float((mine - truth).norm()) <= 1.5 * float((theirs - truth).norm()) + 1e-6


def test_without_gradients_it_is_the_same_sum(rows: int) -> None:
    torch.manual_seed(0)
    head = nn.Linear(WIDTH, VOCABULARY)
    hidden, targets = torch.randn(40, WIDTH), torch.randint(VOCABULARY, (40,))
    expected = head(hidden).log_softmax(dim=-1).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(log_likelihoods(head, VOCABULARY, hidden, targets), expected.detach())
    with torch.no_grad():
        torch.testing.assert_close(cross_entropy_sum(head, [], VOCABULARY, hidden, targets), -expected.sum())


def test_no_target_is_no_loss_and_no_gradient() -> None:
    head = nn.Linear(WIDTH, VOCABULARY)
    got = gradients(head, torch.randn(0, WIDTH), torch.zeros(0, dtype=torch.long), True, 1.0)
    assert [float(part.abs().sum()) for part in got] == [0.0] * 4


def test_a_second_backward_pass_is_refused() -> None:
    head, hidden = nn.Linear(WIDTH, VOCABULARY), torch.randn(3, WIDTH, requires_grad=True)
    total = cross_entropy_sum(head, list(head.parameters()), VOCABULARY, hidden, torch.tensor([1, 2, 3]))
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="taken before"):
        total.backward()


@pytest.mark.parametrize("family", ["llama", "gemma2", "opt"])
def test_a_language_models_loss_is_that_of_its_logits(family: str, rows: int, tmp_path: Path) -> None:
    """Tied and free embeddings, capped logits, a projection behind the layers; three chunks and more."""
    model = LanguageModel(decoder(family, tmp_path))
    torch.manual_seed(1)
    hidden = torch.randn(30, model.hidden_width if family != "opt" else model.width)
    labels = torch.randint(3, len(model.tokenizer), (30,)).masked_fill(torch.rand(30) < 0.4, -100)
    results = []
    for chunked in (True, False):
        model.zero_grad(set_to_none=True)
        inner = hidden.clone().requires_grad_()
        if chunked:
            total = model.loss_sum(inner, labels)
        else:
            total = F.cross_entropy(model.logits(inner)[:-1].float(), labels[1:], reduction="sum", ignore_index=-100)
        total.backward()
        head = model.model.get_output_embeddings().weight
        assert inner.grad is not None
        results.append((total.detach(), inner.grad, head.grad))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6 * max(1.0, float(theirs.abs().max())), rtol=1e-6)
