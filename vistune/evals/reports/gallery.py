"""The worst answers of an evaluation, with their pictures, as a self-contained piece of HTML."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import Any

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.evals.reports.report import Entry
from vistune.files import read_jsonl
from vistune.sample import Media
from vistune.spec import is_number, matches

WIDTH = 280  # pixels of a thumbnail's longer side


def worst(entry: Entry, count: int) -> list[dict[str, Any]]:
    """The `count` worst items, in the samples' order among equals; none where no `items.jsonl` was kept.

    Lowest scores are worst, or highest where lower is better.
    """
    path = entry.folder / "items.jsonl"
    if not path.exists():
        return []
    items = [value for _, value in read_jsonl(path)]
    if not all(isinstance(item, dict) and "id" in item and is_number(item.get("score")) for item in items):
        raise InputError(f"{path}: every line needs 'id' and 'score', a number")
    if not all(matches(item.get("images", []), list[str]) and isinstance(item.get("expected", []), list) for item in items):
        raise InputError(f"{path}: 'images' are a list of paths, 'expected' a list of answers")
    sign = -1 if entry.lower_is_better else 1
    return sorted(items, key=lambda item: sign * float(item["score"]))[:count]


def gallery(entries: Sequence[Entry], count: int) -> str:
    """A section a model and benchmark, a card an item."""
    sections = []
    for entry in entries:
        cards = "".join(_card(item) for item in worst(entry, count))
        if cards:
            sections.append(f"<h3>{escape(entry.model)} on {escape(entry.benchmark)}</h3><div class='cards'>{cards}</div>")
    return "".join(sections)


def _card(item: dict[str, Any]) -> str:
    pictures = "".join(_thumbnail(path) for path in item.get("images", ()))
    expected = " / ".join(map(str, item.get("expected", ())))
    answer = "<i>no prediction</i>" if item.get("answer") is None else escape(_short(str(item["answer"])))
    return (
        f"<article>{pictures}<p class='id'>{escape(str(item['id']))}: {float(item['score']):.3g}</p>"
        f"<p>{escape(_short(str(item.get('prompt', ''))))}</p><p><b>Answer</b> {answer}</p>"
        f"<p><b>Expected</b> {escape(_short(expected))}</p></article>"
    )


def _thumbnail(path: str) -> str:
    """The picture, made small and put into the page; a note where its file is gone."""
    try:
        picture = load_image(Media.file("image", path), path)
    except InputError as error:
        return f"<p class='gone'>{escape(str(error))}</p>"
    picture.thumbnail((WIDTH, WIDTH))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _short(text: str, limit: int = 400) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
