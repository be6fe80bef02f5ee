"""Text documents: a scene in words, and questions that the words answer."""

import re

from vistune.world.scene import make_scene
from vistune.world.text import document


def test_a_document_lists_its_scene_and_asks():
    for seed in range(30):
        first, *lines = document(seed, turns=5).splitlines()
        scene = make_scene(seed)
        assert first.startswith("A dark picture: " if scene.dark else "A light picture: ")
        assert first.count(";") == len(scene.objects) - 1
        for thing in scene.objects:
            box = ", ".join(str(round(100 * edge)) for edge in thing.box)
            assert f"[{box}]" in first and f"{thing.size} {thing.colour} " in first
        assert [line.split(": ")[0] for line in lines] == ["Question", "Answer"] * (len(lines) // 2)


def test_every_box_that_is_asked_for_stands_in_the_inventory():
    asked = 0
    for seed in range(60):
        first, *lines = document(seed).splitlines()
        for line in lines:
            for box in re.findall(r"\[\d[^]]*\]", line):
                assert box in first
                asked += 1
    assert asked > 60


def test_the_codec_and_the_roles_are_the_callers():
    text = document(1, turns=8, box_text=lambda box: f"<{box[0]:.3f}>", roles=("USER: ", "ASSISTANT: "))
    assert "<0." in text and "[" not in text and "\nUSER: " in text and "\nASSISTANT: " in text
    assert text == document(1, turns=8, box_text=lambda box: f"<{box[0]:.3f}>", roles=("USER: ", "ASSISTANT: "))
    assert text != document(1, "test", box_text=lambda box: f"<{box[0]:.3f}>", roles=("USER: ", "ASSISTANT: "))
