"""The denoising loss is DreamLLM's and that of diffusers; painting starts from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from mechanisms import Golden, close
from tiny_heads import SCHEDULE, write_painter

from vistune.model.heads._any_painter import read_painter
from vistune.model.heads._flow_painter import FlowPainter
from vistune.model.heads._painter import Draws, Painter
from vistune.model.painting import painter as flow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_painter(tmp_path)
    return tmp_path


def recorded(folder: Path, prediction: str = "epsilon", **options: Any) -> tuple[Golden, Painter, Draws]:
    golden = Golden("dreamllm_diffusion_head")
    diffusers.DDPMScheduler(**SCHEDULE, prediction_type=prediction).save_pretrained(folder / "scheduler")
    painter = Painter(str(folder), **options)
    golden.fill(painter, {"vae.": "stable_diffusion_head.vae.", "unet.": "stable_diffusion_head.unet."})
    offset = golden["in/offset_noise"] if painter.noise_offset else None
    perturbation = golden["in/perturb_noise"] if painter.input_perturbation else None
    return golden, painter, Draws(golden["in/vae_noise"], golden["in/noise"], golden["in/timesteps"], offset, perturbation)


@pytest.mark.parametrize(
    ("name", "prediction", "options"),
    [
        ("vm_loss", "epsilon", {}),
        ("vm_loss_v_prediction", "v_prediction", {}),
        ("vm_loss_min_snr5", "epsilon", {"snr_gamma": 5.0}),
        ("vm_loss_v_min_snr5", "v_prediction", {"snr_gamma": 5.0}),
        ("vm_loss_noise_offset", "epsilon", {"noise_offset": 0.1}),
        ("vm_loss_input_perturbation", "epsilon", {"input_perturbation": 0.1}),
    ],
)
def test_every_variant_of_the_loss_is_dreamllms(folder: Path, name: str, prediction: str, options: dict[str, float]) -> None:
    golden, painter, draws = recorded(folder, prediction, **options)
    losses = painter.losses(golden["out/condition"], golden["in/images_dm"], draws)
    close(losses.mean(), golden[f"out/{name}"], 2e-5, 2e-5)


def test_latents_and_weights_are_dreamllms(folder: Path) -> None:
    golden, painter, draws = recorded(folder, snr_gamma=5.0)
    given, _ = painter.noisy(painter.latents(golden["in/images_dm"], draws.posterior), draws)
    close(given, golden["out/noisy_latents"], 2e-5, 2e-5)
    close(painter.snr_weights(draws.timesteps), golden["out/snr_weights_gamma5"], 2e-5, 2e-5)


def test_the_worlds_painter_is_used_like_any_other(tmp_path: Path) -> None:
    """Pictures are those it paints itself, and the loss is the one it was taught with."""
    torch.manual_seed(0)
    inner = flow.Painter(width=32, depth=1, heads=2)
    for layer in (inner.leave, *(block.modulate for block in inner.blocks)):  # they begin at zero
        torch.nn.init.normal_(layer.weight, std=0.1)
    inner.save(tmp_path)
    painter = read_painter(str(tmp_path))
    assert isinstance(painter, FlowPainter) and (painter.width, painter.size) == (128, 64)
    told = torch.randn(1, 10, 128)
    with torch.no_grad():
        noise = torch.randn((1, 3, 64, 64), generator=torch.Generator().manual_seed(7))
        null = torch.zeros(1, 10, 128)
        expected = painter.model.paint(told, null, noise, steps=3, guidance=2.0)
        close(painter.paint(told, null, steps=3, guidance=2.0, seed=7), (expected / 2 + 0.5).clamp(0, 1))
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    condition = torch.randn(2, 10, 128, requires_grad=True)
    torch.manual_seed(1)
    losses = painter.losses(condition, images, painter.draw(2, condition.device))
    losses.sum().backward()
    assert losses.shape == (2,) and condition.grad is not None and condition.grad.abs().sum() > 0
