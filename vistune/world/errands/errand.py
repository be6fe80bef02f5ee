"""`make_errand`: a wish about a picture that is known by its name and a description, and the tool that fulfils it.

The tools and the lines of a call are GPT4Tools' (Yang et al., NeurIPS 2023). Nothing is shown: a model reads names and words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vistune.sample import Media, Region
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.exchange import choose
from vistune.world.expressions import indefinite, phrase, refer
from vistune.world.paint.painting import facts
from vistune.world.palette import NAMES as COLOURS
from vistune.world.scene import NAMES, Scene, make_scene
from vistune.world.tasks import caption, colour, count

DETECT, SEGMENT, REMOVE = "Detect the Give Object", "Segment the given object", "Remove Something From The Photo"
DESCRIBE, ANSWER = "Get Photo Description", "Answer Question About The Image"
EDGES, PAINT = "Edge Detection On Image", "Generate Image From User Input Text"
TOOLS = (DETECT, SEGMENT, REMOVE, DESCRIBE, ANSWER, EDGES, PAINT)

WISHES = {
    DETECT: ("Find {it}.", "Where is {it}?", "Show me where {it} is.", "Locate {it}.", "Draw a box around {it}."),
    SEGMENT: ("Cut out {it}.", "Outline {it}.", "Give me the mask of {it}.", "Segment {it}.", "Trace the shape of {it}."),
    REMOVE: ("Take {it} away.", "Remove {it}.", "Erase {it}.", "The picture without {it}, please.", "Delete {it}."),
    DESCRIBE: ("Describe the picture.", "What does the picture show?", "Tell me about this picture.", "Say what you see."),
    EDGES: ("Show the edges.", "Find the edges of the picture.", "Make an edge map.", "I want to see the edges alone."),
    PAINT: ("Draw {it}.", "Make a picture of {it}.", "Paint {it} for me.", "I would like an image of {it}."),
}


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """A wish: `said` by the person, fulfilled by `tool` with `arguments`, which observes `seen`; `told` is the answer then."""

    seed: int
    scene: Scene
    picture: str
    tool: str
    said: str
    arguments: tuple[str, ...]
    seen: str
    told: str

    def media(self) -> tuple[Media, ...]:
        """None: the picture is named."""
        return ()

    def regions(self) -> tuple[Region, ...]:
        """None, without a picture."""
        return ()

    def facts(self) -> list[dict[str, object]]:
        """The call, and the objects of the picture, as plain JSON."""
        return [{"picture": self.picture, "tool": self.tool, "arguments": list(self.arguments)}, *facts(self.scene)]

    @property
    def question(self) -> str:
        """The picture's name with its description, and the wish."""
        across = sorted(self.scene.objects, key=lambda thing: thing.centre[0])
        return f"{self.picture}: {caption.caption(across)}\n{self.said}"

    @property
    def call(self) -> str:
        """The thought, the action and its input."""
        given = ", ".join(self.arguments)
        return f"Thought: Do I need to use a tool? Yes\nAction: {self.tool}\nAction Input: {given}\nObservation:"


def make_errand(seed: int, split: Split = "train") -> Errand:
    """Errand number `seed` of a split."""
    rng = np.random.default_rng([seed, SPLITS.index(check_split(split)), 11])
    scene = make_scene(seed, split, count=int(rng.integers(1, 4)))
    number = int(rng.integers(1, 10))
    picture, other = f"image/{number}.png", f"image/{number + 1}.png"
    tool = TOOLS[int(rng.integers(len(TOOLS)))]
    if tool in (DETECT, SEGMENT, REMOVE):
        named = [refer(scene, thing, rng) for thing in scene.objects]
        chosen = int(rng.integers(len(named)))
        expression = named[chosen]
        what = expression.text if expression is not None else f"the {phrase(scene.objects[chosen])}"
        box = ", ".join(f"{value:.3f}" for value in scene.objects[chosen].box)
        seen = other if tool == REMOVE else f"{what}[{box}]"
        told = f"See {other}." if tool == REMOVE else f"{what[:1].upper()}{what[1:]} is at [{box}]."
        said = choose(WISHES[tool], rng).format(it=what)
        return Errand(seed, scene, picture, tool, said, (picture, what), seen, told)
    if tool == ANSWER:
        asked = (colour.ask(scene, rng) if rng.random() < 0.5 else None) or count.ask(scene, rng)
        assert asked is not None, "every scene can be counted"
        said = "".join(part.text for part in asked.question if not isinstance(part, Region) and hasattr(part, "text"))
        return Errand(seed, scene, picture, tool, said, (picture, said), asked.answers[0], f"{asked.answers[0]}")
    if tool == PAINT:
        kind = ("digit", "shape")[int(rng.integers(2))]
        names = NAMES[kind]  # type: ignore[index]
        what = f"{COLOURS[int(rng.integers(len(COLOURS)))]} {names[int(rng.integers(len(names)))]}"
        what = indefinite(what)
        return Errand(seed, scene, picture, tool, choose(WISHES[tool], rng).format(it=what), (what,), other, f"See {other}.")
    said = choose(WISHES[tool], rng)
    seen = other if tool == EDGES else caption.references(scene)[0]
    return Errand(seed, scene, picture, tool, said, (picture,), seen, f"See {other}." if tool == EDGES else seen)
