"""ReAct: thoughts and actions in answer to a question, then to what each action showed (Yao et al., arXiv 2210.03629)."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.prompt.template import Template


@dataclass(frozen=True, kw_only=True)
class React(Template):
    """`Question: Q`, then `Thought: ...` with its action as the answer; later turns of the user are `Observation: ...`."""

    begin: str = "{bos}"
    system_suffix: str = "\n"
    user_prefix: str = "Question: "
    later_user_prefix: str | None = "\nObservation: "
    user_suffix: str = "\n"
    assistant_prefix: str = "Thought:"
    answer_prefix: str = " "
    answer_suffix: str = "{eos}"
