"""BuboGPT's grounding (Zhao et al., arXiv 2307.08581): tags, boxes, masks, and which words of the answer name them."""

from __future__ import annotations

from dataclasses import replace

from vistune.completer import Message, Request
from vistune.programs.entities import matched
from vistune.programs.hands import Hands, PlannerError
from vistune.programs.loop import Outcome
from vistune.programs.observation import ToolError
from vistune.programs.program import open_tool, picture, question
from vistune.programs.session import Session
from vistune.sample import Region, Sample
from vistune.spec import Spec

SYSTEM = (
    "You are given a list of things that were found in a picture and a text about it. Say which words of the text name which "
    "thing of the list, one pair a line: the words as they stand in the text, a space, a hyphen, a space, and the thing as it "
    "stands in the list. Leave out what has no counterpart, and use each word once.\n\n"
    "<List>['kite', 'beach', 'child']</List><Text>Two children fly a red kite by the sea.</Text>\n"
    "children - child\nred kite - kite"
)


class Bubogpt:
    """The program `bubogpt`.

    answer:  the tool that answers about the picture (a model of this package)
    tag:     the tool that names what is in the picture, with commas between the names (`{kind: tag, names: [...]}`)
    segment: the tool that gives masks of one name
    """

    paper, plans = "arXiv 2307.08581", True

    def __init__(self, answer: Spec, tag: Spec, segment: Spec = "segment") -> None:
        self._answer, self._tag, self._segment = open_tool(answer), open_tool(tag), open_tool(segment)

    def run(self, task: Sample, session: Session, hands: Hands) -> Outcome:
        """See `Program`. The answer, and a mask for each of its phrases that names something found, labelled by the phrase."""
        try:
            shown = picture(session).name
            said = hands.use(self._answer, {"image": shown, "question": question(task)}, session)[0].text
            tags = hands.use(self._tag, {"image": shown}, session)[0].text
            found: dict[str, tuple[Region, ...]] = {}
            for tag in filter(None, (name.strip().lower() for name in tags.split(","))):
                regions = hands.use(self._segment, {"image": shown, "what": tag}, session)[0].regions
                if regions:
                    found[tag] = regions
            if not found:
                return Outcome(said)
            reply = hands.ask(_request(said, list(found)))
        except ToolError as error:
            return Outcome(ended="tool", why=str(error))
        except PlannerError as error:
            return Outcome(said, ended="planner", why=str(error))
        match = matched(said, list(found), reply.text)
        phrases = {number: words for words, number in match.pieces if number is not None}
        regions = tuple(replace(region, label=phrases[number]) for number, tag in match.tags.items() for region in found[tag])
        return Outcome(said, regions)


def _request(text: str, tags: list[str]) -> Request:
    return Request((Message("system", SYSTEM), Message("user", f"<List>{tags}</List><Text>{text}</Text>")), 512)
