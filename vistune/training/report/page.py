"""`report.html` of a run, or of several laid over each other: written at the end, and again whenever somebody looks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from vistune.files import atomic_open
from vistune.training.measuring.gallery import page
from vistune.training.report.chart import Line, chart
from vistune.training.report.recorded import Run

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }
.chart { margin: 0; border: 1px solid #8884; border-radius: 8px; padding: .6rem; } svg { width: 100%; height: auto; }
.ticks text { font-size: 11px; fill: currentColor; opacity: .7; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { padding: .2rem .8rem .2rem 0; text-align: left; }
td { border-top: 1px solid #8884; overflow-wrap: anywhere; } .wrong { color: #c2413b; } small { opacity: .8; }
"""
_CHARTS = (
    ("loss", "loss"),
    ("grad_norm", "norm of the gradients"),
    ("lr_factor", "factor on the learning rates"),
    ("tokens_per_second", "tokens a second"),
    ("loader_wait_percent", "waiting for data, % of the time"),
    ("memory_mb", "memory, MB"),
    ("rewards_margin", "margin of rewards"),
    ("rewards_accuracy", "pairs in their right order"),
)


def write_report(folder: Path) -> Path:
    """Write `report.html` into a run folder."""
    with atomic_open(folder / "report.html") as file:
        file.write(html([folder]))
    return folder / "report.html"


def html(folders: Sequence[Path], refresh: int | None = None) -> str:
    """The page of some run folders; with `refresh` a browser loads it again every so many seconds."""
    runs = [Run.read(folder) for folder in folders]
    stages = list(dict.fromkeys(name for run in runs for name in run.steps))
    body = "".join(f"<h2>{escape(name)}</h2>{_stage(runs, name)}" for name in stages)
    made = page(" against ".join(run.folder.resolve().name for run in runs), body + "".join(map(_about, runs)), _STYLE)
    again = "" if refresh is None else f'<meta http-equiv="refresh" content="{refresh}">'
    return made.replace("</head>", f"{again}</head>", 1)


def _stage(runs: Sequence[Run], name: str) -> str:
    """Charts of one stage, the runs over each other, and its table of measurements."""
    several = len(runs) > 1
    drawn = []
    for key, title in _CHARTS:
        lines: dict[str, Line] = {}
        for run in runs:
            found = [(line["step"], line[key]) for line in run.steps.get(name, []) if line.get(key) is not None]
            if found:
                lines[run.folder.name if several else key] = found
        drawn.append(chart(title, lines))
    drawn += _measured(runs, name, several)
    return f'<p>{_state(runs, name)}</p><div class="charts">{"".join(drawn)}</div>{_galleries(runs, name)}'


def _measured(runs: Sequence[Run], name: str, several: bool) -> list[str]:
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for run in runs:
        for line in run.measured.get(name, []):
            for metric, value in line["values"].items():
                own = f"{run.folder.name}: {line['name']}" if several else str(line["name"])
                found.setdefault(metric, {}).setdefault(own, []).append((line["step"], value))
    return [chart(f"{metric}, held out", {}, dots) for metric, dots in found.items()]


def _state(runs: Sequence[Run], name: str) -> str:
    """Each run's progress, the samples that it left out, and its errors."""
    said = []
    for run in runs:
        lines = run.steps.get(name, [])
        if not lines:
            said.append(f"{escape(run.folder.name)}: not begun")
            continue
        last = lines[-1]
        dropped, media = (sum(line.get(key, 0) for line in lines) for key in ("dropped_turns", "dropped_media"))
        done = "finished" if (run.folder / name / "vistune.yaml").is_file() else "under way or stopped"
        wrong = f', <span class="wrong">{dropped} turns ({media} media) left out: too long</span>' if dropped else ""
        took = sum(line.get("seconds", 0) for line in lines)
        said.append(
            f"{escape(run.folder.name)}: step {last['step']} of {last['steps']}, {done}, loss {last['loss']:.4f}, "
            f"{took:,.0f} s in steps{wrong}"
        )
    return "<br>".join(said)


def _galleries(runs: Sequence[Run], name: str) -> str:
    links = [run.folder / "logs" / f"{name}.gallery.html" for run in runs]
    return "".join(
        f'<p><a href="logs/{escape(link.name)}">its answers, measurement by measurement</a></p>'
        for link in links
        if link.is_file()
    )


def _about(run: Run) -> str:
    """What trains and on what."""
    rows = []
    held = {entry.get("stage"): entry for entry in run.manifest.get("stages", [])}
    for stage in run.recipe["stages"]:
        entry = held.get(stage["name"], {})
        train = ", ".join(f"{pattern} at {rate:g}" for pattern, rate in stage["train"].items())
        unused = ", ".join(entry.get("unused_keys", {}).get("keys", {})) or "none"
        rows.append(
            (stage["name"], train, json.dumps(stage["data"]), f"{entry.get('samples', '?')}", f"{stage['batch']}", unused)
        )
    head = ("stage", "trains, and its rate", "data", "samples", "batch", "unused keys of records")
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    versions = ", ".join(f"{name} {number}" for name, number in run.manifest.get("versions", {}).items())
    title = f"{run.recipe.get('name')} {run.recipe.get('paper') or ''}".strip()
    return (
        f"<h2>{escape(run.folder.resolve().name)}</h2><p>{escape(title)}; "
        f"seed {run.recipe.get('seed')}; {escape(versions)}</p>"
        f"<table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{cells}</table>"
    )
