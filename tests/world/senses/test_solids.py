"""Solids: points lie on the surfaces they are said to, boxes are tight, answers follow."""

import re
from collections import Counter

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.world.senses import sense_sample
from vistune.world.solids.cloud import POINTS, make_cloud
from vistune.world.solids.surfaces import MAKES, NAMES, make_of, surface

from ..oracle import COLOURS, NUMBERS

N = 30
HUES = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0.1, 0.3, 1),
    "yellow": (1, 1, 0),
    "purple": (0.7, 0.2, 1),
    "cyan": (0, 1, 1),
}


def test_a_cloud_follows_from_its_seed():
    one, again = make_cloud(5, "test"), make_cloud(5, "test")
    assert np.array_equal(one.points, again.points) and one.facts() == again.facts()
    assert one.points.shape == (POINTS, 6) and one.points.dtype == np.float32
    with pytest.raises(InputError, match="1 to 3 solids"):
        make_cloud(0, count=4)


def test_every_point_is_a_solid_s_and_boxes_are_tight_and_apart():
    for seed in range(N):
        cloud = make_cloud(seed, "test")
        assert np.array_equal(np.sort(np.concatenate([solid.points for solid in cloud.solids])), np.arange(POINTS))
        for number, solid in enumerate(cloud.solids):
            mine = cloud.points[solid.points]
            assert np.allclose([*mine[:, :3].min(0), *mine[:, :3].max(0)], solid.box)
            assert solid.make in MAKES["test"]
            hue = mine[:, 3:].mean(0) / mine[:, 3:].mean(0).max()
            nearest = min(HUES, key=lambda name: np.linalg.norm(hue - HUES[name]))
            assert nearest == solid.colour
            for other in cloud.solids[:number]:
                gaps = [max(solid.box[k] - other.box[k + 3], other.box[k] - solid.box[k + 3]) for k in (0, 1)]
                between = np.linalg.norm(mine[:, None, :3] - cloud.points[other.points][None, :, :3], axis=-1).min()
                assert max(gaps) > 0 or between > 0.02
        heights = [solid.box[5] - solid.box[2] for solid in cloud.solids if solid.name in ("ball", "cube", "cone", "cylinder")]
        assert all(height > 0.3 for height in heights)


@pytest.mark.parametrize("name", NAMES)
def test_points_lie_on_the_surface(name):
    for number in (0, 17, 39):
        points = surface(name, make_of(name, number), 400, np.random.default_rng(number))
        radius, z, top = np.hypot(points[:, 0], points[:, 1]), points[:, 2], points[:, 2].max()
        assert abs(z.min()) < 0.05
        if name == "ball":
            assert np.allclose(4 * radius**2 + (2 * z / top - 1) ** 2, 1, atol=0.05)
        elif name == "cylinder":
            assert np.all((np.abs(radius - radius.max()) < 1e-6) | (z < 1e-6) | (z > top - 1e-6))
        elif name == "cone":
            apex = radius.max() * (1 - z / (z / (1 - radius / radius.max()).clip(1e-9)).clip(0)[(z > 0.1) & (z < 0.8)].mean())
            assert np.all((np.abs(radius - apex) < 0.05) | (z < 1e-6))
        elif name == "ring":
            tube = top / 2
            across = (radius.max() + radius.min()) / 2
            assert np.allclose((radius - across) ** 2 + (z - tube) ** 2, tube**2, atol=0.02)
        elif name == "cube":
            sides = np.abs(points - (0, 0, top / 2))
            assert np.allclose((sides / sides.max(0)).max(1), 1)
        else:
            square = np.abs(points[:, :2]).max(1)
            assert np.all((z < 1e-9) | (np.abs(square / square.max() + z / (z + 1e-12).max() - 1) < 0.15))


def fits(cloud, colour, noun):
    return [solid for solid in cloud.solids if colour in ("", solid.colour) and noun in ("solid", solid.name)]


def mentioned(question, cloud):
    found = []
    for colour, noun in re.findall(rf"[Tt]he (?:({COLOURS}) )?(solid|{'|'.join(NAMES)})\b", question):
        matching = fits(cloud, colour, noun)
        assert len(matching) == 1, question
        found += matching
    return found


def asked(task):
    for seed in range(N):
        sample = sense_sample(task, seed, "test")
        yield sample.turns[0].text.strip(), sample.answers, make_cloud(sample.meta["scenes"][0], "test")


def test_names_colours_counts():
    for question, (answer, *_), cloud in asked("solid_name"):
        assert mentioned(question, cloud)[0].name == answer
    for question, (answer, *_), cloud in asked("solid_colour"):
        assert mentioned(question, cloud)[0].colour == answer
    for _, (answer, *_), cloud in asked("solid_count"):
        assert NUMBERS[len(cloud.solids)] == answer


def test_sizes_and_positions():
    for question, (answer, *_), cloud in asked("solid_size"):
        a, b = sorted(mentioned(question, cloud), key=lambda solid: np.prod(np.subtract(solid.box[3:], solid.box[:3])))
        assert answer == (b if re.search("larger|bigger|more", question) else a).colour
    for question, (answer, *_), cloud in asked("solid_position"):
        a, b = mentioned(question, cloud)
        right, back = a.box[0] + a.box[3] - b.box[0] - b.box[3], a.box[1] + a.box[4] - b.box[1] - b.box[4]
        assert answer == (
            ("right" if right > 0 else "left") if abs(right) > abs(back) else ("behind" if back > 0 else "in front")
        )


def test_existence_and_captions():
    for question, (answer, *_), cloud in asked("solid_existence"):
        colour, noun = re.search(rf"\ba ({COLOURS}) (\w+)", question).groups()
        assert (answer == "yes") == bool(fits(cloud, colour, noun))
    for _, answers, cloud in asked("solid_caption"):
        wanted = Counter((solid.colour, solid.name) for solid in cloud.solids)
        assert all(Counter(re.findall(rf"({COLOURS}) (\w+)", answer)) == wanted for answer in answers)


def test_controls_take_colour_and_shape():
    plain, grey, shaken = (
        sense_sample("solid_colour", 0, "test", control).media[0].data for control in ("none", "grey_points", "shaken_points")
    )
    assert np.array_equal(plain[:, :3], grey[:, :3]) and np.ptp(grey[:, 3:]) == 0
    assert np.array_equal(plain[:, 3:], shaken[:, 3:]) and np.linalg.norm(plain[:, :3] - shaken[:, :3], axis=1).mean() > 0.3
