"""The templates of MiniGPT-4, v2 and their kin: pictures between words, no white space before an answer is taught."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class Minigpt4(Template):
    """`<s>[INST] <Img>PICTURE</Img> QUESTION [/INST]ANSWER</s>`, as MiniGPT-v2 is trained; pictures stay where they are.

    MiniGPT-4 (Vicuna 0): `begin: "{bos}", system_suffix: "###", user_prefix: "Human: ", user_suffix: "###",
    assistant_prefix: "Assistant: ", answer_suffix: "###"`.
    """

    system: str = ""
    user_prefix: str = "{bos}[INST] "
    user_suffix: str = " [/INST]"
    answer_suffix: str = "{eos}"
    media_prefix: str = "<Img>"
    media_suffix: str = "</Img>"
