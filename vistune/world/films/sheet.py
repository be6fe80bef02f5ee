"""A sheet of films as strips of frames, to look at."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from vistune.world.films.film import Film
from vistune.world.films.phrases import caption

_SHOWN = 8  # frames a film
_ZOOM = 2
_LINE = 14


def film_sheet(films: list[Film]) -> Image.Image:
    """Every other frame of each film in a row, its caption above it."""
    side = films[0].frames.shape[1] * _ZOOM
    sheet = Image.new("RGB", (_SHOWN * (side + 2), len(films) * (side + _LINE + 4)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_LINE - 3)
    for number, film in enumerate(films):
        top = number * (side + _LINE + 4)
        draw.text((2, top), f"{film.split} {film.seed}: {caption(film)}", fill="black", font=font)
        for column, frame in enumerate(film.frames[:: len(film.frames) // _SHOWN]):
            picture = Image.fromarray(frame).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(picture, (column * (side + 2), top + _LINE))
    return sheet
