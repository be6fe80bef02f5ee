"""InternLM's first chat layout, which InternLM-XComposer is tuned with."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class Internlm(Template):
    """`<|User|>:QUESTION<eoh>`, newline, `<|Bot|>:ANSWER<eoa>`, newline; there is no system sentence by default."""

    begin: str = "{bos}"
    system: str = ""
    system_prefix: str = "<|System|>:"
    system_suffix: str = "\n"
    user_prefix: str = "<|User|>:"
    user_suffix: str = "<eoh>\n"
    assistant_prefix: str = "<|Bot|>:"
    answer_suffix: str = "<eoa>\n"
