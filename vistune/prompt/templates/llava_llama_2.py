"""The template of LLaMA-2-chat as LLaVA uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class LlavaLlama2(Template):
    """`<s>[INST] <<SYS>>\\nSYSTEM\\n<</SYS>>\\n\\nQUESTION [/INST] ANSWER </s><s>[INST] ...`."""

    system_in_first_question: bool = True
    system_prefix: str = "<<SYS>>\n"
    system_suffix: str = "\n<</SYS>>\n\n"
    user_prefix: str = "{bos}[INST] "
    user_suffix: str = " [/INST]"
    answer_prefix: str = " "
    answer_suffix: str = " {eos}"
    media_first: bool | Literal["all"] = True
    media_suffix: str = "\n"
