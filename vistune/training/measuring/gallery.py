"""The same few samples, measurement by measurement: picture, question, truth, and every answer, so that one sees it learn."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from vistune.data.media.image import load_image
from vistune.draw import data_url
from vistune.files import atomic_open, read_jsonl
from vistune.sample import Sample

if TYPE_CHECKING:
    from vistune.training.measuring.evaluation import Measurement

LARGE = 256
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 1rem; }
figure { margin: 0; border: 1px solid #8884; border-radius: 8px; padding: .6rem; }
img { width: 100%; image-rendering: pixelated; border: 1px solid #8884; }
figcaption { font-size: .9rem; overflow-wrap: anywhere; }
td, th { padding: .1rem .5rem .1rem 0; text-align: left; vertical-align: top; }
.right { color: #18794e; font-weight: 600; } small { opacity: .7; }
"""


def write_gallery(path: Path, stage: str, measurements: Sequence[Measurement], answers: Path) -> None:
    """Write the page of all measurements that have answers."""
    given: dict[tuple[str, str], dict[int, str]] = {}
    for _, line in read_jsonl(answers):
        given.setdefault((line["name"], line["id"]), {})[line["step"]] = line["answer"]
    sections = []
    for one in measurements:
        shown = [sample for sample in one.samples[: one.told.gallery] if (one.told.name, sample.id) in given]
        cards = "".join(_card(sample, given[one.told.name, sample.id]) for sample in shown)
        if cards:
            sections.append(f'<h2>{escape(one.told.name)}</h2><div class="grid">{cards}</div>')
    with atomic_open(path) as file:
        file.write(page(f"Stage {stage}: what it answers", "".join(sections), STYLE))


def page(title: str, body: str, style: str) -> str:
    """A self-contained page that reads on a phone, too."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>\n"
    )


def _card(sample: Sample, answers: dict[int, str]) -> str:
    wanted = sample.answers or ((sample.turns[-1].text.strip(),) if sample.turns else ())
    rows = "".join(
        f"<tr><td><small>{step}</small></td><td{' class=right' if answer.strip() in wanted else ''}>"
        f"{escape(answer) or '<small>(empty)</small>'}</td></tr>"
        for step, answer in sorted(answers.items())
    )
    pictures = "".join(f'<img alt="" src="{inside(load_image(medium))}">' for medium in sample.media if medium.kind == "image")
    question = sample.prompt().turns[-1].text.strip() if sample.prompt().turns else ""
    return (
        f"<figure>{pictures}<figcaption>{escape(question)}<br><small>wanted: {escape(', '.join(wanted[:3]))}</small>"
        f"<table>{rows}</table></figcaption></figure>"
    )


def inside(picture: Image.Image) -> str:
    """The picture inside the page, small ones enlarged by whole pixels."""
    factor = max(1, LARGE // max(picture.size))
    # Without smoothing: one wants to see the pixels that the model saw.
    shown = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    shown.thumbnail((2 * LARGE, 2 * LARGE))
    return data_url(shown)
