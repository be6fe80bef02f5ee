"""Export as LLaVA or LLaVA-NeXT of `transformers`, in the layout that engines like vLLM serve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers as hf
from huggingface_hub import save_torch_state_dict
from tokenizers.processors import TemplateProcessing

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.model.encoders.anyres import Anyres
from vistune.model.encoders.huggingface import Huggingface
from vistune.model.interchange.exported import (
    IMAGE,
    Architecture,
    backbone_config,
    check_difference,
    read_whole,
    rename_classes,
    text_config,
    write_generation_config,
    written_tokenizer,
    written_weights,
)
from vistune.model.interchange.layouts import from_ours
from vistune.model.interchange.probe import largest_difference, probes
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import MediaRef, Part, Sample, Text
from vistune.spec import split

_PREFIXED = ("clip_vision_model", "siglip_vision_model")


LLAVA = Architecture(hf.LlavaConfig, hf.LlavaForConditionalGeneration, hf.LlavaProcessor)
LLAVA_NEXT = Architecture(hf.LlavaNextConfig, hf.LlavaNextForConditionalGeneration, hf.LlavaNextProcessor)


def architecture_of(model: VisionLanguageModel) -> Architecture:
    """LLaVA, or LLaVA-NeXT where pictures are cut into tiles."""
    return LLAVA_NEXT if isinstance(model.vision, Anyres) else LLAVA


def _tower(model: VisionLanguageModel) -> Huggingface:
    """The model's one tower. Raises `InputError` for parts that LLaVA has not."""
    kinds = {
        name: split(value)[0] for name, value in (("connector", model.spec.connector or "none"), ("fusion", model.spec.fusion))
    }
    tower = model.vision.inner if isinstance(model.vision, Anyres) else model.vision
    connector = kinds["connector"]
    # Counted on the weights, since the MLP may stand inside the connector of tiles.
    depth = sum(name.endswith("weight") for name, _ in model.connector.named_parameters()) if model.connector else 0
    if not isinstance(tower, Huggingface):
        raise InputError("this model has no single vision transformer, which is all transformers' LLaVA knows")
    if connector not in ("mlp", "anyres") or depth != 2:
        raise InputError(f"the connector {connector!r} is not the MLP of two layers that transformers' LLaVA has")
    if (connector == "anyres") != isinstance(model.vision, Anyres):
        raise InputError("tiles and their connector go together: both kinds must be anyres, or none")
    if kinds["fusion"] != "splice":
        raise InputError(f"the fusion {kinds['fusion']!r} is not transformers' LLaVA's, which is splice")
    if tower.resized or (tower.cls == "drop" and tower.prefix > 1):
        raise InputError("transformers' LLaVA neither resizes a tower's positions nor drops register tokens")
    return tower


def write(model: VisionLanguageModel, folder: Path) -> None:
    """Configuration, weights, tokenizer and processor. Raises `InputError` for a part that no LLaVA has."""
    tower, architecture = _tower(model), architecture_of(model)
    tokenizer = written_tokenizer(model, folder, extra_special_tokens={"image_token": IMAGE})
    # The template writes the beginning token where the model was taught one: a second, of the tokenizer's own, moves logits.
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="$A", pair="$A $B", special_tokens=[])
    weights = written_weights(model, len(tokenizer))
    text, vision = text_config(model, tokenizer), backbone_config(tower.model)
    # "default" drops one token in front; a tower without one (SigLIP) would lose its first patch.
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
    architecture.write(config, folder)
    write_generation_config(model, tokenizer, folder)
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
    rename_classes(folder)
    prefix = "vision_model." if tower.model.config.model_type in _PREFIXED else ""
    names = from_ours(weights, prefix)
    save_torch_state_dict({names[name]: tensor for name, tensor in weights.items()}, folder, metadata={"format": "pt"})


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


def compare(model: VisionLanguageModel, folder: Path, architecture: Architecture) -> float:
    """The largest difference of logits between `model` and what `transformers` loads from `folder`, prompts and all."""
    copy = read_whole(architecture.model, folder)
    processor = hf.AutoProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
    was_training = model.training
    model.eval()
    samples = probes(model)
    renderer = model.renderer()
    theirs = []
    with torch.no_grad():
        for sample in samples:
            inputs = processor_inputs(model, processor, sample)
            ids = inputs["input_ids"][0].tolist()
            ours = model.example(sample, renderer).rendered
            expected = [token if token != processor.image_token_id else renderer.placeholder for token in ids]
            served = _served_ids(processor, sample)
            # Twice: as a processor is called by hand, and as the library's own server calls it.
            if expected != ours.ids or served != ids[: len(served)]:
                raise InputError(f"the exported processor reads the probe {sample.id!r} as other tokens than this model does")
            theirs.append(copy.to(model.device)(**inputs.to(model.device)).logits[0])
    difference = largest_difference(model.logits(samples), theirs)
    model.train(was_training)
    return check_difference(difference)


def processor_inputs(model: VisionLanguageModel, processor: Any, sample: Sample) -> Any:
    """What the exported processor makes of a sample as users call it: chat template, then processor, no settings."""
    messages = [{"role": turn.role, "content": [_content(part) for part in turn.parts]} for turn in sample.turns]
    text = processor.apply_chat_template(messages, tokenize=False)
    images = [load_image(medium, sample.where) for medium in sample.media] or None
    return processor(text=[text], images=images, return_tensors="pt")


def _content(part: Part) -> dict[str, str]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    assert isinstance(part, MediaRef), "probes hold words and pictures"
    return {"type": "image"}


def _served_ids(processor: Any, sample: Sample) -> list[int]:
    """The ids of a sample's question in the one call that `transformers serve` makes, pictures inside the messages."""
    messages: list[dict[str, Any]] = []
    for turn in sample.prompt().turns:
        content: list[dict[str, Any]] = [_content(part) for part in turn.parts]
        for item, part in zip(content, turn.parts, strict=True):
            if isinstance(part, MediaRef):
                item["image"] = load_image(sample.media[part.index], sample.where)
        messages.append({"role": turn.role, "content": content})
    inputs = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    return [int(token) for token in inputs["input_ids"][0]]
