"""What each idea of the training path brings: the path as it is, and with one idea at a time switched off.

    ours                 packed rows, attention by sample, vocabulary at supervised tokens, work ahead, kept features
    padding              a batch padded to its longest sample, with a dense mask
    full projection      the vocabulary at every token
    dense block mask     packed rows, one attention over the whole row with a mask
    no prefetch          work prepared between the steps
    no cache             the frozen encoder runs on every picture

All see the same weights (no step is taken) and the same samples in the same order; variants are interleaved, medians are told,
and each variant's losses are compared with ours. Forward and backward pass and whatever is waited for count. On a machine
that others use, seconds of the processor (which leave out waiting) say more than those of the clock.

    python benchmarks/packing_ablation.py --recipe llava_1_5 --batch 16 --steps 2 --repeats 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vistune.data.samples import read
from vistune.model.packing import Batch
from vistune.model.vlm import VisionLanguageModel
from vistune.nano import nano
from vistune.prompt.render import IGNORE
from vistune.recipe import load_recipe
from vistune.training.caching import cache_of
from vistune.training.selection import select
from vistune.training.steps.preparing import prepared
from vistune.training.steps.work import Work, work_of_steps

Forward = Callable[[VisionLanguageModel, Batch], Tensor]


def ours(model: VisionLanguageModel, batch: Batch) -> Tensor:
    """The summed loss as training computes it."""
    return model(batch)["text"].sum


def full_projection(model: VisionLanguageModel, batch: Batch) -> Tensor:
    """Logits of every token."""
    scores = model.llm.logits(model.hidden(batch)).float()
    return F.cross_entropy(scores[:-1], batch.labels[1:], ignore_index=IGNORE, reduction="sum")


def padding(model: VisionLanguageModel, batch: Batch) -> Tensor:
    """Samples as rows of a padded batch; a dense mask hides what comes later and what is padding."""
    inputs = model.inputs(batch)
    embeds = pad_sequence(list(inputs.embeds.split(batch.lengths)), batch_first=True)
    places = torch.arange(embeds.shape[1])
    mask = (places[:, None] >= places) & (places < torch.tensor(batch.lengths)[:, None, None])
    states = _decode(model, embeds, places.expand(len(embeds), -1), mask[:, None])
    kept = torch.cat([row[:length] for row, length in zip(states, batch.lengths, strict=True)])
    return model.llm.loss_sum(kept, batch.labels)


def dense_block_mask(model: VisionLanguageModel, batch: Batch) -> Tensor:
    """One attention over the packed row; a dense mask keeps samples apart."""
    inputs = model.inputs(batch)
    sample = torch.arange(len(batch.lengths)).repeat_interleave(torch.tensor(batch.lengths))
    places = torch.arange(len(sample))
    mask = (sample[:, None] == sample) & (places[:, None] >= places)
    states = _decode(model, inputs.embeds[None], inputs.positions[None], mask[None, None])
    return model.llm.loss_sum(states[0], batch.labels)


def _decode(model: VisionLanguageModel, embeds: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
    output = model.llm.model.base_model(
        inputs_embeds=embeds, position_ids=positions, attention_mask=mask, use_cache=False, lengths=None
    )
    states: Tensor = output.last_hidden_state
    return states


# name -> forward pass, prefetch, cache
VARIANTS: dict[str, tuple[Forward, bool, bool]] = {
    "ours": (ours, True, True),
    "padding": (padding, True, True),
    "full projection": (full_projection, True, True),
    "dense block mask": (dense_block_mask, True, True),
    "no prefetch": (ours, False, True),
    "no cache": (ours, True, False),
}


def measure(model: VisionLanguageModel, forward: Forward, works: Iterator[Work]) -> tuple[float, float, list[float]]:
    """Seconds of all steps by the clock and of the processor, and each step's loss."""
    losses = []
    began, used = time.perf_counter(), time.process_time()
    for work in works:
        model.zero_grad(set_to_none=True)
        loss = 0.0
        for batch in work.batches:
            share = forward(model, batch) / work.supervised
            share.backward()
            loss += share.item()
        losses.append(loss)
    return time.perf_counter() - began, time.process_time() - used, losses


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="llava_1_5")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    recipe = nano(load_recipe(options.recipe))
    torch.manual_seed(0)
    model = VisionLanguageModel(recipe.model)
    stage = replace(recipe.stages[-1], batch=options.batch)
    samples = read(stage.data)
    select(model, stage.train, "benchmark").switch_on(model)

    def make(first: int, steps: int) -> Iterator[Work]:
        return work_of_steps(model, samples, stage, recipe.seed, first, steps)

    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    processor: dict[str, list[float]] = {name: [] for name in VARIANTS}
    losses: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        cache = cache_of(model, "image", "encoder", Path(folder), "fp32")
        for repeat in range(-1, options.repeats):  # the first round warms up and fills the cache
            for name, (forward, ahead, kept) in VARIANTS.items():
                model.chains["image"].cache = cache if kept else None
                works = iter(prepared(make, 0, options.steps, 0)) if ahead else make(0, options.steps)
                taken, used, losses[name] = measure(model, forward, works)
                if repeat >= 0:
                    seconds[name].append(taken / options.steps)
                    processor[name].append(used / options.steps)
    base = statistics.median(seconds["ours"])
    rows = [
        {
            "variant": name,
            "seconds_per_step": statistics.median(taken),
            "times_ours": statistics.median(taken) / base,
            "processor_seconds": statistics.median(processor[name]),
            "processor_times_ours": statistics.median(processor[name]) / statistics.median(processor["ours"]),
            "largest_loss_difference": max(abs(one - other) for one, other in zip(losses[name], losses["ours"], strict=True)),
        }
        for name, taken in seconds.items()
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'variant':<18}{'s/step':>9}{'x ours':>8}{'cpu s':>9}{'x ours':>8}{'loss diff':>12}")
    line = (
        "{variant:<18}{seconds_per_step:>9.3f}{times_ours:>8.2f}"
        "{processor_seconds:>9.3f}{processor_times_ours:>8.2f}{largest_loss_difference:>12.1e}"
    )
    for row in rows:
        print(line.format(**row))


if __name__ == "__main__":
    main()
