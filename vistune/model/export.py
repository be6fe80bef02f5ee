"""`export`: a directory that `transformers` loads as LLaVA or LLaVA-NeXT, and that engines like vLLM serve."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from huggingface_hub import save_torch_state_dict
from torch import Tensor

from vistune.data.decode import load_image
from vistune.errors import InputError
from vistune.files import read_json, write_json
from vistune.model.checkpoint import part_weights
from vistune.model.encoders.anyres import Anyres
from vistune.model.encoders.huggingface import Huggingface
from vistune.model.layouts import from_ours
from vistune.model.probe import largest_difference, probes
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.template import as_text
from vistune.sample import Sample
from vistune.spec import split

IMAGE = "<image>"
TOLERANCE = 1e-4  # of logits in fp32; what is wrong with an export changes them by far more
_PREFIXED = ("clip_vision_model", "siglip_vision_model")


@dataclass(frozen=True, slots=True)
class Architecture:
    """The three classes of one architecture of `transformers`, and the processor's image half."""

    config: type[hf.PreTrainedConfig]
    model: type[hf.PreTrainedModel]
    processor: type[hf.ProcessorMixin]


LLAVA = Architecture(hf.LlavaConfig, hf.LlavaForConditionalGeneration, hf.LlavaProcessor)
LLAVA_NEXT = Architecture(hf.LlavaNextConfig, hf.LlavaNextForConditionalGeneration, hf.LlavaNextProcessor)


def export(model: VisionLanguageModel, folder: str | Path) -> float:
    """Write `folder` and return the largest difference between our logits and those of `transformers` from it.

    Weights are fp32. Raises `InputError` for a model that no architecture of `transformers` expresses, naming the part, and
    `RuntimeError`, leaving nothing, when the written directory reads a prompt in another way or gives other logits.
    """
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another --out, or remove it")
    tower = _tower(model)
    architecture = LLAVA_NEXT if isinstance(model.vision, Anyres) else LLAVA
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        _write(model, tower, architecture, temporary)
        difference = compare(model, temporary, architecture)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return difference


def _tower(model: VisionLanguageModel) -> Huggingface:
    """The model's one tower. Raises `InputError` for parts that LLaVA has not."""
    kinds = {
        name: split(value)[0] for name, value in (("connector", model.spec.connector or "none"), ("fusion", model.spec.fusion))
    }
    tower = model.vision.inner if isinstance(model.vision, Anyres) else model.vision
    connector = kinds["connector"]
    depth = sum(name.endswith("weight") for name, _ in model.connector.named_parameters()) if model.connector else 0
    if not isinstance(tower, Huggingface):
        raise InputError("this model has no single vision transformer, which is all transformers' LLaVA knows")
    if connector not in ("mlp", "anyres") or depth != 2:
        raise InputError(f"the connector {connector!r} is not the MLP of two layers that transformers' LLaVA has")
    if (connector == "anyres") != isinstance(model.vision, Anyres):
        raise InputError("tiles and their connector go together: both kinds must be anyres, or none")
    if kinds["fusion"] != "splice":
        raise InputError(f"the fusion {kinds['fusion']!r} is not transformers' LLaVA's, which is splice")
    if model.spec.adapt:
        raise InputError("this model has adapters: `vistune merge` it first")
    if tower.resized or (tower.cls == "drop" and tower.prefix > 1):
        raise InputError("transformers' LLaVA neither resizes a tower's positions nor drops register tokens")
    return tower


def _write(model: VisionLanguageModel, tower: Huggingface, architecture: Architecture, folder: Path) -> None:
    tokenizer = _tokenizer(model, folder)
    weights = part_weights(model, {"llm", "vision", "connector"})
    rows = model.llm.model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        weights = {
            name: _with_row(tensor) if _is_vocabulary(name, tensor, rows) else tensor for name, tensor in weights.items()
        }
    text, vision = _config(model.llm.model), _config(tower.model)
    text["vocab_size"] = max(rows, len(tokenizer))
    ends = model.llm.ends(model.template.stops)
    text |= {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    strategy = "default" if tower.cls == "drop" and tower.prefix else "full"
    settings: dict[str, Any] = {
        "text_config": text,
        "vision_config": vision,
        "image_token_index": tokenizer.convert_tokens_to_ids(IMAGE),
        "vision_feature_layer": tower.layers[0] if len(tower.layers) == 1 else tower.layers,
        "vision_feature_select_strategy": strategy,
        "projector_hidden_act": "gelu",
        "image_seq_length": tower.num_tokens((1, 1)),
        "tie_word_embeddings": bool(text.get("tie_word_embeddings", False)),
    }
    if isinstance(model.vision, Anyres):
        settings["image_grid_pinpoints"] = [[rows * tower.size, columns * tower.size] for columns, rows in model.vision.grids]
    config = architecture.config(**settings)
    config.architectures = [architecture.model.__name__]
    config.dtype = "float32"
    config.save_pretrained(folder)
    hf.GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id
    ).save_pretrained(folder)
    processor = architecture.processor(
        image_processor=_image_processor(model, tower),
        tokenizer=tokenizer,
        patch_size=tower.patch,
        vision_feature_select_strategy=strategy,
        num_additional_image_tokens=tower.prefix,
        image_token=IMAGE,
        chat_template=model.template.chat_template(IMAGE),
    )
    processor.save_pretrained(folder)
    _rename_classes(folder)
    prefix = "vision_model." if tower.model.config.model_type in _PREFIXED else ""
    names = from_ours(weights, prefix)
    save_torch_state_dict({names[name]: tensor for name, tensor in weights.items()}, folder, metadata={"format": "pt"})


