"""The language models of recordings as our `LanguageModel`: a Llama of their sizes and weights, with some tokenizer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import transformers as hf
from mechanisms import Golden

from vistune.model.interchange.formats.keymap import read
from vistune.model.language.causal import LanguageModel


def language_model(
    golden: Golden, folder: Path, tokenizer: str, under: str, head: str | None = None, **sizes: Any
) -> LanguageModel:
    """A Llama of `sizes`, whose body is recorded with the prefix `under` and whose output layer is called `head`."""
    model = hf.LlamaForCausalLM(hf.LlamaConfig(**sizes))
    theirs = {key.removeprefix("param/"): tensor for key, tensor in golden.tensors.items() if key.startswith("param/")}
    state = model.state_dict()
    names = {"model.": under, "lm_head.weight": head}
    model.load_state_dict(state | read(theirs, state, names, ("*",)))
    model.save_pretrained(folder)
    for file in Path(tokenizer).glob("tokenizer*"):
        shutil.copy(file, folder / file.name)
    return LanguageModel(str(folder)).eval()
