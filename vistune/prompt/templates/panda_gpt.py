"""The template of PandaGPT and NExT-GPT: one medium in front of the first question, an answer up to the next mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class PandaGpt(Template):
    """`### Human: <Img>MEDIUM</Img> QUESTION`, newline, `### Assistant:ANSWER`, newline, `###`.

    NExT-GPT: `assistant_prefix: "### Assistant: "`.
    """

    system: str = ""
    begin: str = "{bos}### "
    user_prefix: str = "Human: "
    user_suffix: str = "\n"
    assistant_prefix: str = "### Assistant:"
    answer_suffix: str = "\n###"
    media_first: bool | Literal["all"] = True
    media_prefix: str = "<Img>"
    media_suffix: str = "</Img> "
