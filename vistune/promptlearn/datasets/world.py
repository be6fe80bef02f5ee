"""The embedded world as an image data set: one object a picture, a compositional name (size, colour, thing) a class.

`world` mixes digits and shapes; `world_digits` and `world_shapes` have one kind each; `world_outline`, `world_noise` and
`world_inverse` hold the classes of `world`, drawn otherwise. Handwriting of the test split is by other writers.

The shipped encoder was pretrained on clean pictures and names nearly all of `world` unaided; `world_outline` lies between
chance and that, so that there is something to learn, and is what methods are compared on.
"""

from __future__ import annotations

from vistune.errors import InputError
from vistune.promptlearn.classes import Structure
from vistune.promptlearn.datasets.base import Dataset, Item
from vistune.sample import Media
from vistune.world import palette
from vistune.world.digits import Split
from vistune.world.ink import Domain
from vistune.world.scene import NAMES, make_scene

TEMPLATE = "a photo of a {}"
SIZES = ("small", "large")
DIGITS, SHAPES = ("one", "three", "four", "seven"), ("circle", "star")
THINGS = {"world": DIGITS + SHAPES, "world_digits": NAMES["digit"][:6], "world_shapes": NAMES["shape"]}
DOMAINS: dict[str, Domain] = {"world_outline": "outline", "world_noise": "noise", "world_inverse": "inverse"}
COLOURS = palette.NAMES[:4]
COUNTS: dict[Split, int] = {"train": 20, "validation": 4, "test": 20}
OPENINGS = ("a {}", "a picture of a {}", "an image of a {}", "this is a {}", "a photo of a {} and nothing else")


def class_names(name: str) -> tuple[str, ...]:
    """`small red one`, `large red one`, ...: every thing in every colour, in one of the two sizes by turns.

    The halves of base-to-novel then share no name and share every colour, thing and size.
    """
    things = THINGS.get(name, THINGS["world"])
    halves: tuple[list[str], list[str]] = ([], [])
    for t, thing in enumerate(things):
        for c, colour in enumerate(COLOURS):
            halves[(t + c // 2) % 2].append(f"{SIZES[(t + c) % 2]} {colour} {thing}")
    return (*halves[0], *halves[1])


def read_world(name: str, size: int = 64) -> Dataset:
    """A world data set. Raises `InputError` for an unknown one."""
    if name not in {*THINGS, *DOMAINS}:
        raise InputError(f"there is no world data set {name!r}: use one of {', '.join([*THINGS, *DOMAINS])}")
    names = class_names(name)
    domain = DOMAINS.get(name, "clean")
    train, val, test = (_collect(names, split, domain, size) for split in COUNTS)
    described = {one: tuple(opening.format(one) for opening in OPENINGS) for one in names}
    structures = {one: (structure(one),) for one in names}
    return Dataset(name, names, TEMPLATE, train, val, test, None, False, described, structures)


def structure(name: str) -> Structure:
    """`small red one`: the thing is the entity, size and colour are its attributes."""
    size, colour, thing = name.split()
    return Structure((thing,), (colour, size), ((thing, colour), (thing, size)))


def _collect(names: tuple[str, ...], split: Split, domain: Domain, size: int) -> tuple[Item, ...]:
    """The first scenes of a split that show each class often enough."""
    wanted, label = COUNTS[split], {name: i for i, name in enumerate(names)}
    found: dict[int, list[Item]] = {i: [] for i in range(len(names))}
    seed = 0
    while any(len(items) < wanted for items in found.values()):
        scene = make_scene(seed, split, size, count=1, domain=domain)
        thing = scene.objects[0]
        own = label.get(f"{thing.size} {thing.colour} {thing.name}")
        if own is not None and len(found[own]) < wanted:
            found[own].append(Item(Media("image", data=scene.image), own))
        seed += 1
    return tuple(item for items in found.values() for item in items)
