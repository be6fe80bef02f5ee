"""How much memory a stage takes on each device, by formula, before anything is loaded.

    weights        4 bytes each (fp32, always); cut: a share each, and the layers at work whole
    gradients      4 bytes for each trained weight; cut: a share each
    optimizer      8 bytes for each trained weight (AdamW keeps two numbers, Muon one); cut: a share each
    activations    what blocks keep for the backward pass (see `block_bytes`), or their inputs alone where it is recomputed
    logits         one chunk of them, and what the loss keeps instead of them

Not counted: what the allocator holds in reserve, buffers for communication, and what lives for a moment inside an operation;
one tenth to one fifth more should stay free.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from torch import nn

from vistune.errors import InputError
from vistune.model.language.loss import HELD
from vistune.model.part import stacks
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Stage
from vistune.training.steps.optimizers import inner_matrices

FP32, BF16 = 4, 2


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one device."""

    weights: float
    gradients: float
    optimizer: float
    activations: float
    logits: float

    @property
    def total(self) -> float:
        """All together."""
        return float(sum(getattr(self, field.name) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Micro:
    """What a device has before it at once: tokens of the language model, supervised ones, and tokens of the vision encoder."""

    tokens: int
    supervised: int
    patches: int


def memory(
    model: VisionLanguageModel, stage: Stage, micro: Micro, devices: int, sharded: bool, precision: Literal["fp32", "bf16"]
) -> Memory:
    """Bytes on each of `devices`, with the parameters trained that require a gradient now."""
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    shares = devices if sharded else 1
    return Memory(
        weights=FP32 * _numbers(model) / shares + copies(model, sharded, precision),
        gradients=FP32 * trained / shares,
        # Adam keeps two moments for each trained number, in fp32 whatever the precision.
        optimizer=FP32 * (2 * trained - _moved_once(model, stage)) / shares,
        activations=activations(model, stage, micro, precision),
        logits=logits(model, micro.supervised),
    )


def _moved_once(model: VisionLanguageModel, stage: Stage) -> int:
    """Weights with a single number of optimizer state each: Muon keeps no second moment."""
    if stage.optimizer != "muon":
        return 0
    inner = inner_matrices(model)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad and id(parameter) in inner)


def copies(model: VisionLanguageModel, sharded: bool, precision: Literal["fp32", "bf16"]) -> float:
    """Weights in the number format they are multiplied in.

    Whole weights in bf16 are all kept until the backward pass is over. Of cut weights two blocks are whole at a time (one at
    work, one on its way), and with them what lies in no block: embeddings, head, connector.
    """
    bytes_each = BF16 if precision == "bf16" else FP32
    if not sharded:
        return BF16 * _numbers(model) if precision == "bf16" else 0.0
    blocks = [_numbers(block) for part in stacks(model).values() for block in part.blocks]
    return float(bytes_each * (_numbers(model) - sum(blocks) + 2 * max(blocks)))


def activations(model: VisionLanguageModel, stage: Stage, micro: Micro, precision: Literal["fp32", "bf16"]) -> float:
    """What waits for the backward pass of one row: nothing where no gradient passes."""
    learns = {name: _learns(part) for name, part in model.named_children()}
    total = 0.0
    for name, part in stacks(model).items():
        # The language model keeps activations wherever a gradient must pass it on its way to an earlier part.
        if learns[name] or (part is model.llm and any(learns.values())):
            tokens = micro.tokens if part is model.llm else micro.patches
            total += _blocks_bytes(part.blocks, tokens, name in stage.recompute, precision)
    return total


def _blocks_bytes(blocks: nn.ModuleList, tokens: int, recomputed: bool, precision: Literal["fp32", "bf16"]) -> float:
    each = [tokens * block_bytes(block, precision) for block in blocks]
    if not recomputed:
        return sum(each)
    # Recomputed blocks keep their inputs, and while one is computed again all that it would have kept.
    return sum(tokens * FP32 * _width(block) for block in blocks) + max(each)


def block_bytes(block: nn.Module, precision: Literal["fp32", "bf16"]) -> float:
    """Bytes a transformer block keeps of one token, with attention that keeps no scores (FlashAttention, arXiv 2205.14135).

    Two norms keep their input and its normalised form in fp32: 16 bytes a number of the block's width h. Each matrix keeps its
    input in the format it multiplies in, once where several read the same; attention its queries, keys, values and output; an
    activation function its input and its output; a gate both its factors:

        16 h + e (2 h + queries + keys + values + output + 2 widened)        e: 4 bytes in fp32, 2 in bf16

    where `widened` counts what the feed-forward network widens to, gate included. Adapters and fusions are not counted.
    """
    bytes_each = BF16 if precision == "bf16" else FP32
    attention, network = _matrices(block)
    *projections, output = attention
    width, taken = output.out_features, sum(matrix.out_features for matrix in projections)
    widened = sum(matrix.out_features for matrix in network) - width  # the last matrix writes back to the stream
    return float(4 * FP32 * width + bytes_each * (2 * width + taken + output.in_features + 2 * widened))


def _matrices(block: nn.Module) -> tuple[list[nn.Linear], list[nn.Linear]]:
    """A block's matrices, adapters' left out: the attention's, the output projection last, and the feed-forward network's."""
    attention: list[nn.Linear] = []
    network: list[nn.Linear] = []
    for name, module in block.named_modules():
        if isinstance(module, nn.Linear) and "lora_" not in name:
            (attention if "att" in name.split(".")[0] else network).append(module)
    if not attention or not network:
        raise InputError(f"a {type(block).__name__} is no transformer block: what it keeps for the backward pass is not known")
    return attention, network


def _width(block: nn.Module) -> int:
    return _matrices(block)[0][-1].out_features


def _numbers(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _learns(part: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in part.parameters())


def logits(model: VisionLanguageModel, supervised: int) -> float:
    """A chunk of logits with its gradients, and what the loss keeps: gradients of the hidden states and of a trained head."""
    head = model.llm.model.get_output_embeddings().weight
    vocabulary, width = head.shape
    rows = min(supervised, max(1, HELD // vocabulary))
    kept = supervised * width + (head.numel() if head.requires_grad else 0)
    # Logits, their softmax and their gradient, for the one chunk that is held at a time.
    return float(FP32 * (3 * rows * vocabulary + kept))
