"""LLaVA-Interactive (Chen et al., arXiv 2311.00571): chat, segment, remove, move and insert on one session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vistune.errors import InputError
from vistune.programs.formats.base import filled
from vistune.programs.hands import Hands
from vistune.programs.loop import Outcome
from vistune.programs.observation import ToolError
from vistune.programs.program import open_tool, open_tools, question
from vistune.programs.session import Held, Session, UnknownNameError
from vistune.sample import Region, Sample
from vistune.spec import Spec

TOOLS: Mapping[str, Spec] = {"segment": "segment", "remove": "remove", "move": "move"}


class LlavaInteractive:
    """The program `llava_interactive`. Nobody plans: the person's wishes stand in the sample, under `meta["wishes"]`:

        [{"tool": "segment", "arguments": {"image": "$0", "what": "red seven"}},
         {"tool": "remove", "arguments": {"image": "$0", "region": "$1"}}]

    `$0` is the picture, `$1` what the first wish gave: the medium it made, else its first region. The sample's question, if
    there is one, is then asked about the last picture.

    tools:  by the names that wishes use; add `{insert: {kind: insert, by: PAINTER}}` where there is a painter
    answer: the tool that answers the question (a model of this package)
    """

    paper, plans = "arXiv 2311.00571", False

    def __init__(self, tools: Mapping[str, Spec] = TOOLS, answer: Spec | None = None) -> None:
        self._tools, self._answer = open_tools(tools), None if answer is None else open_tool(answer)

    def run(self, task: Sample, session: Session, hands: Hands) -> Outcome:
        """See `Program`. Regions are those of the last wish that gave some."""
        wishes = task.meta.get("wishes", [])
        if not isinstance(wishes, list) or not all(isinstance(wish, Mapping) for wish in wishes):
            raise InputError(f"{task.where}: wishes are a list of objects with tool and arguments")
        made: list[Held] = []
        regions: tuple[Region, ...] = ()
        try:
            results: dict[str, Any] = {"$0": session.last().name}
            for number, wish in enumerate(wishes, 1):
                tool = self._tools.named(str(wish.get("tool")))
                arguments = {name: filled(value, results) for name, value in dict(wish.get("arguments") or {}).items()}
                seen, held = hands.use(tool, arguments, session)
                made += held
                regions = seen.regions or regions
                results[f"${number}"] = held[0].name if held else _written(seen.regions) if seen.regions else seen.text
            text = ""
            if self._answer is not None and question(task):
                text = hands.use(self._answer, {"image": session.last().name, "question": question(task)}, session)[0].text
        except (ToolError, UnknownNameError) as error:
            return Outcome("", regions, tuple(one.name for one in made), "tool", str(error))
        return Outcome(text, regions, tuple(one.name for one in made))


def _written(regions: tuple[Region, ...]) -> list[float]:
    """The first region as an argument: the box around it."""
    return [float(number) for number in regions[0].bounds()]
