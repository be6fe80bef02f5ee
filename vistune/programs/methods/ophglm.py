"""OphGLM's dialogue (Gao et al., arXiv 2306.12174): a classifier and a segmenter report, a language model talks about it.

The released article has no code; what is here follows its figure 2. Not held by a recording.
"""

from __future__ import annotations

from collections.abc import Sequence

from vistune.completer import Message, Request
from vistune.data.media.image import load_image
from vistune.programs.formats.base import turns
from vistune.programs.hands import Hands, PlannerError
from vistune.programs.loop import Outcome
from vistune.programs.observation import ToolError
from vistune.programs.pictures.areas import area
from vistune.programs.program import earlier, open_tool, question
from vistune.programs.session import Session, UnknownNameError
from vistune.sample import Region, Sample
from vistune.spec import Spec

SYSTEM = (
    "You are a doctor who explains a finding to a patient. The report below was made from the patient's picture. Answer the "
    "patient's questions from it, say what it does not tell, and advise to see a doctor where that is due."
)


class Ophglm:
    """The program `ophglm`.

    classify: the tool that names what the picture is of (`{kind: classify, names: [...]}`)
    segment:  the tool that gives masks of one finding
    findings: what is looked for
    """

    paper, plans = "arXiv 2306.12174", True

    def __init__(self, classify: Spec, findings: Sequence[str], segment: Spec = "segment") -> None:
        self._classify, self._segment, self._findings = open_tool(classify), open_tool(segment), tuple(findings)

    def run(self, task: Sample, session: Session, hands: Hands) -> Outcome:
        """See `Program`. The answer, with the masks of what was found."""
        try:
            report, regions = self._report(session, hands)
            messages = (Message("system", f"{SYSTEM}\n\n{report}"), *turns(earlier(task)), Message("user", question(task)))
            return Outcome(hands.ask(Request(messages, 512)).text.strip(), regions)
        except (ToolError, UnknownNameError) as error:
            return Outcome(ended="tool", why=str(error))
        except PlannerError as error:
            return Outcome(ended="planner", why=str(error))

    def _report(self, session: Session, hands: Hands) -> tuple[str, tuple[Region, ...]]:
        """The report as lines, and the masks it speaks of."""
        held = session.last()
        size = load_image(held.medium).size
        lines = [f"Impression: {hands.use(self._classify, {'image': held.name}, session)[0].text}"]
        found: list[Region] = []
        for name in self._findings:
            regions = hands.use(self._segment, {"image": held.name, "what": name}, session)[0].regions
            share = 100 * sum(float(area(region, size).mean()) for region in regions)
            lines.append(f"{name}: {len(regions)} found, {share:.1f} % of the picture" if regions else f"{name}: none found")
            found += regions
        return "\n".join(lines), tuple(found)
