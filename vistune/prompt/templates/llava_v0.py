"""The template of the first LLaVA, tuned from Vicuna 0: roles between runs of three number signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class LlavaV0(Template):
    """`SYSTEM###Human: QUESTION###Assistant: ANSWER###`.

    LLaVA-0 was trained on another string than it is asked in: turns on lines of their own, the header of every answer and the
    first token of every question's header supervised. That is `system_suffix: "\n\n", user_prefix: "### Human: ",
    user_suffix: "\n", assistant_prefix: "", answer_prefix: "### Assistant: ", answer_suffix: "\n", closing: "### ",
    trained_marks: ["##"]`.
    """

    begin: str = "{bos}"
    system_suffix: str = "###"
    user_prefix: str = "Human: "
    user_suffix: str = "###"
    assistant_prefix: str = "Assistant:"
    answer_prefix: str = " "
    answer_suffix: str = "###"
    media_first: bool | Literal["all"] = True
    media_suffix: str = "\n"
