"""A latent diffusion model of `diffusers`: the loss that teaches its condition, and painting from a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from vistune.errors import InputError, reading
from vistune.model.weights.assets import locate
from vistune.sample import Media


@dataclass(frozen=True, slots=True)
class Draws:
    """Everything random in a training step on n pictures with latents `[n, C, h, w]`.

    `posterior` chooses the latent, `noise` is added at `timesteps [n]`; `offset [n, C, 1, 1]` and `perturbation` serve their
    options. Drawn apart from the loss, so that the same draws give the same loss.
    """

    posterior: Tensor
    noise: Tensor
    timesteps: Tensor
    offset: Tensor | None = None
    perturbation: Tensor | None = None


class Painter(nn.Module):
    """VAE, UNet and noise schedule from a diffusers directory or hub id (subfolders `vae`, `unet`, `scheduler`), all frozen.

    `snr_gamma` bounds the weight of easy timesteps (min-SNR, arXiv 2303.09556; 5 is usual). `noise_offset` shifts the noise of
    a whole channel, in input and target; `input_perturbation` disturbs the input alone.
    """

    def __init__(
        self,
        path: str,
        snr_gamma: float | None = None,
        noise_offset: float = 0.0,
        input_perturbation: float = 0.0,
        revision: str | None = None,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        parts = _diffusers()
        folder = locate(path)
        self.snr_gamma, self.noise_offset, self.input_perturbation = snr_gamma, noise_offset, input_perturbation
        self.vae: Any = _read(parts.AutoencoderKL, path, folder, "vae", revision, load_weights)
        self.unet: Any = _read(parts.UNet2DConditionModel, path, folder, "unet", revision, load_weights)
        self.schedule: Any = _read(parts.DDPMScheduler, path, folder, "scheduler", revision, True)
        self.requires_grad_(False)

    @property
    def width(self) -> int:
        """Channels of a condition."""
        return int(self.unet.config.cross_attention_dim)

    @property
    def size(self) -> int:
        """The side of the pictures it paints, in pixels."""
        return int(self.unet.config.sample_size) * self._reduction

    @property
    def _reduction(self) -> int:
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    def draw(self, count: int, device: torch.device) -> Draws:
        """Fresh draws for `count` pictures."""
        side = int(self.unet.config.sample_size)
        shape = (count, int(self.unet.config.in_channels), side, side)
        posterior, noise = torch.randn(shape, device=device), torch.randn(shape, device=device)
        offset = torch.randn((*shape[:2], 1, 1), device=device) if self.noise_offset else None
        perturbation = torch.randn(shape, device=device) if self.input_perturbation else None
        timesteps = torch.randint(0, int(self.schedule.config.num_train_timesteps), (count,), device=device)
        return Draws(posterior, noise, timesteps, offset, perturbation)

    @torch.no_grad()
    def latents(self, images: Tensor, posterior: Tensor) -> Tensor:
        """Pictures `[n, 3, size, size]` in [-1, 1] -> scaled latents."""
        chosen = self.vae.encode(images).latent_dist
        return torch.as_tensor((chosen.mean + chosen.std * posterior) * self.vae.config.scaling_factor)

    def noisy(self, latents: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """The UNet's input, and the noise that the target is made of."""
        noise = draws.noise if draws.offset is None else draws.noise + self.noise_offset * draws.offset
        added = noise if draws.perturbation is None else noise + self.input_perturbation * draws.perturbation
        return self.schedule.add_noise(latents, added, draws.timesteps), noise

    def losses(self, condition: Tensor, images: Tensor, draws: Draws) -> Tensor:
        """The mean squared error of each picture's prediction, `[n]`: of the noise, or of the velocity, as the schedule says.

        `condition [n, K, width]`; its gradient comes through the frozen UNet.
        """
        latents = self.latents(images, draws.posterior)
        given, noise = self.noisy(latents, draws)
        velocity = self.schedule.config.prediction_type == "v_prediction"
        # The unperturbed noise: input perturbation disturbs what the network sees, not what it is to say.
        target = self.schedule.get_velocity(latents, noise, draws.timesteps) if velocity else noise
        predicted = self.unet(given, draws.timesteps, condition).sample
        each = F.mse_loss(predicted.float(), target.float(), reduction="none").flatten(1).mean(dim=1)
        return each if self.snr_gamma is None else each * self.snr_weights(draws.timesteps, velocity)

    def snr_weights(self, timesteps: Tensor, velocity: bool = False) -> Tensor:
        """`min(snr, gamma) / snr` at each timestep; for the velocity, one is added to every snr."""
        kept = self.schedule.alphas_cumprod.to(timesteps.device)[timesteps].float()
        # A velocity's loss weighs a timestep by snr + 1, so its bound is taken of that (min-SNR, section 3.4).
        snr = kept / (1 - kept) + (1.0 if velocity else 0.0)
        weights: Tensor = snr.clamp(max=self.snr_gamma) / snr
        return weights

    @torch.no_grad()
    def paint(self, condition: Tensor, null: Tensor, steps: int, guidance: float, seed: int) -> Tensor:
        """Pictures `[n, 3, size, size]` in [0, 1] of conditions `[n, K, width]`, led away from `null [1, K, width]`.

        Noise starts from `seed`, the same for each picture, so that a picture does not depend on its neighbours.
        """
        scheduler = _diffusers().DDIMScheduler.from_config(self.schedule.config)
        scheduler.set_timesteps(steps, device=condition.device)
        side = int(self.unet.config.sample_size)
        # Drawn on the CPU, so that a seed paints the same picture on every device.
        start = torch.randn((1, int(self.unet.config.in_channels), side, side), generator=torch.Generator().manual_seed(seed))
        latents = start.to(condition).expand(len(condition), -1, -1, -1) * scheduler.init_noise_sigma
        # Both conditions in one pass of the network, which is what painting costs.
        both = torch.cat([null.expand_as(condition), condition])
        for step in scheduler.timesteps:
            without, led = self.unet(torch.cat([latents, latents]), step, both).sample.chunk(2)
            latents = scheduler.step(without + guidance * (led - without), step, latents).prev_sample
        images = self.vae.decode(latents / self.vae.config.scaling_factor).sample
        return torch.as_tensor((images / 2 + 0.5).clamp(0, 1))


