"""The training loop of one stage.

    for each step:  the next `batch` samples, in seeded order
                    packed `micro` at a time -> forward -> summed losses / the whole step's counts -> backward
                    clip, step, log, now and then save

A loss of the text is counted in supervised tokens, that of a mask head in masks. Dividing by the counts of the whole step makes
gradient accumulation exact: 4 x 8 samples give the gradient of 1 x 32, on one process and on many.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.model.answering.opening import Model
from vistune.model.weights import sharding
from vistune.model.weights.checkpoint import units
from vistune.model.weights.sharding import whole
from vistune.recipe import Stage
from vistune.training.beginning.claim import trained_how
from vistune.training.caching import caching
from vistune.training.distributed import ALONE, Ranks
from vistune.training.log import Log, Meter
from vistune.training.measuring.record import Measurements
from vistune.training.objectives import stage_losses, stage_work
from vistune.training.selection import fingerprint, select
from vistune.training.state import load_state, save_state
from vistune.training.steps.losses import loss_weights
from vistune.training.steps.optimizers import optimizer_of
from vistune.training.steps.precision import Precision, autocast, resolve
from vistune.training.steps.preparing import prepared
from vistune.training.steps.recompute import recomputing
from vistune.training.steps.rounds import counted, evened
from vistune.training.steps.shares import shares_of
from vistune.training.steps.summing import GradientSums
from vistune.training.steps.work import Work
from vistune.training.stopping import stopping
from vistune.training.telling import telling
from vistune.training.tracking import Track, untracked


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a stage keeps its log and its states, and its features where it names no other folder."""

    log: Path
    state: Path
    features: Path


def stage_steps(stage: Stage, size: int) -> int:
    """How many optimizer steps a stage takes over `size` samples."""
    return stage.steps or max(1, math.ceil(stage.epochs * size / stage.batch))


def schedule(step: int, steps: int, warmup: float) -> float:
    """Factor on the learning rate: linear warm-up over a share of the steps, then half a cosine to zero."""
    first = max(1, round(warmup * steps))
    if step < first:
        return (step + 1) / first
    return 0.5 * (1 + math.cos(math.pi * (step - first) / max(1, steps - first)))


def train_stage(
    model: Model,
    samples: Samples,
    stage: Stage,
    paths: Paths,
    seed: int,
    precision: Precision = "auto",
    save_every: int = 200,
    ranks: Ranks = ALONE,
    keep: Callable[[], None] = lambda: None,
    track: Track = untracked,
) -> None:
    """Train one stage in place, resuming from its last state. Of several processes each calls it, with its own `ranks`.

    `keep` is called where a measurement is the best so far and the stage keeps the best; `track` is given the log's numbers.
    Raises `InputError` for a batch smaller than the number of processes, and when the loss, the gradient or a weight that is to
    be kept is not finite; `RuntimeError` when a frozen parameter changed, and when a trained part that samples reached did not.
    A part that none reached (a connector in a stage of text alone), and turns that did not fit, are named at the end.
    """
    if stage.batch < ranks.size:
        raise InputError(f"stage {stage.name!r}: batch is {stage.batch}, expected at least {ranks.size}, one for each process")
    selection = select(model, stage.train, f"stage {stage.name!r}")
    selection.switch_on(model)
    # Taken before a state is loaded: trained parameters may differ from it, frozen ones must not, through all resumes.
    before = fingerprint(model)
    parts = units(model, selection.names)
    weights = loss_weights(model, stage)
    steps = stage_steps(stage, len(samples))
    optimizer = optimizer_of(model, selection.groups, stage, ranks)
    parameters = [parameter for group in selection.groups.values() for parameter in group]
    sums = GradientSums(parameters, ranks)
    context = resolve(precision, model.device)
    # Counting operations runs parts once, which may draw random numbers: a resumed run then goes on with those of its state.
    meter = Meter(model, context, ranks.sharded or stage.preference is not None)
    objective = stage_losses(model, samples, stage, selection.names, seed, steps, paths.state, precision, ranks)
    # A state is only good for the same stage, data order and optimizer; its name says so and `load_state` compares.
    of = trained_how(stage, seed)
    first = load_state(paths.state, model, parts, optimizer, ranks, of)
    log = Log(paths.log if ranks.first else Path(os.devnull), first, meter, track)
    # Frozen parts as well: dropout inside a frozen language model is part of LoRA's recipes.
    model.train()

    def make(first: int, steps: int) -> Iterator[Work[Any]]:
        return stage_work(model, samples, stage, seed, first, steps, ranks, shares)

    # Parts whose parameters have had no gradient yet; in a stage of text alone a connector may rightly stay as it is.
    unreached = {part: _of_part(model, selection.names, part) for part in {name.split(".")[0] for name in selection.names}}
    features = caching(model, samples, stage, steps, paths.features, context, ranks.sharded, ranks.first)
    recompute = recomputing(model, stage.recompute, f"stage {stage.name!r}")
    speaking = telling(stage.name, first, steps, ranks.first)
    with recompute, features, stopping() as stop, speaking as teller:
        shares = shares_of(model, samples, stage, seed, steps, ranks, paths.log.with_suffix(".costs.npy"))
        ahead = prepared(make, first, steps, stage.workers)
        work = counted(iter(ahead), ranks)
        if ranks.sharded:
            work = evened(work, ranks, model)
        measured = Measurements(stage, paths.log, first, steps, precision, ranks, keep, teller.say, track)
        tired = measured.behind(model, first)
        for step, todo in enumerate(() if tired else work, first):
            began = time.perf_counter()
            factor = schedule(step, steps, stage.warmup)
            for group in optimizer.param_groups:
                group["lr"] = group["rate"] * factor
            # None, not zero: an optimizer skips what no sample reached, where zeros would still let momentum and weight decay
            # move it.
            optimizer.zero_grad(set_to_none=True)
            ranks.seed(seed, step)
            loss = 0.0
            for number, batch in enumerate(todo.batches, 1):
                with autocast(context, model.device):
                    losses = objective.of(batch)
                # Divided by the count of the whole step on all ranks, so the gradient does not depend on how samples fell
                # into rows and ranks.
                weighted = [weights[name] * each.sum / todo.counts[each.of] for name, each in losses.items()]
                share = torch.stack(weighted).sum()
                share = share if batch.supervised else share * 0  # a filler
                if share.requires_grad:  # a row without pictures teaches a connector nothing
                    with sums.going(last=number == len(todo.batches)):
                        share.backward()
                loss += share.item()
            shares_of_all = ranks.gather((loss, stop.asked, objective.taken()))
            # A signal may reach one process only; all must stop at the same step, or the rest waits in a collective for ever.
            loss, asked = sum(part[0] for part in shares_of_all), max(part[1] for part in shares_of_all)
            noted = {name: sum(part[2][name] for part in shares_of_all) / todo.samples for name in shares_of_all[0][2]}
            _check_finite(loss, "the loss", stage, step)
            unreached = {part: own for part, own in unreached.items() if not any(map(_moved, own))}
            sums.finish()
            # After `sums.finish`: the norm must be that of the summed gradient, which every rank then clips alike.
            norm = float(whole(torch.nn.utils.clip_grad_norm_(parameters, stage.clip)))
            # Before the optimizer's step, so that a bad gradient reaches neither weights nor moments.
            _check_finite(norm, "the norm of the gradients", stage, step)
            optimizer.step()
            log.add(step + 1, steps, loss, norm, factor, todo, time.perf_counter() - began, ahead.waited, noted)
            teller.step(step + 1, loss, max(stage.train.values()) * factor, todo.tokens)
            last = step + 1 == steps
            tired = not asked and measured.behind(model, step + 1)
            # The last step writes no state: the checkpoint that follows takes its place.
            due = asked or (step + 1) % save_every == 0
            if last or due or tired:
                with ranks.together():  # nothing could be gone on from such a state
                    _check_weights(model, stage, step)
            if due and not last:
                save_state(paths.state, step + 1, model, parts, optimizer, ranks, of)
            if tired and not last:
                teller.say(f"step {step + 1}/{steps}: no better for {stage.patience} measurements, so it ends here")
                break
            if asked and not last:
                raise stop.stopped(f"stage {stage.name!r}: step {step + 1} of {steps}", asked)
        if asked := max(ranks.gather(stop.asked)):
            save_state(paths.state, steps, model, parts, optimizer, ranks, of)
            raise stop.stopped(f"stage {stage.name!r}: step {steps} of {steps}", asked)
    log.close()
    if first < steps:
        alone = check_changes(model, before, selection.names, stage, ranks, frozenset(unreached))
        if ranks.first:
            notes = [log.dropped, *(f"no sample reached {part}, which stays as it was" for part in alone)]
            for note in filter(None, notes):
                print(f"stage {stage.name}: {note}", file=sys.stderr)


