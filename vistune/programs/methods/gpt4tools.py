"""GPT4Tools (Yang et al., NeurIPS 2023): a language model that sees nothing calls vision tools on pictures by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vistune.errors import InputError
from vistune.programs.formats.base import Talk
from vistune.programs.hands import Hands
from vistune.programs.loop import Outcome, converse
from vistune.programs.observation import ToolError
from vistune.programs.program import earlier, open_format, open_tools, pictures, question
from vistune.programs.session import Held, Session
from vistune.sample import Sample
from vistune.spec import Spec


class Gpt4tools:
    """The program `gpt4tools`.

    tools:    the toolbox; a mapping's keys are the names that the planner writes
    describe: the tool that says what a new picture shows before anything is asked; None: the person does, in the sample's
              `meta["described"]`, a text a picture, or nobody
    format:   how calls are spoken; `{kind: react_gpt4tools, released: true}` as the released client
    steps:    calls of the planner a question, at most
    """

    paper, plans = "arXiv 2305.18752", True

    def __init__(
        self,
        tools: Mapping[str, Spec] | Sequence[Spec] = ("detect", "segment", "crop", "edges"),
        describe: str | None = None,
        format: Spec = "react_gpt4tools",
        steps: int = 8,
    ) -> None:
        self._tools, self._describe = open_tools(tools), describe
        self._format, self._steps = open_format(format), steps
        if describe is not None:
            self._tools.named(describe)

    def run(self, task: Sample, session: Session, hands: Hands) -> Outcome:
        """See `Program`."""
        told = task.meta.get("described", ())
        if not isinstance(told, (list, tuple)) or not all(isinstance(text, str) for text in told):
            raise InputError(f"{task.where}: described is {str(told)[:60]!r}, expected a list of texts, one a picture")
        given = pictures(session)
        about = [*told, *[""] * len(given)]
        shown = [(held, text or self._about(held, session, hands)) for held, text in zip(given, about, strict=False)]
        talk = Talk(self._tools, question(task), shown, earlier(task))
        return converse(talk, self._format, session, hands, self._steps)

    def _about(self, held: Held, session: Session, hands: Hands) -> str:
        if self._describe is None:
            return ""
        tool = self._tools.named(self._describe)
        try:
            return hands.use(tool, {tool.takes[0].name: held.name}, session)[0].text
        except ToolError as error:  # the picture can still be asked about
            return str(error)
