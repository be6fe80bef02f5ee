"""LLaVA's alignment prompt: the picture, its caption, a newline."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class Plain(Template):
    """`<image>CAPTION\\n`: questions shrink to their media, no system sentence, no end token (LLaVA, section 4.2, stage 1)."""

    system: str = ""
    begin: str = "{bos}"
    question_text: bool = False
    answer_suffix: str = "\n"
