"""ChatML, the template of Qwen and many others."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class Chatml(Template):
    """`<|im_start|>ROLE\\nTEXT<|im_end|>\\n` for every turn; an answer's end and the newline after it are supervised."""

    system_prefix: str = "<|im_start|>system\n"
    system_suffix: str = "<|im_end|>\n"
    system_when_empty: bool = True
    user_prefix: str = "<|im_start|>user\n"
    user_suffix: str = "<|im_end|>\n"
    assistant_prefix: str = "<|im_start|>assistant\n"
    answer_suffix: str = "<|im_end|>\n"
