"""Every family: the same prompt for training and generation, answers alone are learned, batches change nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from native_families import FAMILIES

from vistune.errors import InputError
from vistune.model.native.model import NativeModel
from vistune.model.native.spec import NativeSpec
from vistune.prompt.render import IGNORE
from vistune.sample import Media, MediaRef, Sample, Text, Turn

LORA = {"native": {"kind": "lora", "rank": 4, "targets": "attention"}}
READ = list(FAMILIES)


def picture(number: int) -> Media:
    size = (30, 40, 3) if number % 2 else (64, 32, 3)
    return Media("image", data=np.random.default_rng(number).integers(0, 255, size, dtype=np.uint8))


def sample(pictures: int, question: str = "What is it?", answer: str = "A red bus.") -> Sample:
    shown = [MediaRef(index) for index in range(pictures)]
    turns = (Turn("user", (*shown, Text(question))), Turn("assistant", (Text(answer),)))
    return Sample(f"s{pictures}", tuple(map(picture, range(pictures))), turns)


def opened(folder: str, **more: Any) -> NativeModel:
    torch.manual_seed(0)
    few: dict[str, Any] = {"max_patches": 16} if folder.endswith("kosmos2_5") else {}
    return NativeModel(NativeSpec(native=folder, **({"codec": "decimals", "pictures": few} | more))).eval()


def mixed(name: str) -> list[Sample]:
    """Samples with other counts of pictures and answers of other lengths, as far as the family reads them."""
    family = FAMILIES[name]
    counts = [count for count in (1, 2, 0) if family.least <= count <= family.most]
    return [sample(count, answer="A red bus." * (count + 1)) for count in counts]


@pytest.mark.parametrize("name", READ)
def test_a_batch_of_mixed_pictures_is_its_samples(name: str, tiny: Callable[[str], str]) -> None:
    model, samples = opened(tiny(name)), mixed(name)
    examples = [model.example(each, model.renderer()) for each in samples]
    with torch.no_grad():
        alone = sum(float(model(model.pack([example]))["text"].sum) for example in examples)
        together = float(model(model.pack(examples))["text"].sum)
    assert together == pytest.approx(alone, rel=1e-4)
    answers = model.generate(samples, max_new_tokens=6)
    assert answers == [model.generate([each], max_new_tokens=6)[0] for each in samples]


@pytest.mark.parametrize("name", READ)
def test_steps_on_adapters_of_the_text_part_lower_the_loss(name: str, tiny: Callable[[str], str]) -> None:
    model = opened(tiny(name), adapt=LORA)
    adapters = {key: value for key, value in model.named_parameters() if "lora_" in key}
    assert adapters and not any("vision" in key or "visual" in key for key in adapters)
    batch = model.pack([model.example(each, model.renderer()) for each in mixed(name)])
    optimizer = torch.optim.AdamW(adapters.values(), lr=2e-2)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(batch)["text"].sum
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[2] < losses[1] < losses[0]


@pytest.mark.parametrize("name", READ)
def test_what_generation_writes_is_what_training_predicts(name: str, tiny: Callable[[str], str]) -> None:
    """The tokens that greedy generation writes are the likeliest ones at the places where training learns them."""
    model, asked = opened(tiny(name)), mixed(name)[0]
    example = model.example(asked, model.renderer(), True)
    with torch.no_grad():
        inputs = model.pack([model.example(asked, model.renderer())]).inputs
        written = model.native.written(example.prompt, max_new_tokens=5, do_sample=False, pad_token_id=0)
        ids = written[0, -5:-1].tolist()  # the last one may be forced to be an end
        assert (
            inputs["input_ids"][0, : example.prompt["input_ids"].shape[1]].tolist() == example.prompt["input_ids"][0].tolist()
        )
        rendered = type(example.rendered)(example.rendered.ids + ids, example.rendered.labels + ids, {})
        taught = model.pack([type(example)("x", example.prompt, rendered)])
        logits = model.native.logits(taught.inputs, taught.labels)[0]
        if not model.native.encoder_decoder:
            logits = logits[-5:-1]
    assert logits.argmax(-1).tolist() == ids


@pytest.mark.parametrize("name", ["qwen2_vl", "idefics3", "blip2_t5"])
def test_answers_are_those_of_the_model_called_by_hand(name: str, tiny: Callable[[str], str]) -> None:
    folder, asked = tiny(name), sample(1)
    network = hf.AutoModelForImageTextToText.from_pretrained(folder).eval()
    pixels = asked.media[0].data
    model = opened(folder)
    processor = model.processor
    if name == "blip2_t5":
        inputs = processor(text="Question: What is it? Answer:", images=pixels, return_tensors="pt")
    else:
        content = [{"type": "image"}, {"type": "text", "text": "What is it?"}]
        text = processor.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            chat_template=processor.chat_template,
            add_generation_prompt=True,
            tokenize=False,
        )
        inputs = processor(text=[text], images=[[pixels]], return_tensors="pt")
    ids = network.generate(**inputs, max_new_tokens=8, do_sample=False)[0]
    new = ids if name == "blip2_t5" else ids[inputs["input_ids"].shape[1] :]
    assert model.generate([asked], max_new_tokens=8) == [processor.tokenizer.decode(new, skip_special_tokens=True).strip()]


def test_earlier_answers_are_learned_and_nothing_else(tiny: Callable[[str], str]) -> None:
    """Three questions, a picture in the first and the third: labels spell the answers and where their turns end."""
    model = opened(tiny("idefics3"))
    turns = (
        Turn("user", (MediaRef(0), Text("\nWhat?"))),
        Turn("assistant", (Text("A red bus."),)),
        Turn("user", (Text("Where?"),)),
        Turn("assistant", (Text("not this"),), train=False),
        Turn("user", (Text("And"), MediaRef(1), Text("this?"))),
        Turn("assistant", (Text("blue seven"),)),
        Turn("user", (Text("one?"),)),
        Turn("assistant", (Text("yes"),)),
    )
    example = model.example(Sample("m", (picture(0), picture(1)), turns), model.renderer())
    ids, labels = example.rendered.ids, example.rendered.labels
    assert all(label in (IGNORE, token) for token, label in zip(ids, labels, strict=True))
    end = "<|im_end|>"
    assert (
        model.tokenizer.decode([label for label in labels if label != IGNORE]) == f"A red bus.{end}blue seven{end}yes{end}</s>"
    )
    whole = model.tokenizer.decode(ids)
    assert whole.index("What?") < whole.index("A red bus.") < whole.index("Where?") < whole.index("And") < whole.index("this?")
    assert "<image>" in whole[whole.index("And") : whole.index("this?")], "the second picture stands inside its question"
    assert "What?" in whole and "\nWhat?" not in whole


def test_a_template_that_rewrites_answers_teaches_none(tiny: Callable[[str], str]) -> None:
    model = opened(tiny("llava"))
    model.processor.chat_template = "{{ messages | length }}{% if add_generation_prompt %}>{% endif %}"
    with pytest.raises(InputError, match="does not write an answer behind the prompt"):
        model.example(sample(0), model.renderer())


REFUSED = {
    "too many pictures": ("blip2", sample(2), "shows 2 pictures, but this model reads exactly 1"),
    "no picture": ("paligemma2", sample(0), "reads at least 1"),
    "a placeholder in the text": ("qwen2_vl", sample(0, "What is <|image_pad|>?"), "takes for a picture's place"),
    "a film": ("llava", Sample("f", (Media("video", data=b"x"),), sample(1).turns), "video media cannot be shown"),
    "a dialogue": ("florence2", Sample("d", (picture(0),), sample(1).turns * 2), "learns one answer a sample"),
    "nothing to learn": ("llava", Sample("n", (), sample(0).turns[:1]), "has no supervised token"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_model_cannot_read_is_refused(name: str, tiny: Callable[[str], str]) -> None:
    family, wrong, complaint = REFUSED[name]
    model = opened(tiny(family))
    with pytest.raises(InputError, match=complaint):
        model.example(wrong, model.renderer())


def test_a_family_that_needs_torchvision_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "lfm2_vl"}')
    (tmp_path / "preprocessor_config.json").write_text('{"image_processor_type": "Lfm2VlImageProcessor"}')
    with pytest.raises(InputError, match=r"prepares with torchvision only") as refusal:
        opened(str(tmp_path))
    assert "\n" not in str(refusal.value)


def test_a_codec_without_its_tokens_is_refused_and_a_long_sample_too(tiny: Callable[[str], str]) -> None:
    with pytest.raises(InputError, match="has no token '<loc_0>'"):
        opened(tiny("llava"), codec="location_tokens")
    model = opened(tiny("llava"), max_length=20)
    with pytest.raises(InputError, match="but the limit is 20"):
        model.example(sample(1), model.renderer())


def test_coordinates_are_written_as_the_familys_paper_does(tiny: Callable[[str], str]) -> None:
    from vistune.model.native.families import family_of
    from vistune.prompt.codec import Codec
    from vistune.sample import Region
    from vistune.spec import build

    box = Region(box=(0.1, 0.2, 0.5, 1.0))
    written = {
        "qwen2_vl": "<|box_start|>(100,200),(500,999)<|box_end|>",
        "qwen3_vl": "[100, 200, 500, 1000]",
        "internvl": "<box>[[100, 200, 500, 1000]]</box>",
        "florence2": "<loc_100><loc_200><loc_500><loc_999>",
        "paligemma": "<loc0205><loc0102><loc1023><loc0512>",
        "llava": "[0.100,0.200,0.500,1.000]",
    }
    for name, text in written.items():
        codec: Codec = build(
            "vistune.prompt.codecs", family_of(SimpleNamespace(model_type=name, architectures=None)).codec, Codec
        )
        assert codec.encode(box) == text
        (read,) = codec.decode(f"it is {text}.")
        assert read.box == pytest.approx(box.box, abs=2e-3)
