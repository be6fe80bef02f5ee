"""Instructions that call for a tool, about a picture of the world, with the call that fulfils each."""

from __future__ import annotations

from vistune.construction.offline.asked import Asked, Rule
from vistune.construction.parsers.base import Item
from vistune.construction.parsers.tool_lines import PLACEHOLDER
from vistune.world.errands.errand import ANSWER, DESCRIBE, DETECT, EDGES, PAINT, REMOVE, SEGMENT, WISHES
from vistune.world.exchange import choose
from vistune.world.expressions import indefinite, phrase, refer
from vistune.world.tasks import count


def calls(asked: Asked) -> list[Item]:
    """One instruction for each tool that the world's errands know."""
    scene, rng = asked.scene, asked.rng()
    thing = scene.objects[int(rng.integers(len(scene.objects)))]
    expression = refer(scene, thing, rng)
    what = _quoted(expression.text if expression else f"the {phrase(thing)}")
    question = count.ask(scene, rng)
    assert question is not None, "every scene can be counted"
    asks = asked.words(question.question)
    made: list[tuple[str, str, tuple[str, ...]]] = [
        (choose(WISHES[tool], rng).format(it=what), tool, (PLACEHOLDER, what)) for tool in (DETECT, SEGMENT, REMOVE)
    ]
    made += [(choose(WISHES[tool], rng), tool, (PLACEHOLDER,)) for tool in (DESCRIBE, EDGES)]
    drawn = _quoted(indefinite(phrase(thing)))
    made += [(asks, ANSWER, (PLACEHOLDER, asks)), (choose(WISHES[PAINT], rng).format(it=drawn), PAINT, (drawn,))]
    return [Item.of((said, ""), tool=tool, arguments=arguments) for said, tool, arguments in made]


def _quoted(text: str) -> str:
    """Lines of calls have no quotation marks."""
    return text.replace('"', "")


RULES: dict[str, Rule] = {"tool": calls}
