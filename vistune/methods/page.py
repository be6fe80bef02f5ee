"""The methods as a table in a terminal, and as the page `docs/methods.md`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from vistune.methods.table import Method

DRAWINGS = {
    "tools": "words ──▶ language model ──▶ call ──▶ tool ──▶ words or a medium ──▶ language model ──▶ answer",
    "media out": (
        "picture ─▶ encoder ─▶ connector ─▶ language model ─▶ text\n"
        "                                         └─ states at triggers ─▶ head ─▶ painter or codes ─▶ picture"
    ),
    "masks and boxes out": (
        "picture ─┬▶ encoder ─▶ connector ─▶ language model ─▶ text\n"
        "         │                               └─ state at [SEG], queries ─▶ head ─▶ mask or boxes\n"
        "         └▶ the head's own encoder ─────────────────────────────────────┘"
    ),
    "regions in": (
        "picture ─▶ encoder ─▶ connector ─────────┐\n              └▶ region encoder ◀─ box ──────┴▶ language model ─▶ text"
    ),
    "films, sounds and shapes": (
        "film   ─▶ encoder, frame by frame ─▶ time ─┐\n"
        "sound  ─▶ encoder ─▶ connector ────────────┼▶ language model ─▶ text\n"
        "points ─▶ encoder ─▶ connector ────────────┘"
    ),
    "into the layers": (
        "picture ─▶ encoder ─▶ connector ─┐        ┌ layer n\n"
        "                                 ├▶ into ─┼ layer n + 1     of the language model ─▶ text\n"
        "words ───────────────────────────┘        └ ..."
    ),
    "queries": "picture ─▶ encoder ─▶ queries that look at it ─▶ a fixed number of tokens ─▶ language model ─▶ text",
    "projection": "picture ─▶ encoder ─▶ linear layers ─▶ a token a patch ─▶ language model ─▶ text",
    "taken whole": "any image-text-to-text model of transformers, tuned as it is",
}


def table(rows: Sequence[Method]) -> list[str]:
    """Lines for a terminal: a heading a family, a method a line."""
    lines: list[str] = []
    for family, members in groupby(rows, key=lambda row: row.family):
        lines += [family, *(f"  {row.name:<20}{row.paper:<18}{_flow(row):<34}{_held(row)}" for row in members)]
    return lines


def page(rows: Sequence[Method]) -> str:
    """The page in Markdown."""
    lines = [
        "# Methods",
        "",
        "Written by `vistune recipes --markdown > docs/methods.md` from the recipes; a test holds that it is up to date.",
        "`vistune recipes --takes films --gives masks` filters, `vistune show NAME` prints a recipe in full.",
        "",
        f"{len(rows)} recipes. *Trains* are the patterns of all stages together. *Held by* names the recordings of official",
        "code whose numbers the method's parts give; where a mechanism has none, it says so. *Nearest* is the recipe with the",
        "likest model.",
        "",
    ]
    for family, members in groupby(rows, key=lambda row: row.family):
        lines += [f"## {family[:1].upper()}{family[1:]}", "", "```text", DRAWINGS[family], "```", ""]
        chosen = list(members)
        lines += ["| method | paper | in → out | parts | trains | held by | nearest |", "|---|---|---|---|---|---|---|"]
        lines += [_row(row) for row in chosen]
        lines += ["", *(line for row in chosen for line in _difference(row)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _row(row: Method) -> str:
    cells = (
        f"`{row.name}`",
        row.paper,
        _flow(row),
        ", ".join(f"`{part}`" for part in row.parts),
        ", ".join(f"`{pattern}`" for pattern in row.trains),
        _held(row),
        f"`{row.nearest}`",
    )
    return f"| {' | '.join(cells)} |"


def _flow(row: Method) -> str:
    return f"{', '.join(row.takes) or 'text'} → {', '.join(row.gives)}"


def _held(row: Method) -> str:
    recorded = ", ".join(row.held) or "plain layers alone"
    return f"{recorded}; not held by a recording: {', '.join(row.not_held)}" if row.not_held else recorded


_SHOWN = 8  # lines of a difference; with more a relative is none


def _difference(row: Method) -> list[str]:
    """What sets a method apart from its nearest relative: settings, where they are few, else how many."""
    if len(row.apart) > _SHOWN:
        model = sum(line.startswith("model.") for line in row.apart)
        return [f"- `{row.name}` and `{row.nearest}` differ in {len(row.apart)} settings, {model} of them of the model"]
    told = "; ".join(f"`{line}`" for line in row.apart)
    return [f"- `{row.name}`, unlike `{row.nearest}`: {told}"]
