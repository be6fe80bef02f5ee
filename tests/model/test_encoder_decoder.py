"""T5 and FLAN-T5 behind the wrapper: the losses, logits and answers of `transformers`, samples apart, answers one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from families import encoder_decoder
from safetensors.torch import load_file

from vistune.errors import InputError
from vistune.model.language.encoder_decoder import EncoderDecoder, language_model
from vistune.model.language.inputs import Inputs
from vistune.model.packing import pack
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import load
from vistune.recipe import Recipe
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.training.run import train

TEMPLATE = {"kind": "plain", "begin": "", "question_text": True, "user_suffix": "{eos}", "answer_suffix": "{eos}"}


@pytest.fixture(scope="module", params=["t5", "flan"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return encoder_decoder(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def spec(folder: str, tiny_clip: str) -> dict[str, Any]:
    return {"llm": folder, "vision": {"kind": "huggingface", "path": tiny_clip}, "connector": "mlp", "template": TEMPLATE}


@pytest.fixture(scope="module")
def model(spec: dict[str, Any]) -> VisionLanguageModel:
    torch.manual_seed(0)
    return VisionLanguageModel(ModelSpec.from_json(spec)).eval()


def sample(name: str, seed: int, question: str = "What is in the picture?", answer: str = "A red bus.") -> Sample:
    picture = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    turns = (Turn("user", (MediaRef(0), Text(question))), Turn("assistant", (Text(answer),)))
    return Sample(name, (Media("image", data=picture),), turns)


def texts(*words: str) -> Sample:
    """A conversation without pictures."""
    roles = ("user", "assistant")
    return Sample("words", (), tuple(Turn(roles[n % 2], (Text(word),)) for n, word in enumerate(words)))  # type: ignore[arg-type]


def loss(model: VisionLanguageModel, samples: list[Sample]) -> torch.Tensor:
    return model(pack([model.example(sample, model.renderer()) for sample in samples]))["text"].sum


def test_the_loss_is_that_of_transformers_on_padded_inputs(folder: str, model: VisionLanguageModel) -> None:
    reference = hf.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    pairs = [("What is in the picture?", "A red bus."), ("Say no.", "no"), ("Where is the blue seven?", "Two cats on a mat.")]
    tokenizer = model.llm.tokenizer
    rows = [[tokenizer(text + "</s>", add_special_tokens=False)["input_ids"] for text in pair] for pair in pairs]
    read = tokenizer.pad({"input_ids": [row[0] for row in rows]}, padding_side="right", return_tensors="pt")
    labels = torch.nn.utils.rnn.pad_sequence([torch.tensor(row[1]) for row in rows], batch_first=True, padding_value=-100)
    with torch.no_grad():
        expected = reference(**read, labels=labels).loss * (labels != -100).sum()
        got = loss(model, [texts(*pair) for pair in pairs])
    torch.testing.assert_close(got / (labels != -100).sum(), expected / (labels != -100).sum(), atol=1e-5, rtol=0)


def test_packed_is_one_by_one(model: VisionLanguageModel) -> None:
    samples = [sample("a", 1), texts("Say no.", "no"), sample("b", 2, "Where is the blue seven?", "yes no one two")]
    with torch.no_grad():
        together = loss(model, samples)
        alone = sum(loss(model, [one]) for one in samples)
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-6)
    for packed, one in zip(model.logits(samples), samples, strict=True):
        torch.testing.assert_close(packed, model.logits([one])[0], atol=1e-5, rtol=1e-5)


def test_another_first_sample_leaves_the_second_as_it_was(model: VisionLanguageModel) -> None:
    second = sample("second", 2)
    kept = model.logits([sample("first", 1), second])
    changed = model.logits([sample("first", 3), second])
    assert not torch.equal(kept[0], changed[0])
    assert torch.equal(kept[1], changed[1])
    longer = model.logits([sample("first", 3, answer="Two cats on a mat."), second])
    torch.testing.assert_close(longer[1], kept[1], atol=1e-5, rtol=0)


def test_every_answer_is_a_target_that_sees_what_stands_before_it(model: VisionLanguageModel) -> None:
    whole = texts("Say no.", "no", "Why?", "A red bus.")
    batch = pack([model.example(whole, model.renderer())])
    first = texts("Say no.", "no")
    history = replace(whole, turns=(*whole.turns[:1], replace(whole.turns[1], train=False), *whole.turns[2:]))
    with torch.no_grad():
        torch.testing.assert_close(loss(model, [whole]), loss(model, [first]) + loss(model, [history]), atol=1e-4, rtol=1e-6)
    assert batch.supervised == int((batch.labels != -100).sum())
    other = texts("Say yes.", "yes", "Why?", "A red bus.")
    assert not torch.equal(model.logits([whole])[0][-3:], model.logits([other])[0][-3:])


def test_answers_are_those_of_transformers(folder: str, model: VisionLanguageModel) -> None:
    reference = hf.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    questions = ["What is in the picture?", "Say no.", "Where is the blue seven?"]
    answers = model.generate([texts(question) for question in questions], max_new_tokens=6)
    for question, answer in zip(questions, answers, strict=True):
        ids = model.llm.tokenizer(question + "</s>", add_special_tokens=False, return_tensors="pt")["input_ids"]
        theirs = reference.generate(ids, max_new_tokens=6, do_sample=False)[0, 1:]
        assert answer == model.llm.tokenizer.decode(theirs).split("</s>")[0].strip()
    assert len(set(answers)) > 1


def test_every_weight_learns(spec: dict[str, Any]) -> None:
    model = VisionLanguageModel(ModelSpec.from_json(spec))
    loss(model, [sample("a", 1), texts("Say no.", "no")]).backward()
    idle = [name for name, parameter in model.named_parameters() if parameter.grad is None and not name.startswith("vision")]
    assert idle == [] and len(model.llm.blocks) == 4


@pytest.mark.parametrize("trained", [{"llm": 1e-3}, {"llm.adapter": 1e-2}])
def test_it_trains_and_a_checkpoint_is_loaded_to_the_same_logits(
    spec: dict[str, Any], tmp_path: Path, trained: dict[str, float]
) -> None:
    adapt = {"adapt": {"llm": {"kind": "lora", "rank": 2}}} if "llm.adapter" in trained else {}
    stage = {"name": "tune", "data": "world:?task=instructions&size=16", "batch": 4, "steps": 2, "warmup": 0.0}
    codec = {"kind": "location_tokens", "bins": 8}
    made = {"name": "test", "model": spec | adapt | {"codec": codec}, "stages": [stage | {"train": trained | {"vision": 1e-4}}]}
    model = load(train(Recipe.from_json(made), tmp_path / "run", report=False))
    again = load(tmp_path / "run" / "tune")
    assert torch.equal(model.logits([sample("a", 1)])[0], again.logits([sample("a", 1)])[0])
    own = model.llm.model.lm_head.weight.data_ptr() != model.llm.embeddings.data_ptr()
    assert own == (not model.llm.model.config.scale_decoder_outputs)


def test_a_head_of_its_own_is_read_and_kept_when_tokens_are_added(tmp_path: Path) -> None:
    model = language_model(encoder_decoder("flan", tmp_path / "flan"))
    weights = load_file(tmp_path / "flan" / "model.safetensors")
    head = weights["lm_head.weight"]
    rows = len(head)
    assert not torch.equal(head, weights["shared.weight"])
    assert torch.equal(model.model.lm_head.weight, head)
    model.add_tokens([f"<new{number}>" for number in range(len(model.embeddings) - len(model.tokenizer) + 3)])
    assert len(model.model.lm_head.weight) == len(model.tokenizer) > rows
    assert torch.equal(model.model.lm_head.weight[:rows], head)
    assert torch.equal(model.embeddings[:rows], weights["shared.weight"])
    assert model.model.get_encoder().embed_tokens.weight is model.embeddings


def test_what_cannot_be_done_is_one_sentence(folder: str, spec: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the language model is an encoder-decoder: use splice"):
        VisionLanguageModel(ModelSpec.from_json(spec | {"fusion": "gated_cross_attention"}))
    hf.BartConfig(d_model=16, encoder_layers=1, decoder_layers=1).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="is a bart; of encoder-decoders"):
        language_model(str(tmp_path))
    model = language_model(folder)
    assert isinstance(model, EncoderDecoder)
    with pytest.raises(ValueError, match="which tokens are answers"):
        model(Inputs(model.embed(torch.tensor([3, 4])), torch.arange(2), (2,)))
