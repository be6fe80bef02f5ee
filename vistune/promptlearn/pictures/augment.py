"""RandAugment and AugMix on square pictures, with the ranges and strengths of CoPrompt's and TPT's releases."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

Operation: TypeAlias = Callable[[Image.Image, float], Image.Image]

GREY = (125, 123, 114)  # of the rectangle that is cut out


def shear(image: Image.Image, x: float, y: float, resample: Image.Resampling = Image.Resampling.NEAREST) -> Image.Image:
    """Shear by a factor along either axis."""
    return image.transform(image.size, Image.Transform.AFFINE, (1, x, 0, y, 1, 0), resample)


def shift(image: Image.Image, x: float, y: float, resample: Image.Resampling = Image.Resampling.NEAREST) -> Image.Image:
    """Shift by pixels; what comes in from outside is black."""
    return image.transform(image.size, Image.Transform.AFFINE, (1, 0, x, 0, 1, y), resample)


def solarize_add(image: Image.Image, amount: float) -> Image.Image:
    """Brighten by a number of levels, then invert all levels from 128 on."""
    brighter = np.clip(np.asarray(image, np.int64) + int(amount), 0, 255).astype(np.uint8)
    return ImageOps.solarize(Image.fromarray(brighter), 128)


# (operation, its value at strength 0, at strength 30, may its sign be turned?)
RANDAUGMENT: tuple[tuple[Operation, float, float, bool], ...] = (
    (lambda image, _: ImageOps.autocontrast(image), 0, 1, False),
    (lambda image, _: ImageOps.equalize(image), 0, 1, False),
    (lambda image, _: ImageOps.invert(image), 0, 1, False),
    (lambda image, value: image.rotate(value), 0, 30, True),
    (lambda image, value: ImageOps.posterize(image, int(value)), 4, 8, False),
    (lambda image, value: ImageOps.solarize(image, math.ceil(value)), 0, 256, False),  # levels are whole
    (solarize_add, 0, 110, False),
    (lambda image, value: ImageEnhance.Color(image).enhance(value), 0.1, 1.9, False),
    (lambda image, value: ImageEnhance.Contrast(image).enhance(value), 0.1, 1.9, False),
    (lambda image, value: ImageEnhance.Brightness(image).enhance(value), 0.1, 1.9, False),
    (lambda image, value: ImageEnhance.Sharpness(image).enhance(value), 0.1, 1.9, False),
    (lambda image, value: shear(image, value, 0), 0, 0.3, True),
    (lambda image, value: shear(image, 0, value), 0, 0.3, True),
    (lambda image, value: shift(image, value, 0), 0, 100, True),
    (lambda image, value: shift(image, 0, value), 0, 100, True),
)


def randaugment(image: Image.Image, rng: np.random.Generator, *, count: int = 2, strength: float = 10) -> Image.Image:
    """`count` operations of 16, each at `strength` of 30; one of them cuts out a grey square (Cubuk et al. 2020)."""
    for chosen in rng.integers(0, len(RANDAUGMENT) + 1, count):
        if chosen == len(RANDAUGMENT):
            image = cut_out(image, 40 * strength / 30, rng)
            continue
        operation, low, high, either_way = RANDAUGMENT[chosen]
        value = low + (high - low) * strength / 30
        image = operation(image, -value if either_way and rng.random() > 0.5 else value)
    return image


def cut_out(image: Image.Image, side: float, rng: np.random.Generator) -> Image.Image:
    """A grey square of `side` pixels around a random place, cut at the edges."""
    width, height = image.size
    left, top = (int(max(0, rng.uniform(0, size) - side / 2)) for size in (width, height))
    image = image.copy()
    ImageDraw.Draw(image).rectangle((left, top, min(width, left + side), min(height, top + side)), GREY)
    return image


# (operation of the picture and a level drawn from 0.1 to the severity, may its sign be turned?)
BILINEAR = Image.Resampling.BILINEAR
AUGMIX: tuple[tuple[Operation, bool], ...] = (
    (lambda image, _: ImageOps.autocontrast(image), False),
    (lambda image, _: ImageOps.equalize(image), False),
    (lambda image, level: ImageOps.posterize(image, 4 - int(level * 4 / 10)), False),
    (lambda image, level: image.rotate(int(level * 30 / 10), BILINEAR), True),
    (lambda image, level: ImageOps.solarize(image, 256 - int(level * 256 / 10)), False),
    (lambda image, level: shear(image, level * 0.3 / 10, 0, BILINEAR), True),
    (lambda image, level: shear(image, 0, level * 0.3 / 10, BILINEAR), True),
    (lambda image, level: shift(image, int(level * image.size[0] / 3 / 10), 0, BILINEAR), True),
    (lambda image, level: shift(image, 0, int(level * image.size[1] / 3 / 10), BILINEAR), True),
)


def augmix(image: Image.Image, rng: np.random.Generator, *, severity: float = 1.0) -> np.ndarray:
    """The picture mixed with three chains of one to three operations, `[H, W, 3]` in 0 .. 255 (Hendrycks et al. 2020)."""
    weights, share = rng.dirichlet((1.0, 1.0, 1.0)), rng.beta(1.0, 1.0)
    plain = np.asarray(image, np.float32)
    mixed = np.zeros_like(plain)
    for weight in weights:
        changed = image
        for chosen in rng.integers(0, len(AUGMIX), rng.integers(1, 4)):
            operation, either_way = AUGMIX[chosen]
            level = rng.uniform(0.1, severity)
            changed = operation(changed, -level if either_way and rng.random() > 0.5 else level)
        mixed += weight * np.asarray(changed, np.float32)
    out: np.ndarray = share * plain + (1 - share) * mixed
    return out
