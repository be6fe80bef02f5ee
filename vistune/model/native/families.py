"""What a family needs that its processor does not say: how it is asked where it has no chat template, and its coordinates.

A family is a configuration's `model_type`, or one of its architectures. One that is not listed here works as it is when its
processor has a chat template.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vistune.spec import Spec

MANY = 1_000_000


@dataclass(frozen=True)
class Form:
    """How a model without a chat template is asked: `question` and `answer` in their places, `past` for a pair before (None:
    it knows none). `shown` stands for each picture, before the words, or among them where the processor takes words and
    pictures as one list (`mixed`)."""

    question: str
    answer: str = "{}"
    past: str | None = None
    shown: str = ""
    mixed: bool = False


@dataclass(frozen=True)
class Family:
    """`form`: see `Form`. `codec`: how its paper writes coordinates. `pictures`: fewest and most in one sample. `text`: the
    module path of the text part where `get_decoder()` names another. `rows`: its picture tensors have one row a sample, not
    one a picture. `suffix`: the token type of an answer's tokens. `indices`: a tensor whose numbers, but negative ones, are
    places in another, counted over its first two dimensions. `alone`: it knows no padding before a prompt, so that prompts
    are answered one by one."""

    form: Form | None = None
    codec: Spec = "decimals"
    pictures: tuple[int, int] = (0, MANY)
    text: str | None = None
    rows: bool = False
    suffix: int = 0
    indices: tuple[str, str] | None = None
    alone: bool = False


# BLIP-2, arXiv 2301.12597, section 4.2: the prompt for OPT; FlanT5's ("Short answer:") is given by `prompt`.
_BLIP_2 = Form("Question: {} Answer:", " {}", "Question: {} Answer: {}. ")
# BLIP, arXiv 2201.12086, section 4: captions begin with this prompt, whatever is asked; answers are told the question.
_BLIP = Form("a picture of", " {}")
# Kosmos-2, arXiv 2306.14824, section 4.3, after Kosmos-1: visual question answering.
_KOSMOS_2 = Form("Question: {} Answer:", " {}")
# IDEFICS: the dialogue of the model card's example.
_IDEFICS = Form("User: {}\nAssistant:", " {}", "User: {}\nAssistant: {}\n", "<image>", mixed=True)
# The instruction itself is the prompt: InstructBLIP (arXiv 2305.06500, section 2.3), Florence-2 (arXiv 2311.06242, section
# 4.1: a task's sentence or token), Kosmos-2.5 (arXiv 2309.11419, section 2: a task token), PaliGemma (arXiv 2407.07726,
# section 3.1: prefix and suffix, which its processor separates by a line end).
_PLAIN = Form("{}")

# Qwen2-VL, arXiv 2409.12191, section 2.2.1: corners in thousandths between two tokens.
_QWEN2_VL = {
    "kind": "integers",
    "box": "<|box_start|>({x1},{y1}),({x2},{y2})<|box_end|>",
    "point": "<|box_start|>({x},{y})<|box_end|>",
    "scale": 1000,
    "top": 999,
}
# Qwen3-VL, arXiv 2511.21631: corners in thousandths as a list. Qwen2.5-VL writes pixels of the resized picture, which a codec
# does not know: it gets the default.
_QWEN3_VL = {"kind": "integers", "box": "[{x1}, {y1}, {x2}, {y2}]", "point": "[{x}, {y}]", "scale": 1000}
# InternVL 1.5, arXiv 2404.16821, and its successors: thousandths between two tokens.
_INTERNVL = {
    "kind": "integers",
    "box": "<box>[[{x1}, {y1}, {x2}, {y2}]]</box>",
    "point": "<box>[[{x}, {y}]]</box>",
    "scale": 1000,
}
# Florence-2, arXiv 2311.06242, section 4.1: 1,000 bins.
_FLORENCE_2 = {"kind": "location_tokens", "bins": 999}
# PaliGemma, arXiv 2407.07726, section 3.1.3: 1,024 bins, four digits, y before x.
_PALIGEMMA = {
    "kind": "location_tokens",
    "bins": 1023,
    "separator": "",
    "width": 4,
    "box": "{y1}{x1}{y2}{x2}",
    "point": "{y}{x}",
}

FAMILIES: dict[str, Family] = {
    "blip": Family(_BLIP, pictures=(1, 1), text="text_decoder.bert.encoder.layer", alone=True),
    "BlipForQuestionAnswering": Family(_PLAIN, pictures=(1, 1), text="text_decoder.bert.encoder.layer", alone=True),
    "blip-2": Family(_BLIP_2, pictures=(1, 1)),
    "instructblip": Family(_PLAIN, pictures=(1, 1), text="language_model"),
    "florence2": Family(_PLAIN, _FLORENCE_2, pictures=(1, 1)),
    "kosmos-2": Family(_KOSMOS_2, pictures=(1, 1)),
    "kosmos-2.5": Family(_PLAIN, pictures=(1, 1)),
    "paligemma": Family(Form("{}", shown="<image>"), _PALIGEMMA, pictures=(1, MANY), suffix=1),
    "idefics": Family(_IDEFICS, text="model.layers", rows=True),
    "idefics2": Family(rows=True),
    "idefics3": Family(rows=True),
    "smolvlm": Family(rows=True),
    "mllama": Family(rows=True),
    "molmo2": Family(indices=("image_token_pooling", "pixel_values")),
    "qwen2_vl": Family(codec=_QWEN2_VL),
    "qwen3_vl": Family(codec=_QWEN3_VL),
    "internvl": Family(codec=_INTERNVL),
}


def family_of(config: Any) -> Family:
    """The entry of a configuration's architecture or family, or that of a family with nothing special."""
    (architecture,) = (config.architectures or [""])[:1]
    return FAMILIES.get(architecture) or FAMILIES.get(config.model_type, Family())
