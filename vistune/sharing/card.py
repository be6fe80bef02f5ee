"""The model card, written from the run: no sentence in it that is not configured or computed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vistune.data.catalogue import find
from vistune.errors import InputError
from vistune.evals.reports.report import collect
from vistune.files import dump_yaml, parse_yaml
from vistune.training.measuring.record import best_line, watched
from vistune.training.report.recorded import Run


def card(checkpoint: Path, exported: bool, results: Sequence[Path] = ()) -> str:
    """README.md of a pushed checkpoint: front matter, recipe, what trained, data, what was measured, how to load it.

    `exported` says that the folder is one that `transformers` loads; `results` are folders of `vistune eval`.
    """
    run = _run_of(checkpoint)
    name = checkpoint.resolve().parent.name if run is not None else checkpoint.resolve().name
    config = parse_yaml((checkpoint / "vistune.yaml").read_text(encoding="utf-8"), str(checkpoint / "vistune.yaml"))
    parts = [_front(config["model"], exported), f"# {name}\n"]
    if run is not None:
        parts += [_recipe(run, checkpoint.name), _data(run), _measured(run, checkpoint.name)]
    parts += [_evaluated(results), _loading(exported)]
    return "\n".join(part for part in parts if part)


def _run_of(checkpoint: Path) -> Run | None:
    """The run that the checkpoint is a stage of."""
    folder = checkpoint.resolve().parent
    return Run.read(folder) if (folder / "run.yaml").is_file() else None


def _front(model: Mapping[str, Any], exported: bool) -> str:
    """Metadata that hubs read."""
    bases = [str(place) for place in _places(model) if not str(place).startswith(("builtin:", "checkpoint:", "/", "."))]
    head: dict[str, Any] = {"library_name": "transformers" if exported else "vistune", "pipeline_tag": "image-text-to-text"}
    head |= {"tags": ["vistune"]} | ({"base_model": bases} if bases else {})
    return f"---\n{dump_yaml(head, sort_keys=False)}---\n"


def _places(value: Any, key: str = "") -> list[str]:
    if isinstance(value, Mapping):
        return [place for name, inner in value.items() for place in _places(inner, name)]
    return [value] if isinstance(value, str) and key in ("llm", "native", "path") else []


def _recipe(run: Run, last: str) -> str:
    recipe = run.recipe
    names = [stage["name"] for stage in recipe["stages"]]
    until = names.index(last.removesuffix("-best")) + 1 if last.removesuffix("-best") in names else len(names)
    paper = f" ({recipe['paper']})" if recipe.get("paper") else ""
    lines = [f"Trained with the recipe `{recipe['name']}`{paper} of vistune, seed {recipe.get('seed')}.\n", "## What trained\n"]
    lines += ["| stage | parts and learning rates | batch | steps | final loss |", "|---|---|---:|---:|---:|"]
    for stage in recipe["stages"][:until]:
        steps = run.steps.get(stage["name"], [])
        rates = ", ".join(f"`{pattern}` {rate:g}" for pattern, rate in stage["train"].items())
        ends = f"{steps[-1]['step']} | {steps[-1]['loss']:.4f}" if steps else "| "
        lines.append(f"| {stage['name']} | {rates} | {stage['batch']} | {ends} |")
    lines += ["", "```yaml", dump_yaml({"model": recipe["model"]}, sort_keys=False, allow_unicode=True).strip(), "```\n"]
    if recipe.get("deviations"):
        lines += ["Deviations from the paper:\n", *(f"- {line}" for line in recipe["deviations"]), ""]
    return "\n".join(lines)


def _data(run: Run) -> str:
    entries = run.manifest.get("stages", [])
    if not entries:
        return ""
    lines = ["## Data\n", "| stage | data | samples | licence | SHA-256 of its files |", "|---|---|---:|---|---|"]
    for entry in entries:
        spec = entry.get("spec", {})
        hashes = [
            str(state.get("sha256") or state.get("names_and_sizes_sha256"))[:12] for state in entry.get("files", {}).values()
        ]
        shown = json.dumps({key: value for key, value in spec.items() if key != "path"} | _short(spec), ensure_ascii=False)
        lines.append(
            f"| {entry['stage']} | `{shown}` | {entry.get('samples')} | {_licence(spec)} | {', '.join(hashes) or 'generated'} |"
        )
    return "\n".join([*lines, ""])


def _short(spec: Mapping[str, Any]) -> dict[str, str]:
    """A file by its name: whose machine it lay on is nobody's concern."""
    return {"path": Path(str(spec["path"])).name} if spec.get("path") else {}


def _licence(spec: Mapping[str, Any]) -> str:
    """Of data that is in the catalogue, its licence there."""
    if spec.get("kind") != "catalogue":
        return "not recorded"
    try:
        return find(str(spec.get("name"))).licence
    except InputError:
        return "not recorded"


def _measured(run: Run, last: str) -> str:
    lines = run.measured.get(last.removesuffix("-best"), [])
    if not lines:
        return ""
    step = max(line["step"] for line in lines)
    if last.endswith("-best"):
        stage = next(stage for stage in run.recipe["stages"] if stage["name"] == last.removesuffix("-best"))
        best = best_line(lines, *watched(lines, stage.get("best")))
        step = step if best is None else best["step"]
    rows = [
        f"| {line['name']} | {metric} | {value:.4g} | {line['n']} |"
        for line in lines
        if line["step"] == step
        for metric, value in line["values"].items()
    ]
    return "\n".join(
        [
            f"## Measured on held-out data, behind step {step}\n",
            "| data | metric | value | samples |",
            "|---|---|---:|---:|",
            *rows,
            "",
        ]
    )


def _evaluated(folders: Sequence[Path]) -> str:
    """Results of `vistune eval`, with their intervals."""
    if not folders:
        return ""
    rows = []
    for entry in collect(folders):
        interval = "{:.2f} to {:.2f}".format(*entry.interval) if entry.interval else "not given"
        number = f"{entry.value:.2f} {entry.record.get('unit', '')}".strip()
        counted = entry.record.get("n")
        rows.append(f"| {entry.benchmark} | {entry.name} | {number} | {interval} | {entry.record['rule']} | {counted} |")
    head = ["## Benchmarks\n", "| benchmark | number | value | 95 % interval | rule | samples |", "|---|---|---:|---|---|---:|"]
    return "\n".join([*head, *rows, ""])


def _loading(exported: bool) -> str:
    lines = [
        "## Loading\n",
        "```python",
        "import vistune",
        f'model = vistune.load("{"vistune" if exported else "."}")  # in this folder',
        "```\n",
    ]
    if exported:
        lines += [
            "```python",
            "from transformers import AutoModelForImageTextToText, AutoProcessor",
            'model = AutoModelForImageTextToText.from_pretrained(".")  # in this folder',
            'processor = AutoProcessor.from_pretrained(".", backend="pil")',
            "```\n",
            "```sh",
            "vllm serve .",
            "```\n",
        ]
    return "\n".join(lines)
