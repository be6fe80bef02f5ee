"""`import` of BLIP-2 and InstructBLIP directories of `transformers`; what each tensor is called stands in `export_blip`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers as hf
from safetensors.torch import save_file
from torch import Tensor

from vistune.errors import InputError, reading
from vistune.files import atomic_folder, dump_yaml, write_json
from vistune.model.interchange.export_blip import BLIP_2, INSTRUCTBLIP, NAMES, compare
from vistune.model.interchange.exported import IMAGE, Architecture
from vistune.model.interchange.import_llava import image_settings, read_weights, source_config, write_backbone
from vistune.model.spec import ModelSpec
from vistune.model.weights import checkpoint
from vistune.spec import Spec

ARCHITECTURES: dict[str, Architecture] = {"blip-2": BLIP_2, "instructblip": INSTRUCTBLIP}
_COPIES = re.compile(r"embeddings\.position_ids$|language_model\.(?:encoder|decoder)\.embed_tokens\.weight$")
_FIXED = {"hidden_act": "gelu", "layer_norm_eps": 1e-12, "max_position_embeddings": 512}


def import_blip(source: str | Path, folder: str | Path, template: Spec | None = None) -> float:
    """Turn the directory `source`, as one of the two `...ForConditionalGeneration` is saved, into the checkpoint `folder`.

    Returns the largest difference between the checkpoint's logits and those `transformers` computes from `source`. Raises
    `InputError` for what is missing, cut short or unknown: nothing is then written.
    """
    source, folder = Path(source), Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another --out, or remove it")
    config = source_config(source, list(ARCHITECTURES))
    weights = rename(read_weights(source))
    # Tied weights are one tensor in our models; T5's wrapper unties them (FLAN-T5 has a head of its own).
    if config.text_config.model_type != "t5" and config.text_config.tie_word_embeddings:
        weights.pop("llm.model.lm_head.weight", None)
    with atomic_folder(folder) as temporary:
        (temporary / "vision").mkdir()
        tokenizer = write_backbone(source, config, temporary / "llm")
        if config.image_token_index is None or tokenizer.convert_tokens_to_ids(IMAGE) != config.image_token_index:
            raise InputError(f"the tokenizer of {source} lacks the image token {IMAGE!r} as number {config.image_token_index}")
        config.vision_config.save_pretrained(temporary / "vision")
        write_json(temporary / "vision" / "preprocessor_config.json", image_settings(source))
        spec = _spec(source, config, template, tokenizer, temporary)
        save_file(weights, temporary / checkpoint.WEIGHTS, metadata={"format": "pt"})
        record = {"format": checkpoint.FORMAT, "parts": ["connector", "llm", "vision"], "model": spec.to_json()}
        text = dump_yaml(record, sort_keys=False, allow_unicode=True)
        (temporary / checkpoint.CONFIG).write_text(text, encoding="utf-8")
        # The import is loaded as any checkpoint is and compared, so a wrong map of names never reaches the user's folder.
        difference = compare(checkpoint.load(temporary), source)
    return difference


def _spec(source: Path, config: Any, template: Spec | None, tokenizer: Any, folder: Path) -> ModelSpec:
    """Our words for the configuration, the Q-Former's tokenizer kept in `folder`."""
    former = config.qformer_config
    fixed = _FIXED | {"intermediate_size": 4 * former.hidden_size}
    odd = next((name for name, value in fixed.items() if former.to_dict()[name] != value), None)
    if odd is not None or config.vision_config.layer_norm_eps != 1e-6:
        name = "vision_config.layer_norm_eps" if odd is None else f"qformer_config.{odd}"
        raise InputError(f"{source / 'config.json'}: {name} is not what BLIP-2's published models have")
    connector: dict[str, Any] = {
        "kind": "q_former",
        "queries": config.num_query_tokens,
        "hidden": former.hidden_size,
        "layers": former.num_hidden_layers,
        "heads": former.num_attention_heads,
        "cross_every": former.cross_attention_frequency,
    }
    if config.model_type == "instructblip":
        _tokenizer(source / "qformer_tokenizer").save_pretrained(folder / "q_former")
        connector["tokenizer"] = f"{checkpoint.INSIDE}q_former"
    return ModelSpec(
        llm=f"{checkpoint.INSIDE}llm",
        vision={"kind": "huggingface", "path": f"{checkpoint.INSIDE}vision", "layer": -1, "cls": "keep", "fit": "resize"},
        connector=connector,
        template=template or _template(tokenizer),
    )


def _template(tokenizer: Any) -> dict[str, Any]:
    """Picture, question, answer, with the first and last tokens that the tokenizer puts around a text."""
    # OPT puts a token in front, T5 a token behind; only the tokenizer knows its number.
    around = tokenizer("a")["input_ids"]
    first, last = around[0] == tokenizer.bos_token_id, around[-1] == tokenizer.eos_token_id
    return {
        "kind": "plain",
        "begin": "",
        "question_text": True,
        "media_first": True,
        "media_suffix": "{bos}" if first else "",
        "user_suffix": "{eos}" if last else "",
        "answer_prefix": "" if last else " ",
        "answer_suffix": "{eos}",
    }


def _tokenizer(folder: Path) -> Any:
    if not folder.is_dir():
        raise InputError(f"{folder} is missing: InstructBLIP's Q-Former reads the question with a tokenizer of its own")
    with reading(f"the tokenizer in {folder} cannot be read"):
        return hf.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def rename(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Foreign tensors under our names, in fp32. Raises `InputError` for an unknown name."""
    # Longest first: `vision_model.post_layernorm.` begins with `vision_model.`.
    ours = sorted(((theirs, own) for own, theirs in NAMES.items()), key=lambda pair: -len(pair[0]))
    named = {}
    for name, tensor in weights.items():
        if _COPIES.search(name):
            continue
        theirs, own = next((pair for pair in ours if name.startswith(pair[0])), ("", ""))
        if not own:
            raise InputError(f"the tensor {name!r} belongs to no part of a BLIP-2")
        tensor = tensor.float().contiguous()
        named[own + name.removeprefix(theirs)] = tensor[0] if own == "connector.queries" else tensor
        if own == "connector.norm.":  # the tower has it, too
            named["vision.model.post_layernorm." + name.removeprefix(theirs)] = tensor.clone()
    return named
