"""The template of Vicuna 1.1 and 1.5, which LLaVA-1.5 is tuned with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class VicunaV1(Template):
    """`SYSTEM USER: <image>\\nQUESTION ASSISTANT: ANSWER</s>USER: ...`: no space after an answer's end."""

    begin: str = "{bos}"
    system_suffix: str = " "
    user_prefix: str = "USER: "
    user_suffix: str = " "
    assistant_prefix: str = "ASSISTANT:"
    answer_prefix: str = " "
    answer_suffix: str = "{eos}"
    media_first: bool | Literal["all"] = True
    media_suffix: str = "\n"