def _diffusers() -> Any:
    """The library, which only painters need."""
    try:
        import diffusers
    except ImportError as error:
        raise InputError("painting needs the extra 'paint': pip install 'vistune[paint]'") from error
    return diffusers


def _read(part: Any, path: str, folder: str, name: str, revision: str | None, load: bool) -> Any:
    """A part of a diffusers model, whole or refused in one sentence; its weights only from safetensors."""
    with reading(f"the {name} of the painter {path} cannot be read"):
        if not load:
            return part.from_config(part.load_config(folder, subfolder=name, revision=revision))
        # `low_cpu_mem_usage` builds on the meta device and would need `accelerate` to fill it.
        extra = {} if name == "scheduler" else {"use_safetensors": True, "low_cpu_mem_usage": False}
        return part.from_pretrained(folder, subfolder=name, revision=revision, **extra)


def as_media(images: Tensor) -> list[Media]:
    """Pictures `[n, 3, H, W]` in [0, 1] as media in memory."""
    pixels = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return [Media("image", data=picture) for picture in pixels]


def as_target(image: Image.Image, size: int) -> Tensor:
    """An RGB picture -> `[1, 3, size, size]` in [-1, 1]: the shorter side scaled, the centre kept."""
    width, height = image.size
    scale = size / min(width, height)
    scaled = image.resize((max(size, round(width * scale)), max(size, round(height * scale))), Image.Resampling.BILINEAR)
    left, top = (scaled.width - size) // 2, (scaled.height - size) // 2
    cut = np.asarray(scaled.crop((left, top, left + size, top + size)), dtype=np.float32)
    return torch.from_numpy(cut).permute(2, 0, 1)[None] / 127.5 - 1
