"""`import`: a LLaVA of `transformers`, or of the original code, becomes a checkpoint of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers as hf
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from vistune.errors import InputError, reading
from vistune.files import atomic_folder, dump_yaml, read_json, write_json
from vistune.model.interchange.export_llava import LLAVA, LLAVA_NEXT, compare
from vistune.model.interchange.exported import IMAGE, Architecture
from vistune.model.interchange.layouts import to_ours
from vistune.model.spec import ModelSpec
from vistune.model.weights import checkpoint
from vistune.model.weights.numbers import check_foreign
from vistune.spec import Spec

_ARCHITECTURES: dict[str, Architecture] = {"llava": LLAVA, "llava_next": LLAVA_NEXT}


def import_llava(source: str | Path, folder: str | Path, template: Spec = "own") -> float:
    """Turn the directory `source`, as `LlavaForConditionalGeneration` or `LlavaNext...` is saved, into the checkpoint `folder`.

    Returns the largest difference between the checkpoint's logits and those `transformers` computes from `source`, prompts
    and all. Raises `InputError` for what is missing, cut short or unknown: nothing is then written.
    """
    source, folder = Path(source), Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another --out, or remove it")
    config = source_config(source, list(_ARCHITECTURES))
    if config.projector_hidden_act != "gelu" or not config.multimodal_projector_bias:
        raise InputError(f"{source}: only projectors with GELU and biases can be imported")
    architecture = _ARCHITECTURES[config.model_type]
    tiled = config.model_type == "llava_next"
    spec = _spec(source, config, template)
    weights = rename(read_weights(source), tiled)
    with atomic_folder(folder) as temporary:
        _write(temporary, source, config, spec, weights)
        model = checkpoint.load(temporary)
        difference = compare(model, source, architecture)
    return difference


def source_config(source: Path, known: list[str]) -> Any:
    """The configuration of a directory that holds a model of one of the `known` types."""
    if not (source / "config.json").is_file():
        raise InputError(f"{source} holds no model: it has no config.json")
    kind = read_json(source / "config.json").get("model_type")
    if kind not in known:
        raise InputError(f"{source} holds a {kind!r}; what can be imported is: {', '.join(known)}")
    with reading(f"{source / 'config.json'} cannot be read"):
        return hf.AutoConfig.from_pretrained(source, trust_remote_code=False)


def _spec(source: Path, config: Any, template: Spec) -> ModelSpec:
    """Our words for a LLaVA's configuration."""
    strategy = config.vision_feature_select_strategy
    vision: dict[str, Any] = {
        "kind": "huggingface",
        "path": f"{checkpoint.INSIDE}vision",
        "layer": config.vision_feature_layer,
        "cls": "drop" if strategy == "default" or config.vision_config.model_type == "siglip_vision_model" else "keep",
        "fit": _fit(image_settings(source)),
    }
    connector: dict[str, Any] = {"kind": "mlp", "depth": 2}
    if config.model_type == "llava_next":
        side = config.vision_config.image_size
        # Their pinpoints are (height, width) in pixels, our grids (columns, rows) in tiles.
        grids = [[width // side, height // side] for height, width in config.image_grid_pinpoints]
        vision = {"kind": "anyres", "inner": vision | {"fit": "resize"}, "grids": grids}
        connector = {"kind": "anyres", "inner": connector}
    return ModelSpec(llm=f"{checkpoint.INSIDE}llm", vision=vision, connector=connector, template=template)


def _fit(images: Mapping[str, Any]) -> str:
    """How the image processor makes squares; its logits are compared, so that a wrong reading is found out."""
    if images.get("do_pad"):
        return "pad"
    crops = images.get("do_center_crop", not str(images.get("image_processor_type", "")).startswith("Siglip"))
    return "crop" if crops else "resize"


def image_settings(source: Path) -> dict[str, Any]:
    """The image processor's settings, from either layout."""
    for name in ("processor_config.json", "preprocessor_config.json"):
        if (source / name).is_file():
            settings: dict[str, Any] = read_json(source / name)
            settings = settings.get("image_processor", settings)
            if "image_mean" in settings:
                return settings
    raise InputError(f"{source} has no preprocessor_config.json or processor_config.json that says how pictures are prepared")


def read_weights(source: Path) -> dict[str, Tensor]:
    """Every tensor of a directory's safetensors. Raises `InputError` naming the file that is missing or cut short."""
    index = source / "model.safetensors.index.json"
    names = sorted(set(read_json(index).get("weight_map", {}).values())) if index.is_file() else ["model.safetensors"]
    weights: dict[str, Tensor] = {}
    for name in names:
        file = source / name
        # An index names its files: one with a folder in its name could read from anywhere.
        if Path(name).name != name or not file.is_file():
            raise InputError(f"{file} is missing: the weights must be whole, and in safetensors")
        try:
            weights |= load_file(file)
        except (SafetensorError, OSError) as error:
            raise InputError(f"{file} is broken or cut short: {error}") from error
    check_foreign(weights, source)
    return weights


def rename(weights: Mapping[str, Tensor], tiled: bool) -> dict[str, Tensor]:
    """Foreign tensors under our names, in fp32."""
    named = {to_ours(name, tiled): tensor for name, tensor in weights.items()}
    return {name: tensor.float().contiguous() for name, tensor in named.items() if name is not None}


def _write(folder: Path, source: Path, config: Any, spec: ModelSpec, weights: dict[str, Tensor]) -> None:
    """The checkpoint's files: the spec, the weights, and beside them what the two backbones are built from."""
    (folder / "vision").mkdir(parents=True)
    tokenizer = write_backbone(source, config, folder / "llm")
    if tokenizer.convert_tokens_to_ids(IMAGE) != config.image_token_index:
        raise InputError(f"the tokenizer of {source} lacks the image token {IMAGE!r} as number {config.image_token_index}")
    config.vision_config.save_pretrained(folder / "vision")
    write_json(folder / "vision" / "preprocessor_config.json", image_settings(source))
    text = config.text_config
    if text.tie_word_embeddings:
        weights.pop("llm.model.lm_head.weight", None)
    save_file(weights, folder / checkpoint.WEIGHTS, metadata={"format": "pt"})
    record = {"format": checkpoint.FORMAT, "parts": ["connector", "llm", "vision"], "model": spec.to_json()}
    (folder / checkpoint.CONFIG).write_text(dump_yaml(record, sort_keys=False, allow_unicode=True), encoding="utf-8")


def write_backbone(source: Path, config: Any, folder: Path) -> Any:
    """What the language model in a whole model is built from, its configuration and tokenizer; returns the tokenizer."""
    with reading(f"the tokenizer of {source} cannot be read"):
        tokenizer = hf.AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    text = config.text_config
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        # Configurations often carry the defaults of their class; the tokenizer is what prompts were made with.
        setattr(text, name, getattr(tokenizer, name))
    auto = hf.AutoModelForSeq2SeqLM if text.is_encoder_decoder else hf.AutoModelForCausalLM
    text.architectures = [auto._model_mapping[type(text)].__name__]
    text.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer
