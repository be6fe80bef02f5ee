"""A second, independent reading of questions: from their wording and the scene's objects to the answer."""

import re

from vistune.world.scene import NAMES

NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
)
COLOURS = "red|green|blue|yellow|purple|cyan"
PLACES = {"leftmost": (0, min), "rightmost": (0, max), "topmost": (1, min), "lowest": (1, max)}
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
EXPRESSION = re.compile(
    rf'the (?:(leftmost|rightmost|topmost|lowest) (\w+)|(?:(small|large) )?(?:({COLOURS}) )?(word "\w+"|\w+))'
)


def named(thing, noun):
    """Is `noun` (a name, a kind, "object", `word "owl"`) said of this object?"""
    if noun.startswith('word "'):
        return thing.kind == "word" and thing.name == noun[6:-1]
    return noun in ("object", thing.kind) or (thing.kind != "word" and noun == thing.name)


def centre(thing, axis):
    return (thing.box[axis] + thing.box[axis + 2]) / 2


def resolve(expression, scene):
    """All objects that an expression fits."""
    match = EXPRESSION.fullmatch(expression)
    assert match, expression
    place, of, size, colour, noun = match.groups()
    if place:
        axis, best = PLACES[place]
        rivals = [thing for thing in scene.objects if named(thing, of)]
        return [best(rivals, key=lambda thing: centre(thing, axis))]
    return [
        thing for thing in scene.objects if named(thing, noun) and size in (None, thing.size) and colour in (None, thing.colour)
    ]


def mentioned(question, scene):
    """The objects that a question's expressions mean, each of which must fit one object only."""
    found = []
    for match in EXPRESSION.finditer(question):
        noun = match.group(2) or match.group(5)
        known = noun in ("object", "digit", "shape", "word") or noun.startswith('word "')
        if known or noun in NAMES["digit"] or noun in NAMES["shape"]:
            fits = resolve(match.group(0), scene)
            assert len(fits) == 1, (question, match.group(0), [(o.colour, o.name) for o in fits])
            found.append(fits[0])
    return found


def count(question, scene):
    match = re.search(rf"(?:({COLOURS}) )?(objects|digits|shapes|words)", question)
    colour, kind = match.group(1), match.group(2)[:-1]
    return NUMBERS[sum(named(thing, kind) and colour in (None, thing.colour) for thing in scene.objects)]


def exists(question, scene):
    match = re.search(rf'\ban? (?:({COLOURS}) )?(word "\w+"|\w+)', question)
    colour, noun = match.groups()
    return "yes" if any(named(thing, noun) and colour in (None, thing.colour) for thing in scene.objects) else "no"


def spatial(question, scene):
    a, b = mentioned(question, scene)
    if question.strip().startswith("In which direction"):
        a, b = b, a
    across, down = centre(a, 0) - centre(b, 0), centre(a, 1) - centre(b, 1)
    side = ("right" if across > 0 else "left") if abs(across) > abs(down) else ("below" if down > 0 else "above")
    if "left, right, above" in question or "left of, right of" in question:
        return side
    claim = re.search(r"\b(left|right|above|below)\b", question.replace("leftmost", "").replace("rightmost", "")).group(1)
    return "yes" if claim == side else "no"


def comparison(question, scene):
    colours = re.findall(rf"\b({COLOURS})\b", question)
    if len(colours) == 2:
        pair = [thing for colour in colours for thing in scene.objects if thing.kind == "digit" and thing.colour == colour]
        assert len(pair) == 2
        low, high = sorted(pair, key=lambda thing: NUMBERS.index(thing.name))
        return high.colour if re.search("higher|greater|more", question) else low.colour
    a, b = mentioned(question, scene)
    return a.name if a.mask.any(axis=1).sum() > b.mask.any(axis=1).sum() else b.name


def arithmetic(question, scene):
    colours = re.findall(rf"\b({COLOURS})\b", question)
    digits = [thing for thing in scene.objects if thing.kind == "digit" and (not colours or thing.colour in colours)]
    assert len(digits) == 2
    return NUMBERS[sum(NUMBERS.index(thing.name) for thing in digits)]


def the_only(kind):
    def answer(question, scene):
        found = mentioned(question, scene) or [thing for thing in scene.objects if thing.kind == kind]
        assert len(found) == 1 and found[0].kind == kind
        return found[0].name

    return answer


ANSWERS = {
    "arithmetic": arithmetic,
    "classification": lambda question, scene: scene.objects[0].name if len(scene.objects) == 1 else None,
    "colour": lambda question, scene: mentioned(question, scene)[0].colour,
    "comparison": comparison,
    "count": count,
    "existence_adversarial": exists,
    "existence_popular": exists,
    "existence_random": exists,
    "identity": the_only("digit"),
    "reading": the_only("word"),
    "spatial": spatial,
}
