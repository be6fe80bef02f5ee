"""Scenes: pure functions of their arguments, with truth that agrees with the pixels."""

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.sample import Region
from vistune.world import digits
from vistune.world.ink import DOMAINS
from vistune.world.scene import MAX_COUNT, NAMES, make_scene


def test_same_arguments_same_scene():
    """Across processes, too: test_tasks compares whole samples."""
    for seed in range(20):
        one, two = make_scene(seed, "test"), make_scene(seed, "test")
        assert np.array_equal(one.image, two.image) and [o.box for o in one.objects] == [o.box for o in two.objects]
        assert not np.array_equal(one.image, make_scene(seed, "train").image)


def test_no_handwriting_is_shared_between_splits():
    seen = {split: {scan for digit in range(10) for scan in digits.scans(split, digit)} for split in digits.SPLITS}
    assert {split: len(scans) for split, scans in seen.items()} == {"train": 1287, "validation": 130, "test": 380}
    assert len(set.union(*seen.values())) == 1797


def test_forms_begin_where_the_labels_repeat():
    """A form is 0-9 three times (one form lacks three of those) and then a shuffle that opens with 0955650."""
    text = "".join(map(str, digits.labels()))
    for number, start in enumerate(digits.FORM_STARTS):
        run = "012345678901234567890123456789" if number != 12 else "0123456789012345690123456789"
        assert text[start:].startswith((run + "0955650", run[1:] + "0955650")), number
    for split in digits.SPLITS:
        sizes = [len(digits.scans(split, digit)) / len(digits.FORMS[split]) for digit in range(10)]
        assert min(sizes) >= 11 and max(sizes) <= 14


@pytest.mark.parametrize("split", digits.SPLITS)
def test_scenes_draw_only_their_splits_handwriting(split):
    for seed in range(60):
        for thing in make_scene(seed, split).objects:
            if thing.kind == "digit":
                assert thing.scan in digits.scans(split, digits.NAMES.index(thing.name))
            else:
                assert thing.scan is None
            assert thing.name in NAMES[thing.kind]


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("size", [64, 96])
def test_truth_agrees_with_the_pixels(domain, size):
    for seed in range(40):
        scene = make_scene(seed, size=size, domain=domain)
        assert scene.image.shape == (size, size, 3) and scene.image.dtype == np.uint8
        for thing in scene.objects:
            assert Region(mask=thing.mask).bounds() == pytest.approx(thing.box)
            others = np.any([other.mask for other in scene.objects], axis=0)
            ink = scene.image[thing.mask].mean(axis=0)
            paper = np.median(scene.image[~others].astype(float), axis=0)
            assert np.linalg.norm(ink - paper) > 60, (seed, thing.name, thing.colour)


def test_ink_has_its_colours_hue():
    """The channel order of the mean ink, taken where the ink is full, is the one that names the colour."""
    brightest = {"red": (0,), "green": (1,), "blue": (2,), "yellow": (0, 1), "purple": (0, 2), "cyan": (1, 2)}
    for seed in range(100):
        scene = make_scene(seed)
        for thing in scene.objects:
            if thing.kind != "word":
                ink = scene.image[thing.mask].mean(axis=0)
                strong = set(np.argsort(ink)[::-1][: len(brightest[thing.colour])])
                assert strong == set(brightest[thing.colour]), (seed, thing.name, thing.colour, ink)


def test_objects_never_touch_and_count_is_kept():
    for seed in range(60):
        for count in (1, MAX_COUNT):
            objects = make_scene(seed, count=count).objects
            assert len(objects) == count
            boxes = [thing.box for thing in objects]
            for i, a in enumerate(boxes):
                for b in boxes[:i]:
                    assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def test_sizes_are_not_in_doubt():
    heights = {"small": [], "large": []}
    for seed in range(400):
        for thing in make_scene(seed).objects:
            if thing.kind == "digit":
                heights[thing.size].append((thing.box[3] - thing.box[1]) * 64)
    assert max(heights["small"]) < min(heights["large"])
    assert np.mean([16 <= height <= 30 for height in heights["small"] + heights["large"]]) > 0.9


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 0, "count": 9}, {"seed": 0, "size": 8}, {"seed": 0, "split": "tset"}])
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=r"a scene needs|no split"):
        make_scene(**wrong)
