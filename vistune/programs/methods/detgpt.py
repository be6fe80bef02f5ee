"""DetGPT (Pi et al., arXiv 2305.14167): reason about what would serve a wish, then find it with an open-vocabulary detector."""

from __future__ import annotations

from vistune.construction.parsers.target_names import names, without_names
from vistune.programs.hands import Hands
from vistune.programs.loop import Outcome
from vistune.programs.observation import ToolError
from vistune.programs.program import open_tool, picture, question
from vistune.programs.session import Session
from vistune.sample import Region, Sample
from vistune.spec import Spec

WISH = " Reason step by step and end with: <Therefore the answer is: [object_names]>"


class Detgpt:
    """The program `detgpt`.

    answer: the tool that reasons about the picture (`{kind: answer, model: DIR}`, a model of the recipe `detgpt`)
    detect: the tool that finds one name
    wish:   what is said behind the question; empty for a model whose template says it
    """

    paper, plans = "arXiv 2305.14167", False

    def __init__(self, answer: Spec, detect: Spec = "detect", wish: str = WISH) -> None:
        self._answer, self._detect, self._wish = open_tool(answer), open_tool(detect), wish

    def run(self, task: Sample, session: Session, hands: Hands) -> Outcome:
        """See `Program`. The answer without its closing phrase, and a box for each name that is there."""
        try:
            shown = picture(session).name
            said = hands.use(self._answer, {"image": shown, "question": f"{question(task)}{self._wish}"}, session)[0].text
            found: list[Region] = []
            for name in names(said):
                found += hands.use(self._detect, {"image": shown, "what": name}, session)[0].regions
        except ToolError as error:
            return Outcome(ended="tool", why=str(error))
        return Outcome(without_names(said).strip(), tuple(found))
