"""Qwen-VL's ChatML: numbered pictures, and the marks of every turn supervised."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class QwenVl(Template):
    """`Picture 1: <img>PICTURE</img>` a line, in ChatML.

    The marks of all turns are supervised, questions' too, as the released fine-tuning does.
    """

    system_prefix: str = "<|im_start|>system\n"
    system_suffix: str = "<|im_end|>\n"
    system_when_empty: bool = True
    user_prefix: str = "<|im_start|>user\n"
    user_suffix: str = "<|im_end|>\n"
    assistant_prefix: str = "<|im_start|>assistant\n"
    answer_suffix: str = "<|im_end|>\n"
    trained_marks: tuple[str, ...] = ("<|im_start|>", "<|im_end|>\n")
    media_prefix: str = "Picture {n}: <img>"
    media_suffix: str = "</img>\n"
