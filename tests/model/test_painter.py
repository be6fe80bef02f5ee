"""The denoising loss is DreamLLM's and that of diffusers; painting starts from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import pytest
from mechanisms import Golden, close
from tiny_heads import SCHEDULE, write_painter

from vistune.model.heads._painter import Draws, Painter


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