def _tokenizer(model: VisionLanguageModel, folder: Path) -> Any:
    """A copy of the model's tokenizer that knows the picture's token, and saves alike however it was loaded."""
    model.llm.tokenizer.save_pretrained(folder)
    tokenizer = hf.AutoTokenizer.from_pretrained(folder, extra_special_tokens={"image_token": IMAGE}, padding_side="left")
    return tokenizer


def _config(part: Any) -> dict[str, Any]:
    """A backbone's configuration without where it was read from."""
    return {key: value for key, value in part.config.to_dict().items() if key != "_name_or_path"}


def _is_vocabulary(name: str, tensor: Tensor, rows: int) -> bool:
    return name.startswith("llm.") and tensor.shape[0] == rows and name.endswith(("embed_tokens.weight", "lm_head.weight"))


def _with_row(table: Tensor) -> Tensor:
    """One row more, the mean of the others, for the picture's token, which no picture ever reads."""
    return torch.cat([table, table.mean(dim=0, keepdim=True)])


def _image_processor(model: VisionLanguageModel, tower: Huggingface) -> Any:
    """The image processor that places pictures as the encoder does."""
    side = {"height": tower.size, "width": tower.size}
    common: dict[str, Any] = {"image_mean": list(tower.mean), "image_std": list(tower.std), "crop_size": side, "resample": 3}
    if isinstance(model.vision, Anyres):
        grids = [[rows * tower.size, columns * tower.size] for columns, rows in model.vision.grids]
        return hf.LlavaNextImageProcessorPil(size=side, image_grid_pinpoints=grids, **common)
    if tower.fit == "pad":
        return hf.LlavaImageProcessorPil(size=side, do_pad=True, do_center_crop=False, **common)
    if tower.fit == "crop":
        return hf.CLIPImageProcessorPil(size={"shortest_edge": tower.size}, **common)
    return hf.CLIPImageProcessorPil(size=side, do_center_crop=False, **common)


def _rename_classes(folder: Path) -> None:
    """Class names that older readers know, and the image processor in a file of its own, too, where they look for it."""
    file = folder / "tokenizer_config.json"
    settings = read_json(file) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    write_json(file, {key: value for key, value in settings.items() if key not in ("is_local", "local_files_only")})
    file = folder / "processor_config.json"
    settings = read_json(file)
    images = settings["image_processor"]
    images["image_processor_type"] = images["image_processor_type"].removesuffix("Pil")
    write_json(file, settings)
    write_json(folder / "preprocessor_config.json", images)


def compare(model: VisionLanguageModel, folder: Path, architecture: Architecture) -> float:
    """The largest difference of logits between `model` and what `transformers` loads from `folder`, prompts and all."""
    copy, report = architecture.model.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    if report["missing_keys"] or report["unexpected_keys"]:
        raise RuntimeError(
            f"{folder} lacks {sorted(report['missing_keys'])} and has unknown {sorted(report['unexpected_keys'])}"
        )
    processor = hf.AutoProcessor.from_pretrained(folder, backend="pil")
    copy.eval()
    was_training = model.training
    model.eval()
    samples = probes(with_images=True)
    renderer = model.renderer()
    theirs = []
    with torch.no_grad():
        for sample in samples:
            inputs = processor_inputs(model, processor, sample)
            ids = inputs["input_ids"][0].tolist()
            ours = model.example(sample, renderer).rendered
            expected = [token if token != processor.image_token_id else renderer.placeholder for token in ids]
            if expected != ours.ids:
                raise RuntimeError(f"the exported processor reads the probe {sample.id!r} as other tokens than this model does")
            theirs.append(copy.to(model.device)(**inputs.to(model.device)).logits[0])
    difference = largest_difference(model.logits(samples), theirs)
    model.train(was_training)
    if not difference <= TOLERANCE:
        raise RuntimeError(
            f"transformers gives other logits from the exported directory: the largest difference is {difference:.3g}"
        )
    return difference


def processor_inputs(model: VisionLanguageModel, processor: Any, sample: Sample) -> Any:
    """What the exported processor makes of a sample in this model's template."""
    tokenizer = processor.tokenizer
    tokens: Mapping[str, str] = {"bos": tokenizer.bos_token or "", "eos": tokenizer.eos_token or ""}
    text = as_text(model.template.pieces(sample), dict(tokens), IMAGE)
    images = [load_image(medium, sample.where) for medium in sample.media] or None
    return processor(text=[text], images=images, return_tensors="pt", text_kwargs={"add_special_tokens": False})
