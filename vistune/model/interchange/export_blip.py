"""Export as BLIP-2 or InstructBLIP of `transformers`: a Q-Former that is told the question makes the difference.

    here                              written
    vision.model...                   vision_model...
    connector.norm                    vision_model.post_layernorm      (nobody reads the tower's own)
    connector.queries [K, D]          query_tokens [1, K, D]
    connector.model...                qformer...
    connector.proj                    language_projection
    llm.model...                      language_model...

Their processors put the picture in front of the text and leave first and last tokens to the tokenizer, so the written tokenizer
adds what our template writes there: `<s>` for decoders, `</s>` behind what an encoder reads.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from huggingface_hub import save_torch_state_dict
from tokenizers.processors import TemplateProcessing
from torch import Tensor

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.model.connectors.q_former import QFormer
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
from vistune.model.interchange.probe import largest_difference, probes
from vistune.model.preparing import question_about
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.render import IGNORE
from vistune.prompt.template import Template, as_text
from vistune.sample import Sample
from vistune.spec import split

TOWERS = ("blip_2_vision_model", "instructblip_vision_model")
NAMES = {
    "vision.model.": "vision_model.",
    "connector.norm.": "vision_model.post_layernorm.",
    "connector.model.": "qformer.",
    "connector.proj.": "language_projection.",
    "connector.queries": "query_tokens",
    "llm.model.": "language_model.",
}


BLIP_2 = Architecture(hf.Blip2Config, hf.Blip2ForConditionalGeneration, hf.Blip2Processor)
INSTRUCTBLIP = Architecture(hf.InstructBlipConfig, hf.InstructBlipForConditionalGeneration, hf.InstructBlipProcessor)


def _parts(model: VisionLanguageModel) -> tuple[Huggingface, QFormer, Architecture]:
    """Tower, Q-Former and architecture. Raises `InputError` for parts that neither of the two has."""
    tower, connector = model.vision, model.connector
    assert isinstance(connector, QFormer)
    if not isinstance(tower, Huggingface) or tower.model.config.model_type not in TOWERS:
        raise InputError("the vision tower is none of BLIP-2's, such as that in Salesforce/blip2-opt-2.7b")
    if tower.layers != [-1] or tower.cls != "keep" or tower.fit != "resize" or tower.resized:
        raise InputError(
            "transformers' BLIP-2 reads the tower's last layer, first token kept, of pictures squashed to its size"
        )
    if model.llm.width != model.llm.hidden_width:
        raise InputError("transformers' BLIP-2 has no language model whose embeddings are narrower than its layers (OPT-350m)")
    fusion = split(model.spec.fusion)[0]
    if fusion != "splice":
        raise InputError(f"the fusion {fusion!r} is not transformers' BLIP-2's, which is splice")
    return tower, connector, BLIP_2 if connector.tokenizer is None else INSTRUCTBLIP


def write(model: VisionLanguageModel, folder: Path) -> None:
    """Configuration, weights, tokenizers and processor."""
    tower, connector, architecture = _parts(model)
    tokenizer = written_tokenizer(model, folder)
    tokenizer.add_tokens([hf.AddedToken(IMAGE, normalized=False, special=True)], special_tokens=True)
    # These processors take no chat template, so begin and end tokens must come from the tokenizer itself.
    tokenizer.backend_tokenizer.post_processor = _ends(model.template, tokenizer)
    tokenizer.chat_template = _bare(model.template).chat_template("")  # their processors have none
    asked = {}
    if connector.tokenizer is not None:
        connector.tokenizer.backend_tokenizer.no_padding()  # the last question's padding is no part of it
        asked = {"qformer_tokenizer": connector.tokenizer}
    side = {"height": tower.size, "width": tower.size}
    processor: Any = architecture.processor(
        hf.BlipImageProcessorPil(size=side, image_mean=list(tower.mean), image_std=list(tower.std)),
        tokenizer,
        num_query_tokens=len(connector.queries),
        **asked,
    )
    processor.save_pretrained(folder)
    rename_classes(folder)
    config: Any = architecture.config(
        vision_config=_untyped(backbone_config(tower.model)),
        qformer_config=_untyped(backbone_config(connector.model)),
        text_config=text_config(model, tokenizer),
        num_query_tokens=len(connector.queries),
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
    )
    architecture.write(config, folder)
    write_generation_config(model, tokenizer, folder)
    save_torch_state_dict(_renamed(written_weights(model, len(tokenizer))), folder, metadata={"format": "pt"})


def _untyped(config: dict[str, Any]) -> dict[str, Any]:
    """The two architectures call the same tower and Q-Former by other names."""
    return {key: value for key, value in config.items() if key not in ("model_type", "architectures")}


def _renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    named = {}
    for name, tensor in weights.items():
        prefix = next(prefix for prefix in NAMES if name.startswith(prefix))
        if not name.startswith("vision.model.post_layernorm."):
            # Queries are stored with a batch axis there. The tower's own last norm is the connector's norm, which is written
            # instead.
            named[NAMES[prefix] + name.removeprefix(prefix)] = tensor[None] if name == "connector.queries" else tensor
    return named


def _ends(template: Template, tokenizer: Any) -> TemplateProcessing:
    """What the tokenizer puts around the text, where the template has it."""
    first = template.media_suffix.startswith("{bos}")
    last = (template.user_suffix + template.assistant_prefix).endswith("{eos}")
    around = [tokenizer.bos_token] if first else [], [tokenizer.eos_token] if last else []
    special = [(token, tokenizer.convert_tokens_to_ids(token)) for token in {*around[0], *around[1]}]
    return TemplateProcessing(single=[*around[0], "$A", *around[1]], special_tokens=special)


def _bare(template: Template) -> Template:
    """The template without what the tokenizer adds."""
    values = {field.name: getattr(template, field.name) for field in fields(Template)}
    values["media_suffix"] = template.media_suffix.removeprefix("{bos}")
    values["user_suffix"] = template.user_suffix.removesuffix("{eos}")
    return Template(**values)


def processor_inputs(model: VisionLanguageModel, processor: Any, sample: Sample) -> Any:
    """What the exported processor makes of the question about a picture that `sample` ends with."""
    text = as_text(_bare(model.template).pieces(sample, answer_next=True), {}, "")
    images = [load_image(medium, sample.where) for medium in sample.media]
    return processor(images=images, text=[text], return_tensors="pt")


def compare(model: VisionLanguageModel, folder: Path) -> float:
    """The largest difference of logits between `model` and what `transformers` loads from `folder`, prompts and all."""
    _, connector, architecture = _parts(model)
    copy = read_whole(architecture.model, folder).to(model.device)
    processor = hf.AutoProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
    was_training = model.training
    model.eval()
    ours, theirs = [], []
    for sample in (probe for probe in probes(model) if len(probe.media) == 1):
        inputs = processor_inputs(model, processor, sample.prompt())
        row = model.example(sample, model.renderer()).rendered
        first = row.labels.index(next(label for label in row.labels if label != IGNORE))
        # Placeholders have different ids on both sides; everything else must be the same ids.
        image, place = copy.config.image_token_index, model.renderer().placeholder
        if [place if token == image else token for token in inputs["input_ids"][0].tolist()] != row.ids[:first]:
            raise InputError(
                "the template sets prompts in another way than BLIP-2's processors, which is: picture, <s>, question"
            )
        if connector.tokenizer is not None:
            question = connector.tokenizer([question_about(sample, 0)], return_tensors="pt")["input_ids"]
            if not torch.equal(question, inputs["qformer_input_ids"]):
                raise InputError("the template adds words to the question, which InstructBLIP's Q-Former would be told, too")
        expected = _logits(copy, inputs.to(model.device), torch.tensor([row.ids[first:]], device=model.device))
        # Only the answer's logits: places of the picture hold other embeddings in the two rows' beginnings.
        ours.append(model.logits([sample])[0][first - 1 : -1])
        # An encoder-decoder gives logits of the answer alone, a decoder those of the prompt in front as well.
        theirs.append(expected[-len(ours[-1]) :])
    model.train(was_training)
    return check_difference(largest_difference(ours, theirs))


@torch.no_grad()
def _logits(copy: Any, inputs: Any, answer: Tensor) -> Tensor:
    """What `transformers` gives for each token of `answer [1, A]` behind a prompt: `[A, vocabulary]`, or more rows before."""
    if not copy.config.use_decoder_only_language_model:
        logits: Tensor = copy(**inputs, labels=answer).logits[0]
        return logits
    ids = torch.cat([inputs["input_ids"], answer], dim=1)
    logits = copy(**inputs | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}).logits[0, :-1]
    return logits
