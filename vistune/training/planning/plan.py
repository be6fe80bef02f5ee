"""What a recipe takes on given devices: memory, operations and time of each stage, without weights, data or a GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

import numpy as np

from vistune.errors import InputError
from vistune.model.answering.opening import without_memory
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Recipe, Stage
from vistune.sample import Media
from vistune.training.kinds import of_parts
from vistune.training.planning.flops import FlopModel, Load
from vistune.training.planning.memory import Memory, Micro, memory
from vistune.training.planning.peaks import SPARE
from vistune.training.selection import select


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a plan cannot know: the data (a sample's words, how many of them answer, its pictures) and the devices' speed.

    `peak` is what one device can do at most (operations a second), `mfu` the share of it that training reaches. A picture has
    `size` (width, height) pixels.
    """

    peak: float
    mfu: float = 0.4
    words: int = 256
    answers: int = 128
    pictures: int = 1
    size: tuple[int, int] = (640, 480)


@dataclass(frozen=True, slots=True)
class Outlook:
    """One stage: parameters, what a step holds and takes over all devices, and the memory of each."""

    stage: str
    parameters: int
    trained: int
    tokens: int
    flops: float
    seconds: float
    memory: Memory

    @property
    def tokens_per_second(self) -> float:
        """Of all devices together."""
        return self.tokens / self.seconds


def outlooks(
    recipe: Recipe, devices: int, sharded: bool, precision: Literal["fp32", "bf16"], assumed: Assumed
) -> list[Outlook]:
    """Each stage's outlook. The model is built from configurations alone.

    Raises `InputError` for samples that would not fit the model's `max_length`, for a batch smaller than `devices`, and for a
    model of `transformers` taken whole.
    """
    model = None if recipe.model.whole else of_parts(without_memory(recipe.model))
    if model is None:
        raise InputError(f"{recipe.name}: plans are made for models of parts, not for a model of transformers taken whole")
    return [_outlook(model, stage, devices, sharded, precision, assumed) for stage in recipe.stages]


def fitting(
    recipe: Recipe, devices: int, sharded: bool, precision: Literal["fp32", "bf16"], assumed: Assumed, room: float
) -> list[str]:
    """A line for each stage: whether it fits into `room` bytes a device, some left free, and what to set if not."""
    lines = []
    for stage, row in zip(recipe.stages, outlooks(recipe, devices, sharded, precision, assumed), strict=True):
        need = row.memory.total * SPARE
        if need <= room:
            lines.append(f"{stage.name}: fits ({need / 2**30:,.1f} of {room / 2**30:,.0f} GiB with what is not counted)")
            continue
        # From what costs least time to what costs most: smaller rows first, then computing blocks a second time.
        for micro, recompute in ((4, ()), (2, ()), (1, ()), (8, ("llm",)), (1, ("llm",))):
            smaller = replace(stage, micro=min(micro, stage.batch), max_tokens=None, max_images=None, recompute=recompute)
            tried = replace(recipe, stages=(smaller,))
            (less,) = outlooks(tried, devices, sharded, precision, assumed)
            if less.memory.total * SPARE <= room:
                told = f"--set stages.{stage.name}.micro={smaller.micro}"
                told += f" --set stages.{stage.name}.recompute=[llm]" if recompute else ""
                lines.append(f"{stage.name}: does not fit ({need / 2**30:,.1f} GiB); it does with {told}")
                break
        else:
            held = "more devices with --parallel fsdp" if not sharded else "more devices"
            lines.append(
                f"{stage.name}: does not fit ({need / 2**30:,.1f} GiB), nor sample by sample with recompute=[llm]: take {held},"
                " a smaller model, or adapters"
            )
    return lines


def _outlook(
    model: VisionLanguageModel, stage: Stage, devices: int, sharded: bool, precision: Literal["fp32", "bf16"], assumed: Assumed
) -> Outlook:
    if stage.batch < devices:
        raise InputError(f"stage {stage.name!r}: batch is {stage.batch}, expected at least {devices}, one for each device")
    places, inputs, patches, context = _picture(model, assumed.size) if assumed.pictures else (0, 0, 0, 0)
    visual = places * assumed.pictures
    length = visual + assumed.words
    if length > model.spec.max_length:
        raise InputError(f"a sample of {length} tokens, {visual} of them visual, is over max_length {model.spec.max_length}")
    select(model, stage.train, f"stage {stage.name!r}").switch_on(model)
    sample = Load((length,), assumed.answers, visual, context * assumed.pictures, {"image": inputs * assumed.pictures})
    flops = stage.batch * sum(part.total for part in FlopModel(model).step([sample]).values())
    at_once = min(stage.row, ceil(stage.batch / devices))
    if stage.max_tokens is not None:
        at_once = max(1, min(at_once, stage.max_tokens // length))
    micro = Micro(at_once * length, at_once * assumed.answers, at_once * patches * assumed.pictures)
    return Outlook(
        stage=stage.name,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        trained=sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        tokens=stage.batch * length,
        flops=flops,
        seconds=flops / (devices * assumed.peak * assumed.mfu),
        memory=memory(model, stage, micro, devices, sharded, precision),
    )


def _picture(model: VisionLanguageModel, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Of one picture: places in the sequence, encoder inputs, encoder tokens, and tokens behind the connector."""
    chain = model.image
    if chain is None:
        return 0, 0, 0, 0
    width, height = size
    # A blank picture, so that whatever reads pictures says itself how it lays them out.
    layout = chain.layout(Media("image", data=np.zeros((height, width, 3), dtype=np.uint8)))
    tokens = chain.connected(layout).total
    return model.fusion.places(tokens), layout.inputs, layout.total, tokens
