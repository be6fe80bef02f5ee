"""The review page: a contact sheet of what was made and what was rejected, on which a person decides.

`review.html` is one static file that loads nothing but the run's own pictures. Its decisions are kept in the browser and saved
as `decisions.json`, which `--decisions` hands to the operator `human` of the next run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.files import atomic_open, read_json, read_jsonl

MOST = 500
VERDICTS = {"accept": True, "reject": False}
_BUTTONS = (
    '<button data-verdict="accept">accept <kbd>a</kbd></button><button data-verdict="reject">reject <kbd>r</kbd></button>'
)


def write_page(out: Path, most: int = MOST) -> Path:
    """Write `review.html` for a finished run: the first `most` samples and the first `most` rejects."""
    made = [record for _, record in islice(read_jsonl(out / "trace.jsonl"), most)]
    failed = [record for _, record in islice(read_jsonl(out / "rejects.jsonl"), most)]
    report = read_json(out / "run.json")
    cards = "\n".join([*(_card(record) for record in made), *(_card(record) for record in failed)])
    template = files("vistune.construction.running").joinpath("review_page.html").read_text(encoding="utf-8")
    page = (
        template.replace("{{pipeline}}", escape(str(report["pipeline"])))
        .replace("{{statistics}}", escape(json.dumps(report["statistics"], ensure_ascii=False)))
        .replace("{{cards}}", cards)
    )
    with atomic_open(out / "review.html") as file:
        file.write(page)
    return out / "review.html"


def read_decisions(path: str | Path) -> dict[str, bool]:
    """Verdicts by sample id. Raises `InputError` naming what is no decision."""
    value = read_json(path)
    decisions = value.get("decisions") if isinstance(value, dict) else None
    if not isinstance(decisions, dict):
        raise InputError(f"{path}: expected an object with the key 'decisions', as the review page saves it")
    for name, verdict in decisions.items():
        if verdict not in VERDICTS:
            raise InputError(f"{path}: the decision on {name!r} is {verdict!r}, expected 'accept' or 'reject'")
    return {name: VERDICTS[verdict] for name, verdict in decisions.items()}


def _card(record: Mapping[str, Any]) -> str:
    failed = bool(record["reason"])
    verdict = f"<strong>{escape(record['detail'])}</strong>" if failed else _BUTTONS
    pictures = "".join(_picture(record, number) for number in range(len(record["media"])))
    turns = "".join(_turn(role, text) for role, text in record["turns"])
    exchanges = "".join(map(_exchange, record["exchanges"]))
    return (
        f'<article class="{"failed" if failed else "made"}" data-id="{escape(record["id"], quote=True)}" tabindex="0">'
        f"<header><code>{escape(record['id'])}</code> <em>{escape(record['task'])}</em>{verdict}</header>"
        f'<div class="media">{pictures}</div><dl>{turns}</dl>'
        f"<details><summary>context and replies</summary>{exchanges}</details></article>"
    )


def _picture(record: Mapping[str, Any], number: int) -> str:
    kind, path = record["media"][number]
    if kind != "image" or path is None:
        return f"<p>{escape(kind)}: {escape(path or 'in memory')}</p>"
    # Relative paths lie beside the page; absolute ones need a scheme, or the browser looks for them on a host.
    source = path if not Path(path).is_absolute() else Path(path).as_uri()
    boxes = [(box, label) for medium, box, label in record["boxes"] if medium == number]
    return (
        f'<figure><img loading="lazy" alt="" src="{escape(source, quote=True)}">{"".join(_box(*box) for box in boxes)}</figure>'
    )


def _box(box: list[float], label: str) -> str:
    left, top, right, bottom = (100 * edge for edge in box)
    style = f"left:{left:.2f}%;top:{top:.2f}%;width:{right - left:.2f}%;height:{bottom - top:.2f}%"
    return f'<span class="box" style="{style}" title="{escape(label, quote=True)}"><b>{escape(label)}</b></span>'


def _turn(role: str, text: str) -> str:
    return f"<dt>{escape(role)}</dt><dd>{escape(text)}</dd>"


def _exchange(exchange: Mapping[str, str]) -> str:
    asked, reply = escape(exchange["asked"]), escape(exchange["reply"])
    return f"<h4>{escape(exchange['step'])} ({escape(exchange['finish'])})</h4><pre>{asked}</pre><pre class=reply>{reply}</pre>"
