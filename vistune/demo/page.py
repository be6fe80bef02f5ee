"""The report as Markdown and HTML: the table, the loss, and test pictures with questions, answers and drawn boxes."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from vistune.data.media.image import load_image
from vistune.draw import data_url, draw_regions
from vistune.evals.metrics.box_iou import box_iou
from vistune.files import atomic_open
from vistune.prompt.codec import Codec
from vistune.sample import Region, Sample, Text, Turn

SCALE = 4  # scenes are small: enlarged without smoothing, so that one sees what the model saw


@dataclass(frozen=True, slots=True)
class Shown:
    """A test question and the answer given to it."""

    task: str
    sample: Sample
    answer: str


def write_pages(
    out: Path,
    rows: dict[str, dict[str, float]],
    seconds: dict[str, float],
    shown: list[Shown],
    codec: Codec,
    model: Path,
) -> None:
    """Write `report.md`, `report.html` and `pictures/` into `out`."""
    pictures = out / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    figures = []
    for index, item in enumerate(shown):
        plain = load_image(item.sample.media[0])
        plain.save(pictures / f"{index:03d}.png")
        large = plain.resize((plain.width * SCALE, plain.height * SCALE), Image.Resampling.NEAREST)
        figures.append(draw_regions(large, codec.decode(item.answer, plain.size)))
    with atomic_open(out / "report.md") as file:
        file.write(_markdown(rows, seconds, shown, codec, model))
    with atomic_open(out / "report.html") as file:
        file.write(_html(out, rows, seconds, shown, figures, codec, model))


def _words(turn: Turn, codec: Codec) -> str:
    """A turn as the model reads or writes it, without its pictures."""
    said = [part for part in turn.parts if isinstance(part, (Text, Region))]
    return "".join(part.text if isinstance(part, Text) else codec.encode(part) for part in said).strip()


_COLUMNS = ("tuned", "aligned", "blind", "majority")
_EXPLAIN = (
    "tuned: after instruction tuning. aligned: after alignment only. blind: tuned, but shown another picture. "
    "majority: the most frequent training answer. Test scenes hold handwriting of people who wrote none of the training's."
)


def _cell(task: str, value: float) -> str:
    return f"{value:.3f}" if task == "caption_cider_d" else f"{value:.1f}"


def _markdown(
    rows: dict[str, dict[str, float]], seconds: dict[str, float], shown: list[Shown], codec: Codec, model: Path
) -> str:
    lines = ["# vistune demo", "", "| task | " + " | ".join(_COLUMNS) + " | n |", "|---|" + "---:|" * (len(_COLUMNS) + 1)]
    for task, row in rows.items():
        lines.append(f"| {task} | " + " | ".join(_cell(task, row[name]) for name in _COLUMNS) + f" | {row['n']} |")
    lines += ["", _EXPLAIN, "", f"Training {seconds['train']:.0f} s, evaluation {seconds['eval']:.0f} s.", ""]
    lines += ["![loss](loss.png)", "", "| picture | question | answer | wanted |", "|---|---|---|---|"]
    for index, item in enumerate(shown):
        cells = (_words(item.sample.turns[-2], codec), item.answer, _words(item.sample.turns[-1], codec))
        texts = " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells)
        lines.append(f"| ![{item.task}](pictures/{index:03d}.png) | {texts} |")
    return "\n".join([*lines, "", f"Talk to it: `vistune chat {model} --image FILE`", ""])


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.3rem .8rem;border-bottom:1px solid #ddd;text-align:right}"
    "td:first-child,th:first-child{text-align:left}.grid{display:grid;grid-template-columns:repeat(auto-fill,270px);gap:1rem}"
    "img{max-width:100%}figure{margin:0;border:1px solid #ddd;border-radius:6px;padding:6px;background:#fafafa}"
    "figure img{width:256px;image-rendering:pixelated}figcaption{font-size:13px}.ok{color:#087f23}.no{color:#b00020}"
)


def _html(
    out: Path,
    rows: dict[str, dict[str, float]],
    seconds: dict[str, float],
    shown: list[Shown],
    figures: list[Image.Image],
    codec: Codec,
    model: Path,
) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("task", *_COLUMNS, "n"))
    body = "".join(
        f"<tr><td>{task}</td>"
        + "".join(f"<td>{_cell(task, row[name])}</td>" for name in _COLUMNS)
        + f"<td>{row['n']}</td></tr>"
        for task, row in rows.items()
    )
    cards = []
    for item, figure in zip(shown, figures, strict=True):
        wanted = _words(item.sample.turns[-1], codec)
        verdict = "ok" if _right(item, codec) else "no"
        cards.append(
            f'<figure><img alt="{item.task}" src="{data_url(figure)}"><figcaption><b>{html.escape(item.task)}</b><br>'
            f"{html.escape(_words(item.sample.turns[-2], codec))}<br><span class={verdict}>{html.escape(item.answer)}</span>"
            f"<br><small>wanted: {html.escape(wanted)}</small></figcaption></figure>"
        )
    loss = base64.b64encode((out / "loss.png").read_bytes()).decode()
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>vistune demo</title><style>{_STYLE}</style>"
        f"<h1>vistune demo</h1><table><tr>{head}</tr>{body}</table><p>{_EXPLAIN}</p>"
        f"<p>Training {seconds['train']:.0f} s, evaluation {seconds['eval']:.0f} s.</p>"
        f'<img alt="loss" src="data:image/png;base64,{loss}"><h2>Test pictures</h2><div class="grid">{"".join(cards)}</div>'
        f"<p>Talk to it: <code>vistune chat {html.escape(str(model))} --image FILE</code></p></html>\n"
    )


def _right(item: Shown, codec: Codec) -> bool:
    """Is the answer right? Boxes are, as in the table, where they overlap the wanted one by half (Acc@0.5)."""
    wanted = [part for part in item.sample.turns[-1].parts if isinstance(part, Region)]
    if not wanted:
        return item.answer in (_words(item.sample.turns[-1], codec), *item.sample.answers)
    found = codec.decode(item.answer, load_image(item.sample.media[0]).size)
    return len(found) == len(wanted) and all(
        box_iou(own.bounds(), other.bounds()) >= 0.5 for own, other in zip(found, wanted, strict=True)
    )