def _of_part(model: Model, trained: frozenset[str], part: str) -> list[torch.nn.Parameter]:
    return [own for name, own in model.named_parameters() if name in trained and name.split(".")[0] == part]


def _moved(parameter: torch.nn.Parameter) -> bool:
    """Has a gradient that would change it come to this parameter, or to this process's share of it?"""
    return parameter.grad is not None and bool(sharding.local(parameter.grad).any())


def _check_finite(value: float, what: str, stage: Stage, step: int) -> None:
    if not math.isfinite(value):
        raise InputError(
            f"stage {stage.name!r}: {what} is {value} at step {step + 1}: lower the learning rates or raise warmup"
        )


def _check_weights(model: Model, stage: Stage, step: int) -> None:
    """This process's shares of what is trained, which may be empty; what is frozen is as it was given."""
    for name, parameter in model.named_parameters():
        held = sharding.local(parameter.detach())
        if parameter.requires_grad and held.numel():
            _check_finite(float(held.abs().max()), f"the largest weight of {name}", stage, step)


def check_changes(
    model: Model,
    before: dict[str, int],
    trained: frozenset[str],
    stage: Stage,
    ranks: Ranks = ALONE,
    unreached: frozenset[str] = frozenset(),
) -> list[str]:
    """Frozen parameters are bit-equal to what they were; of each trained part that a sample reached at least one is not.

    `unreached` are parts to which no gradient came on this process. Returns those of all processes that stayed as they were.
    """
    after = fingerprint(model)
    changed = set().union(*ranks.gather({name for name, value in after.items() if before[name] != value}))
    # Exact, by bits: what is frozen must not move even by rounding (a tied weight, a buffer that a library updates).
    touched = sorted(changed - trained)
    if touched:
        raise RuntimeError(f"stage {stage.name!r}: {touched[0]} is frozen but changed")
    alone = frozenset.intersection(*ranks.gather(unreached))
    still = [
        part
        for part in sorted({name.split(".")[0] for name in trained})
        if not any(name.startswith(part + ".") for name in changed)
    ]
    for part in still:
        if part not in alone:
            raise RuntimeError(f"stage {stage.name!r}: {part} should have been trained but did not change")
    return still
