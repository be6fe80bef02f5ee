"""Adapters from `peft` inside a part: which layers they wrap is said by the part, so that none lands elsewhere by accident.

    adapt: {llm: {kind: lora, rank: 16, alpha: 32}, vision: {kind: lora, rank: 8, targets: [q_proj, v_proj]}}

A stage trains them with the pattern `llm.adapter`; a checkpoint then holds them alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import peft
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.constants import (
    TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING,
    TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING,
)
from peft.utils.other import AuxiliaryTrainingWrapper
from torch import nn

from vistune.errors import InputError, nearest, reading
from vistune.model.adapters.soft_prompts import Prefix, SoftPrompt, VirtualTokens
from vistune.model.encoders.base import Encoder
from vistune.model.fusion.base import Fusion
from vistune.model.language.causal import LanguageModel
from vistune.model.native.network import Network
from vistune.spec import Spec, check_arguments, split

Part: TypeAlias = Encoder | LanguageModel | Network
Adaptable: TypeAlias = Part | Fusion  # of a fusion, layers that it inserted (MultiModal-GPT, arXiv 2305.04790)
Targets: TypeAlias = Sequence[str] | Literal["attention"] | None

# A layer inside a module of that name, directly or, as in BERT, in its `self` or `output`.
_ATTENTION = re.compile(r"att(?:n|ention)[^.]*\.(?:(?:self|output)\.)?[^.]+$", re.IGNORECASE)


def lora(
    part: Adaptable,
    rank: int = 16,
    alpha: float | None = None,
    dropout: float = 0.0,
    targets: Targets = None,
    new_tokens: bool = False,
) -> peft.PeftConfig:
    """Low-rank updates (arXiv 2106.09685) of every linear layer of the blocks, or of `targets`; `alpha` is twice the rank.

    `targets` are names that layers end in, or `attention` for those of the attention modules, whatever a family calls them.
    With `new_tokens` the embedding rows of tokens that were added to the tokenizer learn, too, and no other row.
    """
    return _low_rank(part, rank, alpha, dropout, targets, new_tokens)


def dora(
    part: Adaptable,
    rank: int = 16,
    alpha: float | None = None,
    dropout: float = 0.0,
    targets: Targets = None,
    new_tokens: bool = False,
) -> peft.PeftConfig:
    """LoRA for directions, a vector for magnitudes (DoRA, arXiv 2402.09353)."""
    return _low_rank(part, rank, alpha, dropout, targets, new_tokens, use_dora=True)


def rslora(
    part: Adaptable,
    rank: int = 16,
    alpha: float | None = None,
    dropout: float = 0.0,
    targets: Targets = None,
    new_tokens: bool = False,
) -> peft.PeftConfig:
    """LoRA scaled by alpha over the root of the rank (rsLoRA, arXiv 2312.03732)."""
    return _low_rank(part, rank, alpha, dropout, targets, new_tokens, use_rslora=True)


def ia3(part: Adaptable, targets: Targets = None, feedforward: Sequence[str] | None = None) -> peft.PeftConfig:
    """Learned factors on keys, values and feed-forward activations (IA3, arXiv 2205.05638).

    `feedforward` are those of the `targets` whose input is scaled; both default to the family's usual ones.
    """
    family = _tree(part).config.model_type
    if targets is None:
        if family not in TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING:
            raise InputError(f"adapt: which layers ia3 scales in a {family} is not settled: give targets and feedforward")
        targets = TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING[family]
        feedforward = TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING[family]
    names, scaled = _targets(part, targets), _targets(part, feedforward) if feedforward else []
    return peft.IA3Config(target_modules=names, feedforward_modules=scaled)


def oft(part: Adaptable, block: int = 32, targets: Targets = None) -> peft.PeftConfig:
    """Orthogonal rotations of the weights in blocks of that size (OFT, arXiv 2306.07280)."""
    # `peft` wants exactly one of block size and rank; zero turns the other off.
    return peft.OFTConfig(oft_block_size=block, r=0, target_modules=_targets(part, targets))


def tokens(part: Adaptable) -> peft.PeftConfig:
    """Only the embedding rows of tokens that were added to the tokenizer."""
    return peft.TrainableTokensConfig(token_indices=_new_tokens(part), target_modules=[_embedding(part)])


def prefix(part: Adaptable, length: int = 20, projection: bool = False, hidden: int | None = None) -> peft.PeftConfig:
    """`length` keys and values of every layer that all tokens see (prefix tuning, arXiv 2101.00190).

    With `projection` they come from a two-layer network, `hidden` wide (as wide as the keys, if not told).
    """
    decoder = _decoder(part, "prefix")
    settings = decoder.model.config.get_text_config().to_dict()
    heads = settings["num_attention_heads"]
    width = settings.get("head_dim") or settings["hidden_size"] // heads
    # With grouped queries keys and values have fewer heads than queries; a prefix consists of keys and values.
    seen = settings.get("num_key_value_heads") or heads
    return peft.PrefixTuningConfig(
        num_virtual_tokens=length,
        num_layers=len(decoder.blocks),
        num_attention_heads=seen,
        token_dim=seen * width,
        num_transformer_submodules=1,
        prefix_projection=projection,
        encoder_hidden_size=hidden or seen * width,
    )


def prompt(part: Adaptable, length: int = 20, text: str | None = None) -> peft.PeftConfig:
    """`length` virtual tokens in front of every sample (prompt tuning, arXiv 2104.08691).

    They start as the words of `text`, repeated or cut to fit; without it as words drawn from the vocabulary.
    """
    config = peft.PromptTuningConfig(
        num_virtual_tokens=length,
        token_dim=_decoder(part, "prompt").width,
        num_transformer_submodules=1,
        prompt_tuning_init="SAMPLE_VOCAB",
    )
    if text is not None:
        config.prompt_tuning_init_text = text
    return config


KINDS: dict[str, Callable[..., peft.PeftConfig]] = {
    "lora": lora,
    "dora": dora,
    "rslora": rslora,
    "ia3": ia3,
    "oft": oft,
    "tokens": tokens,
    "prefix": prefix,
    "prompt": prompt,
}


def adapt(parts: Mapping[str, nn.Module | None], specs: Mapping[str, Spec]) -> None:
    """Put the adapters of `specs` into the parts they name. Raises `InputError` for unknown parts, kinds, keys and layers."""
    adaptable = {name: part for name, part in parts.items() if isinstance(part, Adaptable)}
    for name, spec in specs.items():
        if name not in adaptable:
            raise InputError(f"adapt: no part {name!r} of this model takes adapters{nearest(name, list(adaptable))}")
        kind, arguments = split(spec)
        if kind not in KINDS:
            raise InputError(f"adapt.{name} has no kind {kind!r}{nearest(kind, list(KINDS))}")
        part = adaptable[name]
        check_arguments(KINDS[kind], arguments, f"adapt.{name}.{kind}", {"part": part})
        # The signature of the kind has been checked, so a wrong key was named before `peft` could raise about it.
        # What is left are numbers beyond what it takes, such as a rank below one.
        with reading(f"adapt.{name}.{kind} cannot be made of what its spec says"):
            config = KINDS[kind](part, **arguments)
            if isinstance(config, peft.PromptLearningConfig):
                _stand_before(config, _decoder(part, kind))
            else:
                peft.inject_adapter_in_model(config, _tree(part), "default")


def adapter_parameters(module: nn.Module) -> frozenset[str]:
    """Names of the parameters that adapters brought into `module`."""
    names = set()
    for prefix, layer in module.named_modules():
        if isinstance(layer, SoftPrompt):
            names |= {f"{prefix}.{name}" if prefix else name for name, _ in layer.named_parameters()}
        # `adapter_layer_names` is `peft`'s own list of what a layer added; the wrapped layer's weights are children of the
        # same module and stay the part's.
        if isinstance(layer, (BaseTunerLayer, AuxiliaryTrainingWrapper)):
            owned = tuple(f"{prefix}.{name}" if prefix else name for name in layer.adapter_layer_names)
            names |= {name for name, _ in module.named_parameters() if name.startswith(tuple(f"{own}." for own in owned))}
    return frozenset(names)


def fold(module: nn.Module) -> None:
    """Add every adapter to the weights it adapts and take it out. Raises `ValueError` when a result is not finite."""
    # A list, because children are replaced while it is walked.
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, AuxiliaryTrainingWrapper):
                merged = child.unload_and_optionally_merge_module(merge=True, safe_merge=True, adapter_names=None)
                setattr(parent, name, merged)
            elif isinstance(child, BaseTunerLayer):
                # `safe_merge` adds into a copy first and checks it, so a broken adapter leaves the weights as they were.
                child.merge(safe_merge=True)
                setattr(parent, name, child.get_base_layer())


def _stand_before(config: peft.PromptLearningConfig, part: LanguageModel) -> None:
    """Put a prefix or a prompt in front of everything that the part reads."""
    if isinstance(config, peft.PrefixTuningConfig):
        part.prompt = Prefix(config, part.hooks)
        return
    text = config.prompt_tuning_init_text
    words = None if text is None else part.tokenizer(text)["input_ids"]
    if words == []:
        raise InputError("adapt: a prompt cannot start as an empty text")
    part.prompt = VirtualTokens(config, part.model.get_input_embeddings(), words)


def _decoder(part: Adaptable, kind: str) -> LanguageModel:
    """The part, where samples can have something in front of them."""
    if not isinstance(part, LanguageModel) or part.model.config.is_encoder_decoder:
        raise InputError(f"adapt: {kind} works on a causal language model only, as in adapt: {{llm: {kind}}}")
    return part


def _low_rank(
    part: Adaptable,
    rank: int,
    alpha: float | None,
    dropout: float,
    targets: Targets,
    new_tokens: bool,
    **variant: bool,
) -> peft.PeftConfig:
    return peft.LoraConfig(
        r=rank,
        lora_alpha=2 * rank if alpha is None else alpha,
        lora_dropout=dropout,
        target_modules=_targets(part, targets),
        trainable_token_indices={_embedding(part): _new_tokens(part)} if new_tokens else None,
        **variant,
    )


def _tree(part: Adaptable) -> Any:
    """The module of `transformers` inside a part; a fusion is one itself."""
    # `peft` matches full names below the module it is given, so it must be the root that the names of `_targets` begin at.
    return part if isinstance(part, Fusion) else part.model


def _targets(part: Adaptable, names: Targets) -> list[str]:
    """Full names of the linear layers of a part's blocks: those `names` tells, see `lora`; all of them for None."""
    inside = part if isinstance(part, Fusion) else part.blocks
    # Layers of the blocks alone: output heads and projections beside the blocks are linear, too, and papers leave them out.
    blocks = {id(module) for module in inside.modules()}
    linear = [name for name, module in _tree(part).named_modules() if isinstance(module, nn.Linear) and id(module) in blocks]
    if names is None:
        return linear
    if names == "attention":
        return [name for name in linear if _ATTENTION.search(name)]
    for wanted in names:
        if not any(name.endswith("." + wanted) for name in linear):
            known = sorted({name.rpartition(".")[2] for name in linear})
            raise InputError(f"adapt: the part has no layer {wanted!r}{nearest(wanted, known)}")
    return [name for name in linear if any(name.endswith("." + wanted) for wanted in names)]


def _embedding(part: Adaptable) -> str:
    table = _tree(part).get_input_embeddings()
    name: str = next(name for name, module in _tree(part).named_modules() if module is table)
    return name


def _new_tokens(part: Adaptable) -> list[int]:
    if not isinstance(part, LanguageModel) or not part.added:
        raise InputError("adapt: no token was added to this part's tokenizer, so there is no new row to train")
    return part.added
