"""Backbones from Hugging Face directories: configurations and weights, read whole or refused with one sentence."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from vistune.errors import InputError, reading
from vistune.model.weights.decoding import own_settings
from vistune.model.weights.numbers import check_backbone


def read_config(path: str, folder: str, revision: str | None) -> Any:
    """The configuration of `folder`, which the user called `path`. Never runs code that comes with a model."""
    with reading(f"the configuration of {path} cannot be read"):
        return AutoConfig.from_pretrained(folder, revision=revision, trust_remote_code=False)


def read_tokenizer(path: str, folder: str, revision: str | None) -> PreTrainedTokenizerBase:
    """The tokenizer: a fast one, with an end-of-sequence token; padding falls back on that token."""
    with reading(f"the tokenizer of {path} cannot be read"):
        tokenizer = AutoTokenizer.from_pretrained(folder, revision=revision, trust_remote_code=False)
    if not tokenizer.is_fast:
        raise InputError(f"{path} has a slow tokenizer; labels need one that reports offsets (tokenizer.json)")
    longest = tokenizer.model_max_length  # the library compares lengths with it, whatever the file says
    if isinstance(longest, bool) or not isinstance(longest, int | float):
        raise InputError(f"the tokenizer of {path} has a model_max_length of {longest!r}, expected a number")
    with reading(f"the tokenizer of {path} cannot be read"):
        # One that names tokens which it lacks reads until it meets what is not in its vocabulary.
        tokenizer("\U0001f9ff \u0394", add_special_tokens=False)
    if tokenizer.eos_token_id is None:
        raise InputError(f"the tokenizer of {path} has no end-of-sequence token")
    # Padding is masked everywhere, so any token serves; a new one would need a row in the embedding.
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def read_model(auto: Any, path: str, folder: str, config: Any, revision: str | None, load: bool, **arguments: Any) -> Any:
    """`auto` (an Auto class, or a model's own) built from `config`, in fp32; if `load`, with all weights from safetensors.

    Raises `InputError` for files that are missing, cut short or of another model: nothing is then left half-loaded, and no
    weight silently starts at random.
    """
    if not load:
        named = isinstance(auto, type) and issubclass(auto, PreTrainedModel)  # a class that no Auto class knows
        with reading(f"no model can be made of the configuration of {path}"):
            if named:
                model = auto._from_config(config, **({"dtype": torch.float32} | arguments))
            else:
                model = auto.from_config(config, trust_remote_code=False, **({"dtype": torch.float32} | arguments))
        own_settings(model, path)
        return model
    with reading(f"the weights of {path} cannot be read"):
        model, report = auto.from_pretrained(
            folder,
            config=config,
            revision=revision,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **({"dtype": torch.float32} | arguments),
        )
    # The library fills missing tensors at random and only warns. Unexpected ones are harmless: heads of the checkpoint that
    # this class has not.
    missing = sorted(report["missing_keys"])
    if missing:
        raise InputError(f"{path} lacks {len(missing)} tensors of a {config.model_type}, such as {missing[0]!r}")
    check_backbone(model, path, folder)
    own_settings(model, path)
    return model
