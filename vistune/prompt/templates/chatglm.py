"""ChatGLM's numbered rounds of questions and answers, which VisualGLM and XrayGLM are tuned with."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class Chatglm(Template):
    """`[Round 1]`, blank line, `问：QUESTION`, blank line, `答：ANSWER`, as ChatGLM2 writes them.

    The first ChatGLM counts from 0 (`first_round: 0`) and has single newlines in the place of the blank lines.
    """

    begin: str = "{bos}"
    system: str = ""
    system_suffix: str = "\n\n"
    user_prefix: str = "[Round {round}]\n\n问："
    later_user_prefix: str | None = "\n\n[Round {round}]\n\n问："
    user_suffix: str = "\n\n"
    assistant_prefix: str = "答："
    answer_suffix: str = "{eos}"
