"""`train`: run a recipe's stages into a run folder, resumable at any instant.

run.yaml         the resolved recipe
manifest.json    versions, revision, data and their hashes
logs/STAGE.jsonl one line a step           state/STAGE/   what resuming needs
logs/STAGE.eval.jsonl, STAGE.gallery.html  what was measured on the way; STAGE-best/ its best
STAGE/           the checkpoint after each stage          loss.png, report.html
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from vistune.data.samples import Samples, read
from vistune.errors import InputError, nearest
from vistune.files import alone
from vistune.model.answering.opening import Model
from vistune.model.part import begun_at_random
from vistune.model.weights import checkpoint
from vistune.recipe import Recipe, Stage, load_recipe
from vistune.training.beginning.claim import ACCEPTED, claim, finished, record
from vistune.training.beginning.first_look import first_look
from vistune.training.beginning.start import begun_model
from vistune.training.distributed import ALONE, Parallel, Ranks, joined, place
from vistune.training.kinds import check_stage, encoding
from vistune.training.loop import Paths, stage_steps, train_stage
from vistune.training.measuring.evaluation import Measurement
from vistune.training.measuring.settings import evaluations_of
from vistune.training.plot import plot_losses
from vistune.training.report.page import write_report
from vistune.training.selection import Selection, fingerprint, select, table
from vistune.training.steps.precision import Precision, resolve
from vistune.training.tracking import Track, check_trackers, tracking, untracked
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
    accept: Sequence[str] = (),
    trackers: Sequence[str] = (),
) -> Path:
    """Train `recipe` (a recipe, a shipped one's name, or a run file) into `out`; returns the last stage's checkpoint folder.

    `data` replaces the last stage's data. Called again with the same recipe it continues where it stopped; with another
    recipe in the same folder, or with data that changed since, it raises `InputError`. Under a launcher each process calls it;
    `parallel` says whether the model lies on each whole (`ddp`) or cut in shares (`fsdp`), and changes no number. `trust` names
    packages whose classes the recipe, and the files it leads to, may ask for. `accept` names what may be another than when the
    run was begun: data, weights, precision, device, versions. `trackers` names where its numbers go beside the log.
    """
    check_trackers(trackers)
    if strange := [name for name in accept if name not in ACCEPTED]:
        raise InputError(f"accept names {strange[0]!r}{nearest(strange[0], list(ACCEPTED))}")
    with trusting(trust), joined(parallel) as ranks:
        with ranks.together():
            recipe = _resolved(recipe, data)
            sources = [_source(stage) for stage in recipe.stages]  # refused before anything is loaded or written
        with ranks.together():
            model, owned, before = _assembled(recipe, ranks)  # a typo in the model must not make the folder another recipe's
        _looked_at(recipe, model, sources, Path(out), ranks)
        ranks.decide(lambda: claim(Path(out), recipe))
        with ExitStack() as held:
            ranks.decide(lambda: held.enter_context(alone(Path(out))))
            track = held.enter_context(tracking(trackers if ranks.first else (), Path(out), recipe.to_json()))
            return _stages(
                recipe, model, owned, before, sources, Path(out), precision, save_every, report, ranks, accept, track
            )


def check(recipe: Recipe | str, out: str | Path, data: str | None = None) -> str:
    """All that `train` looks at before it trains; writes nothing, and returns the tables of what each stage would train.

    Raises `InputError` as `train` does.
    """
    recipe = _resolved(recipe, data)
    sources = [_source(stage) for stage in recipe.stages]
    model, _, _ = _assembled(recipe, ALONE)
    _looked_at(recipe, model, sources, Path(out), ALONE)
    tables = []
    for stage, samples in zip(recipe.stages, sources, strict=True):
        tables.append(describe(model, stage.name, select(model, stage.train, f"stage {stage.name!r}")))
        tables.append(f"  {stage_steps(stage, len(samples)):,} steps of {stage.batch} over {len(samples):,} samples")
    return "\n".join([*tables, "nothing is wrong; the same command without --check trains"])


def _assembled(recipe: Recipe, ranks: Ranks) -> tuple[Model, list[set[str]], set[str]]:
    """The model, of each stage the units of checkpoints that it trains, and those that the model it starts from holds.

    All that a recipe can have wrong is found here.
    """
    # Parts that begin at random are drawn while the model is built, in the order of its children.
    torch.manual_seed(recipe.seed)
    model, held = begun_model(recipe)
    for stage in recipe.stages:
        check_stage(model, stage, ranks)
    trained = [select(model, stage.train, f"stage {stage.name!r}").names for stage in recipe.stages]
    return model, [checkpoint.units(model, names) for names in trained], held


def _looked_at(recipe: Recipe, model: Model, sources: list[Samples], out: Path, ranks: Ranks) -> None:
    """Every stage's first samples, rendered and prepared: wrong data of the last stage is found before the first one trains."""
    for stage, samples in zip(recipe.stages, sources, strict=True):
        if not finished(out, stage):
            with ranks.together(), encoding(model, stage):
                first_look(model, samples, stage, recipe.seed)
                for told in evaluations_of(stage):
                    Measurement(told, stage)


def _stages(
    recipe: Recipe,
    model: Model,
    owned: list[set[str]],
    before: set[str],
    sources: list[Samples],
    out: Path,
    precision: Precision,
    save_every: int,
    report: bool,
    ranks: Ranks,
    accept: Sequence[str],
    track: Track = untracked,
) -> Path:
    # Fingerprinted before the model is cut or moved, so that one process and many record the same hash.
    begun = {"precision": resolve(precision, ranks.device), "weights": content_of(fingerprint(model))}
    begun["device"] = ranks.device.type
    place(model, ranks, resolve(precision, ranks.device))
    ranks.decide(lambda: record(out, recipe, begun, accept))
    # Parts that no other file holds are saved even if no stage trains them: a connector, what was trained before.
    trained = begun_at_random(model) | before
    for stage, samples, units in zip(recipe.stages, sources, owned, strict=True):
        folder = out / stage.name
        trained |= units
        if ranks.decide(lambda stage=stage: finished(out, stage)):  # type: ignore[misc]
            with ranks.together():
                # A finished stage is loaded, not trained again: its checkpoint holds everything that was trained up to there.
                checkpoint.load_into(model, folder / checkpoint.WEIGHTS, trained)
            continue
        if report and ranks.first:
            print(describe(model, stage.name, select(model, stage.train, f"stage {stage.name!r}")))
        paths = Paths(out / "logs" / f"{stage.name}.jsonl", out / "state" / stage.name, out / "features")
        with encoding(model, stage):
            train_stage(
                model,
                samples,
                stage,
                paths,
                recipe.seed,
                precision,
                save_every,
                ranks,
                partial(_keep, out, model, stage, trained, ranks),
                track,
            )
        checkpoint.save(model, folder, trained, ranks.first)
        if ranks.first:
            # Only now: until the checkpoint is written, the states are all there is to resume from.
            shutil.rmtree(paths.state, ignore_errors=True)
    if ranks.first:
        write_report(out)
        plot_losses([(stage.name, out / "logs" / f"{stage.name}.jsonl") for stage in recipe.stages], out / "loss.png")
    ranks.gather(None)  # nobody leaves before everything is written
    return out / recipe.stages[-1].name


def _keep(out: Path, model: Model, stage: Stage, trained: set[str], ranks: Ranks) -> None:
    """Write the model as it is now as the stage's best."""
    checkpoint.save(model, out / f"{stage.name}-best", trained, ranks.first)


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


def describe(model: Model, name: str, selection: Selection) -> str:
    """The table of what a stage trains, for people."""
    lines = [f"stage {name}", f"  {'part':<12}{'parameters':>14}{'trained':>14}  learning rate"]
    for part, total, trained, rates in table(model, selection):
        lines.append(f"  {part:<12}{total:>14,}{trained:>14,}  {rates if trained else 'frozen'}")
    return "\n".join(lines)


def content_of(sums: Mapping[str, int]) -> str:
    """One hash of the weights a run begins from: backbones that were replaced since give another."""
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()
