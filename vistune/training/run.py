"""`train`: run a recipe's stages into a run folder, resumable at any instant.

run.yaml         the resolved recipe
manifest.json    versions, revision, data and their hashes
logs/STAGE.jsonl one line a step           state/STAGE/   what resuming needs
STAGE/           the checkpoint after each stage          loss.png
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from vistune.data.manifest import manifest as data_manifest
from vistune.data.samples import Samples, read
from vistune.errors import InputError
from vistune.files import alone, atomic_open, read_json, write_json
from vistune.model.answering.opening import Model, assemble
from vistune.model.weights import checkpoint
from vistune.recipe import Recipe, Stage, load_recipe
from vistune.training.distributed import Parallel, Ranks, joined, place
from vistune.training.kinds import check_stage
from vistune.training.loop import Paths, train_stage
from vistune.training.plot import plot_losses
from vistune.training.provenance import manifest
from vistune.training.selection import fingerprint, select, table
from vistune.training.steps.precision import Precision, resolve
from vistune.trust import trusting


def train(
    recipe: Recipe | str,
    out: str | Path,
    data: str | None = None,
    precision: Precision = "auto",
    save_every: int = 200,
    report: bool = True,
    parallel: Parallel = "ddp",
    trust: Sequence[str] = (),
) -> Path:
    """Train `recipe` (a recipe, a shipped one's name, or a run file) into `out`; returns the last stage's checkpoint folder.

    `data` replaces the last stage's data. Called again with the same recipe it continues where it stopped; with another
    recipe in the same folder, or with data that changed since, it raises `InputError`. Under a launcher each process calls it;
    `parallel` says whether the model lies on each whole (`ddp`) or cut in shares (`fsdp`), and changes no number. `trust` names
    packages whose classes the recipe, and the files it leads to, may ask for.
    """
    with trusting(trust), joined(parallel) as ranks:
        with ranks.together():
            recipe = _resolved(recipe, data)
            sources = [_source(stage) for stage in recipe.stages]  # refused before anything is loaded or written
        with ranks.together():
            model, owned = _assembled(recipe, ranks)  # a typo in the model must not make the folder another recipe's
        ranks.decide(lambda: _claim(Path(out), recipe))
        with ExitStack() as held:
            ranks.decide(lambda: held.enter_context(alone(Path(out))))
            return _stages(recipe, model, owned, sources, Path(out), precision, save_every, report, ranks)


def _assembled(recipe: Recipe, ranks: Ranks) -> tuple[Model, list[set[str]]]:
    """The model, and of each stage the units of checkpoints that it trains; all that a recipe can have wrong is found here."""
    torch.manual_seed(recipe.seed)
    model = assemble(recipe.model)
    for stage in recipe.stages:
        check_stage(model, stage, ranks)
    return model, [
        checkpoint.units(model, select(model, stage.train, f"stage {stage.name!r}").names) for stage in recipe.stages
    ]


def _stages(
    recipe: Recipe,
    model: Model,
    owned: list[set[str]],
    sources: list[Samples],
    out: Path,
    precision: Precision,
    save_every: int,
    report: bool,
    ranks: Ranks,
) -> Path:
    begun = {"precision": resolve(precision, ranks.device), "weights": content_of(fingerprint(model))}
    place(model, ranks, resolve(precision, ranks.device))
    ranks.decide(lambda: _record(out, recipe, begun))
    # Parts without pretrained weights (connector, fusion, heads) are saved even if no stage trains them.
    trained = checkpoint.random_parts(model)
    for stage, samples, units in zip(recipe.stages, sources, owned, strict=True):
        folder = out / stage.name
        trained |= units
        if ranks.decide((folder / checkpoint.CONFIG).exists):
            with ranks.together():
                checkpoint.load_into(model, folder / checkpoint.WEIGHTS, trained)
            continue
        if report and ranks.first:
            select(model, stage.train, f"stage {stage.name!r}")  # the table shows what is switched on
            print(describe(model, stage.name, stage.train))
        paths = Paths(out / "logs" / f"{stage.name}.jsonl", out / "state" / stage.name, out / "features")
        train_stage(model, samples, stage, paths, recipe.seed, precision, save_every, ranks)
        checkpoint.save(model, folder, trained, ranks.first)
        if ranks.first:
            shutil.rmtree(paths.state, ignore_errors=True)
    if ranks.first:
        plot_losses([(stage.name, out / "logs" / f"{stage.name}.jsonl") for stage in recipe.stages], out / "loss.png")
    ranks.gather(None)  # nobody leaves before everything is written
    return out / recipe.stages[-1].name


def _resolved(recipe: Recipe | str, data: str | None) -> Recipe:
    recipe = load_recipe(recipe) if isinstance(recipe, str) else recipe
    if data is None:
        return recipe
    return replace(recipe, stages=(*recipe.stages[:-1], replace(recipe.stages[-1], data=data)))


def _source(stage: Stage) -> Samples:
    samples = read(stage.data)
    if not len(samples):
        raise InputError(f"stage {stage.name!r}: {stage.data} has no samples")
    return samples


def describe(model: Model, name: str, patterns: Mapping[str, float]) -> str:
    """The table of what a stage trains, for people."""
    lines = [f"stage {name}", f"  {'part':<12}{'parameters':>14}{'trained':>14}  learning rate"]
    for part, total, trained, rates in table(model, patterns):
        lines.append(f"  {part:<12}{total:>14,}{trained:>14,}  {rates if trained else 'frozen'}")
    return "\n".join(lines)


def content_of(sums: Mapping[str, int]) -> str:
    """One hash of the weights a run begins from: backbones that were replaced since give another."""
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def _record(out: Path, recipe: Recipe, begun: Mapping[str, str]) -> None:
    """Write the manifest, or find in it what unfinished stages began with: data (a place in other data is another place), the
    precision, and the weights before the first step.
    """
    file = out / "manifest.json"
    if not file.exists():
        write_json(file, {**manifest(recipe), **begun})
        return
    kept = read_json(file)
    finished = all((out / stage.name / checkpoint.CONFIG).exists() for stage in recipe.stages)
    for name, held in () if finished else begun.items():
        if kept.get(name) != held:
            hint = f" (--precision {kept.get(name)})" if name == "precision" else ", of which backbones are part,"
            raise InputError(
                f"the {name}{hint} of the run is not what it was when {out} was begun: put it back, or choose another --out"
            )
    for stage, before in zip(recipe.stages, kept["stages"], strict=True):
        if (out / stage.name / checkpoint.CONFIG).exists():
            continue  # finished: its data may be gone, and need not be read again
        now = data_manifest(stage.data)
        files = [path for path in {**before["files"], **now["files"]} if _hash(before, path) != _hash(now, path)]
        if files or before["samples"] != now["samples"]:
            raise InputError(
                f"stage {stage.name!r}: {files[0] if files else 'its data'} is not what it was when {out} was begun "
                f"({before['samples']} samples, now {now['samples']}): put it back, or choose another --out"
            )


def _hash(data: Mapping[str, Any], path: str) -> str | None:
    """That of a file. A folder's listing is no reason to stop: run folders and indexes may lie in it."""
    found: str | None = data["files"].get(path, {}).get("sha256")
    return found


def _claim(out: Path, recipe: Recipe) -> None:
    """Make the run folder ours, or find it ours already."""
    file, text = out / "run.yaml", recipe.to_yaml()
    if file.exists():
        if file.read_text(encoding="utf-8") != text:
            raise InputError(f"{out} holds a run of another recipe: choose another --out, or remove it")
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not empty and holds no run: choose another --out")
    try:
        with atomic_open(file) as handle:
            handle.write(text)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
