"""The template of mPLUG-Owl: a line a turn, and a line of its own for each picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class MplugOwl(Template):
    """SYSTEM, `Human: PICTURE`, `Human: QUESTION`, `AI: ANSWER</s>`, a line each.

    The blank behind `AI:` is not supervised, and prompts end before it. Data that set pictures inside their line take
    `media_first: false, media_suffix: ""`.
    """

    begin: str = "{bos}"
    user_prefix: str = "\nHuman: "
    user_suffix: str = "\n"
    assistant_prefix: str = "AI:"
    answer_prefix: str = " "
    answer_prefix_trained: bool = False
    answer_suffix: str = "{eos}"
    media_first: bool | Literal["all"] = "all"
    media_suffix: str = "\nHuman: "
