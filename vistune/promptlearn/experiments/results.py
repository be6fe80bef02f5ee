"""One JSON file a run; tables over them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.files import read_json
from vistune.promptlearn.experiments.protocols import harmonic_mean
from vistune.promptlearn.experiments.published import BASE_TO_NOVEL

FIELDS = {"method", "dataset", "protocol", "shots", "seed", "accuracy", "trainable", "seconds_per_image", "peak_mb", "flags"}


def path_of(out: Path, method: str, dataset: str, protocol: str, shots: int, seed: int) -> Path:
    """Where the result of one run lies."""
    return out / dataset / protocol / method / f"shots{shots}-seed{seed}.json"


def load_results(out: Path) -> list[dict[str, Any]]:
    """All results under a folder. Raises `InputError` when there is none, or for a file that is no result."""
    found = []
    for path in sorted(out.glob("*/*/*/shots*-seed*.json")):
        result = read_json(path)
        if not isinstance(result, dict) or not result.keys() >= FIELDS:
            raise InputError(
                f"{path} is no result of a prompt-learning run: it lacks {', '.join(sorted(FIELDS - set(result)))}"
            )
        found.append(result)
    if not found:
        raise InputError(f"{out} holds no results: run `vistune promptlearn run --out {out}` first")
    return found


def summarise(results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a (dataset, protocol, shots, method): mean and standard deviation over seeds of every test set.

    Base-to-novel rows have `hm`, the harmonic mean of the two averages, and the published number where there is one.
    """
    groups: dict[tuple[str, str, int, str], list[Mapping[str, Any]]] = {}
    for result in results:
        groups.setdefault((result["dataset"], result["protocol"], result["shots"], result["method"]), []).append(result)
    rows = []
    for (dataset, protocol, shots, method), runs in sorted(groups.items()):
        row: dict[str, Any] = {"dataset": dataset, "protocol": protocol, "shots": shots, "method": method, "seeds": len(runs)}
        for name in runs[0]["accuracy"]:
            values = [run["accuracy"][name] for run in runs if run["accuracy"][name] is not None]
            row[name] = mean_std(values)
        if protocol == "base2novel" and row["base"] and row["novel"]:
            row["hm"] = round(harmonic_mean(row["base"][0], row["novel"][0]), 2)
        if protocol == "base2novel" and method in BASE_TO_NOVEL:
            row["published"] = BASE_TO_NOVEL[method]
        for field in ("seconds_per_image", "peak_mb"):
            row[field] = statistics.mean(run[field] for run in runs)
        row |= {"trainable": runs[0]["trainable"], "flags": runs[0]["flags"]}
        rows.append(row)
    return rows


def mean_std(values: list[float]) -> tuple[float, float] | None:
    """Mean and sample standard deviation, or none without a value."""
    if not values:
        return None
    return round(statistics.mean(values), 2), round(statistics.stdev(values) if len(values) > 1 else 0.0, 2)


def markdown(rows: list[dict[str, Any]]) -> str:
    """One table a (dataset, protocol, shots); published numbers stand beside ours, for other data and backbones."""
    blocks = []
    for key in dict.fromkeys((row["dataset"], row["protocol"], row["shots"]) for row in rows):
        own = [row for row in rows if (row["dataset"], row["protocol"], row["shots"]) == key]
        known = {
            "dataset",
            "protocol",
            "shots",
            "method",
            "seeds",
            "hm",
            "published",
            "seconds_per_image",
            "peak_mb",
            "trainable",
            "flags",
        }
        tests = [name for name in own[0] if name not in known]
        hm = key[1] == "base2novel"
        head = [
            "method",
            *tests,
            *(["HM", "published base / novel / HM (11 sets, ViT-B/16)"] if hm else []),
            "trainable",
            "ms / image",
            "peak MB",
            "seeds",
            "flags",
        ]
        lines = [f"### {key[0]}, {key[1]}, {key[2]} shots", "", _line(head), _line(["---"] * len(head))]
        for row in own:
            cells = [row["method"], *(_cell(row[name]) for name in tests)]
            if hm:
                cells += [
                    f"{row['hm']:.2f}" if "hm" in row else "-",
                    " / ".join(f"{x:.2f}" for x in row.get("published", ())) or "-",
                ]
            cells += [
                f"{row['trainable']:,}",
                f"{1000 * row['seconds_per_image']:.1f}",
                f"{row['peak_mb']:.0f}",
                str(row["seeds"]),
                row["flags"] or "-",
            ]
            lines.append(_line(cells))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _cell(value: tuple[float, float] | None) -> str:
    return "-" if value is None else f"{value[0]:.2f} ± {value[1]:.2f}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
