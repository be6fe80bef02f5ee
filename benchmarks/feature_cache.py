"""Aligning a connector with a frozen encoder of realistic size: an epoch that computes features, and one that finds them.

The nano language model reads pictures through a random CLIP ViT-B/32 (88 M parameters, 224 pixels, 49 tokens). Epochs are
interleaved, medians of the processor's seconds are told, losses compared; no step is taken.

    python benchmarks/feature_cache.py --pictures 16 --repeats 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

from vistune.data.samples import read
from vistune.model.vlm import VisionLanguageModel
from vistune.nano import nano
from vistune.recipe import Stage, load_recipe
from vistune.training.caching import cache_of
from vistune.training.selection import select
from vistune.training.steps.preparing import prepared
from vistune.training.steps.work import Work, work_of_steps

_STEP = 8


def tower(folder: Path) -> str:
    """A random CLIP ViT-B/32 on disk."""
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, image_size=224, patch_size=32
    )
    CLIPVisionModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}).save_pretrained(folder)
    return str(folder)


def epoch(model: VisionLanguageModel, works: Iterator[Work]) -> tuple[float, list[float]]:
    """Seconds of the processor, and losses, of forward and backward passes."""
    losses = []
    began = time.process_time()
    for work in works:
        model.zero_grad(set_to_none=True)
        loss = sum(model(batch)["text"].sum for batch in work.batches) / work.supervised
        loss.backward()
        losses.append(loss.item())
    return time.process_time() - began, losses


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipe = nano(load_recipe("llava_1_5"))
        model = VisionLanguageModel(replace(recipe.model, vision={"kind": "huggingface", "path": tower(folder / "clip")}))
        data = f"world:?task=captions&size={options.pictures}"
        stage = Stage(name="align", train={"connector": 1e-3}, data=data, batch=_STEP, template="plain")
        samples, steps = read(data), options.pictures // _STEP
        select(model, stage.train, "benchmark").switch_on(model)
        cache = cache_of(model, "image", "encoder", folder / "features", "fp32")

        def make(first: int, steps: int) -> Iterator[Work]:
            return work_of_steps(model, samples, stage, 0, first, steps)

        seconds: dict[str, list[float]] = {"computed": [], "found": []}
        losses: dict[str, list[float]] = {}
        for repeat in range(-1, options.repeats):  # the first round fills the cache
            for kind, chosen in (("computed", None), ("found", cache)):
                model.chains["image"].cache = chosen
                taken, losses[kind] = epoch(model, iter(prepared(make, 0, steps, 0)))
                if repeat >= 0:
                    seconds[kind].append(taken)
        medians = {kind: statistics.median(taken) for kind, taken in seconds.items()}
        equal = losses["computed"] == losses["found"]
        print(json.dumps({**medians, "times": medians["computed"] / medians["found"], "losses_bit_equal": equal}))


if __name__ == "__main__":
    main()
