"""Stanford Alpaca's layout, which LLaMA-Adapter and many early models are tuned with."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class Alpaca(Template):
    """SYSTEM, `### Instruction:`, the question, `### Response:`, the answer and the end token.

    Alpaca writes an input below the instruction, under a heading of its own; the instructions reader's `between` sets that.
    """

    begin: str = "{bos}"
    system_suffix: str = "\n\n"
    user_prefix: str = "### Instruction:\n"
    later_user_prefix: str | None = "\n\n### Instruction:\n"
    user_suffix: str = "\n\n"
    assistant_prefix: str = "### Response:"
    answer_suffix: str = "{eos}"
