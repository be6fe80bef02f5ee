"""A tokenizer's own chat template, read off what it writes: the same prompts, the same supervision, or one clear sentence."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from vistune.errors import InputError
from vistune.prompt.template import Template, as_text
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.spec import build, kinds

FOLDER = "vistune.prompt.templates"
TOKENS = {"bos": "<s>", "eos": "</s>"}
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}{{ bos_token }}"
    "{% for m in messages %}{{ '<u>' if m.role == 'user' else '<m>' }}\n{{ m.content | trim }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<m>\n{% endif %}"
)
SYSTEM_IN_QUESTION = (
    "{% if messages[0].role == 'system' %}{% set first = messages[0].content + '\n\n' %}{% set turns = messages[1:] %}"
    "{% else %}{% set first = '' %}{% set turns = messages %}{% endif %}{{ bos_token }}"
    "{% for m in turns %}{% if m.role == 'user' %}[Q] {{ (first if loop.first else '') + m.content }} [/Q]"
    "{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
THINKING = (
    "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' and loop.last %}<think></think>{% endif %}{{ m.content }}"
    "</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture
def tokenizer(tiny_language: str) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_language)


def conversations(system: bool = True) -> list[Sample]:
    question, answer = Turn("user", (Text("What is it?"),)), Turn("assistant", (Text("A bus."),))
    told = Turn("system", (Text("Be brief."),))
    plain = [Sample("1", (), (question, answer)), Sample("2", (), (question, answer, question, answer))]
    return plain + ([Sample("3", (), (told, question, answer))] if system else [])


DIFFERENT = {"plain", "alpaca", "chatglm", "mplug_owl", "panda_gpt", "qwen_vl", "react"}


@pytest.mark.parametrize("kind", sorted(DIFFERENT - {"plain"}))
def test_templates_that_no_text_tells_apart_are_read_back_to_the_same_text_or_refused(
    kind: str, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Numbered rounds, other first questions, marks that are supervised around questions: the text does not show these."""
    made = build(FOLDER, kind, Template)
    tokenizer.chat_template = made.chat_template("<image>")
    pictures = Media("image", data=b""), Media("image", data=b"")
    first, second = (Turn("user", (MediaRef(index), Text("What?"))) for index in (0, 1))
    answer = Turn("assistant", (Text("A bus"),))
    try:
        own = build(FOLDER, "own", Template, tokenizer=tokenizer)
    except InputError:
        return
    for sample in [*conversations(), Sample("4", pictures, (first, answer, second, answer))]:
        assert as_text(own.pieces(sample), TOKENS) == as_text(made.pieces(sample), TOKENS)


@pytest.mark.parametrize("kind", sorted({*kinds(FOLDER)} - {"own"} - DIFFERENT))
def test_our_templates_are_read_back_whole(kind: str, tokenizer: PreTrainedTokenizerBase) -> None:
    made = build(FOLDER, kind, Template)
    tokenizer.chat_template = made.chat_template("<image>")
    own = build(FOLDER, "own", Template, tokenizer=tokenizer)
    shown = Sample(
        "4", (Media("image", data=b""),), (Turn("user", (MediaRef(0), Text("What?"))), Turn("assistant", (Text("A bus"),)))
    )
    for sample in [*conversations(), shown]:
        theirs, ours = made.pieces(sample), own.pieces(sample)
        assert as_text(ours, TOKENS) == as_text(theirs, TOKENS)
        supervised = [as_text([piece for piece in pieces if piece.trained], TOKENS) for pieces in (ours, theirs)]
        assert supervised[0] == supervised[1]
    assert own.chat_template("<image>") == made.chat_template("<image>")


@pytest.mark.parametrize(("source", "system"), [(NO_SYSTEM, False), (SYSTEM_IN_QUESTION, True)])
def test_foreign_templates_are_followed(source: str, system: bool, tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.chat_template = source
    own = build(FOLDER, "own", Template, tokenizer=tokenizer)
    for sample in conversations(system):
        messages = [{"role": turn.role, "content": turn.text} for turn in sample.turns]
        assert as_text(own.pieces(sample), TOKENS) == tokenizer.apply_chat_template(messages, tokenize=False)


def test_a_template_that_rewrites_earlier_turns_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.chat_template = THINKING
    with pytest.raises(InputError, match=r"cannot be trained with .*earlier turns.*: name one"):
        build(FOLDER, "own", Template, tokenizer=tokenizer)


def test_a_tokenizer_without_one_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(InputError, match="has no chat template of its own"):
        build(FOLDER, "own", Template, tokenizer=tokenizer)
