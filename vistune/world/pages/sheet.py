"""A sheet of pages with the boxes of their words, to look at."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from vistune.world.pages.page import HEIGHT, WIDTH, Page

_COLUMNS = 4


def page_sheet(pages: list[Page]) -> Image.Image:
    """Pages side by side, elements framed in red and words in blue."""
    columns = min(_COLUMNS, len(pages))
    sheet = Image.new("RGB", (columns * (WIDTH + 4), math.ceil(len(pages) / columns) * (HEIGHT + 4)), "black")
    for number, page in enumerate(pages):
        picture = Image.fromarray(page.image)
        draw = ImageDraw.Draw(picture)
        for element in page.elements:
            for box, colour in ((element.box, "red"), *((word.box, "blue") for word in element.words)):
                x1, y1, x2, y2 = box
                draw.rectangle((x1 * WIDTH - 1, y1 * HEIGHT - 1, x2 * WIDTH, y2 * HEIGHT), outline=colour)
        sheet.paste(picture, (number % columns * (WIDTH + 4), number // columns * (HEIGHT + 4)))
    return sheet
