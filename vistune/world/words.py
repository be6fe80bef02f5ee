"""Rendered words: a small vocabulary in Pillow's built-in font."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw, ImageFont

# Short, common, and far apart in letters: at the smallest size a letter is six pixels wide.
NAMES = (
    "arm",
    "bell",
    "bird",
    "boat",
    "cat",
    "cup",
    "dog",
    "egg",
    "fish",
    "fox",
    "hat",
    "jug",
    "key",
    "lamp",
    "map",
    "moon",
    "nut",
    "owl",
    "pen",
    "ship",
    "sun",
    "tree",
    "van",
    "wolf",
)


@cache
def glyph(word: str, font_size: int) -> Image.Image:
    """The word as a grey glyph at its final size, with two pixels of margin: 255 where there is ink."""
    font = ImageFont.load_default(font_size)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(word))
    image = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), word, fill=255, font=font)
    return image
