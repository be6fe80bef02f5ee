"""Paintings and edits: nothing but the change differs between before and after, and instructions say that change."""

import re
from collections import Counter

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.world.paint.edit import CHANGES, make_edit
from vistune.world.paint.painting import make_painting
from vistune.world.senses import sense_sample
from vistune.world.tasks.detailed_caption import field

from ..oracle import COLOURS, resolve

N = 40


def test_an_edit_follows_from_its_seed_and_all_changes_occur():
    edits = [make_edit(seed, "test") for seed in range(N)]
    assert {edit.change for edit in edits} == set(CHANGES)
    again = make_edit(7, "test")
    assert again.facts() == edits[7].facts()
    assert all(np.array_equal(a.data, b.data) for a, b in zip(again.media(), edits[7].media(), strict=True))
    with pytest.raises(InputError, match="size >= 48"):
        make_edit(0, size=32)


def test_pixels_differ_at_the_changed_object_alone():
    for seed in range(N):
        edit = make_edit(seed, "test")
        if edit.target is None:
            assert edit.before.dark != edit.after.dark
            assert [thing.box for thing in edit.before.objects] == [thing.box for thing in edit.after.objects]
            continue
        thing = (edit.after if edit.change == "add" else edit.before).objects[edit.target]
        differs = np.abs(edit.before.image.astype(int) - edit.after.image).max(axis=2) > 0
        x1, y1, x2, y2 = (round(64 * edge) for edge in thing.box)
        inside = differs[max(y1 - 4, 0) : y2 + 4, max(x1 - 4, 0) : x2 + 4]
        assert inside.sum() == differs.sum() > 10
        assert differs[thing.mask].mean() > 0.8
        assert len(edit.after.objects) - len(edit.before.objects) == {"add": 1, "remove": -1}.get(edit.change, 0)


def asked(task):
    for seed in range(15):
        sample = sense_sample(task, seed, "test")
        yield sample.turns[0].text.strip(), make_edit(sample.meta["scenes"][0], "test"), sample


def test_instructions_name_one_object_and_its_change():
    for question, edit, sample in asked("edit_colour"):
        colour = re.findall(rf"({COLOURS})", question)[-1]
        name = re.search(r"(the .+?)(?: to)? " + colour + r"\.$", question).group(1)
        name = name.removeprefix("the colour of ")
        assert resolve(name, edit.before) == [edit.before.objects[edit.target]]
        assert edit.after.objects[edit.target].colour == colour != edit.before.objects[edit.target].colour
        assert np.array_equal(sample.media[1].data, edit.after.image)
    for question, edit, _ in asked("edit_remove"):
        name = re.search(r"(the .+?)(?: away| from the picture)?\.$", question).group(1)
        assert resolve(name, edit.before) == [edit.before.objects[edit.target]]
    for question, edit, _ in asked("edit_add"):
        thing = edit.after.objects[edit.target]
        assert f"{thing.size} {thing.colour} " in question and thing.name in question and field(thing) in question
    for question, edit, _ in asked("edit_background"):
        assert ("dark" in question) == edit.after.dark


def test_paintings_are_told_in_full():
    for seed in range(N):
        sample = sense_sample("paint_picture", seed, "train")
        objects = make_painting(sample.meta["scenes"][0], "train").scene.objects
        said = Counter(re.findall(rf'({COLOURS}) (?:word ")?(\w+)', sample.turns[0].text))
        assert said == Counter((thing.colour, thing.name) for thing in objects)
