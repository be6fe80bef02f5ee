"""An HTML page of samples as they are: pictures with their regions drawn in, and every turn."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.files import atomic_open
from vistune.sample import MediaRef, Part, Produce, Region, Sample, Text

THUMBNAIL = 320
_COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem;background:#fafafa;color:#222}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(22rem,1fr));gap:1rem}
article{background:#fff;border:1px solid #ddd;border-radius:6px;padding:1rem;overflow-wrap:anywhere}
img{max-width:100%;display:block;margin-bottom:.4rem}h2{font-size:.8rem;color:#666;font-weight:normal;margin:0 0 .5rem}
p{margin:.3rem 0;white-space:pre-wrap}.user{color:#333}.assistant{color:#0b5394}.system{color:#888}
b{font-weight:600}.bad{color:#b00}code{background:#eee;border-radius:3px;padding:0 .2em}pre{overflow-x:auto}
"""


def write_contact_sheet(path: str | Path, title: str, samples: Iterable[Sample], facts: dict[str, Any]) -> None:
    """Write one self-contained page: pictures are embedded, nothing is loaded from elsewhere.

    A picture that cannot be decoded is shown as its error.
    """
    articles = "\n".join(_article(sample) for sample in samples)
    summary = html.escape(json.dumps(facts, indent=2, ensure_ascii=False))
    with atomic_open(path) as file:
        file.write(
            f'<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
            f"<h1>{html.escape(title)}</h1><details><summary>Numbers</summary><pre>{summary}</pre></details>"
            f"<main>{articles}</main></html>\n"
        )


def _article(sample: Sample) -> str:
    media = "".join(_medium(sample, index) for index in range(len(sample.media)))
    turns = "".join(
        f'<p class="{turn.role}"><b>{turn.role}</b> {"".join(_part(part, sample) for part in turn.parts)}</p>'
        for turn in sample.turns
    )
    rest = [f"choices: {' | '.join(sample.choices)}"] if sample.choices else []
    rest += [f"answers: {' | '.join(sample.answers)}"] if sample.answers else []
    extra = "".join(f"<p><small>{html.escape(line)}</small></p>" for line in rest)
    return f"<article><h2>{html.escape(sample.id)} &middot; {html.escape(sample.origin)}</h2>{media}{turns}{extra}</article>"


def _medium(sample: Sample, index: int) -> str:
    medium = sample.media[index]
    if medium.kind != "image":
        return f"<p><code>{medium.kind} {html.escape(medium.name)}</code></p>"
    try:
        image = load_image(medium, sample.where, at_least=(THUMBNAIL, THUMBNAIL))
    except InputError as error:
        return f'<p class="bad">{html.escape(str(error))}</p>'
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    in_turns = [part for turn in sample.turns for part in turn.parts if isinstance(part, Region)]
    regions = [region for region in dict.fromkeys([*sample.regions, *in_turns]) if region.media == index]
    for number, region in enumerate(regions):
        image = _drawn(image, region, _COLOURS[number % len(_COLOURS)])
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(medium.name)}" src="data:image/jpeg;base64,{encoded}">'


def _drawn(image: Image.Image, region: Region, colour: str) -> Image.Image:
    width, height = image.size
    if region.mask is not None:
        mask = Image.fromarray(region.mask).convert("L").resize(image.size, Image.Resampling.NEAREST)
        return Image.composite(Image.blend(image, Image.new("RGB", image.size, colour), 0.5), image, mask)
    draw = ImageDraw.Draw(image)
    if region.point is not None:
        x, y = region.point[0] * width, region.point[1] * height
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), outline=colour, width=2)
        return image
    assert region.box is not None
    x1, y1, x2, y2 = region.box
    draw.rectangle((x1 * width, y1 * height, max(x1, x2) * width - 1, max(y1, y2) * height - 1), outline=colour, width=2)
    return image


def _part(part: Part, sample: Sample) -> str:
    if isinstance(part, Text):
        return html.escape(part.text)
    if isinstance(part, MediaRef | Produce):
        verb = "makes " if isinstance(part, Produce) else ""
        return f"<code>[{verb}{sample.media[part.index].kind} {part.index + 1}]</code>"
    if part.mask is not None:
        return f"<code>[mask {html.escape(part.label or '')}]</code>"
    numbers = part.box if part.box is not None else part.point
    assert numbers is not None
    return f"<code>[{', '.join(f'{number:.3f}' for number in numbers)}]</code>"
