"""Metrics that need what a package manager installs: WordNet, nltk's tagger, Java. Each says so where it is skipped."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vistune.errors import InputError
from vistune.evals.metrics.chair_words import mentioned, nltk_lemmas
from vistune.evals.metrics.meteor import meteor
from vistune.evals.metrics.wordnet import open_wordnet
from vistune.evals.metrics.wups import wups
from vistune.evals.score import score

ROOT = Path(__file__).parents[3]
OBJECTS = {"dog": "dog", "person": "person", "man": "person", "men": "person", "wine glass": "wine glass", "ski": "skis"}


@pytest.fixture
def wordnet() -> None:
    try:
        open_wordnet("a test")
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture
def tagger(wordnet: None) -> None:
    try:
        nltk_lemmas()
    except InputError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_wups_through_wordnet(wordnet: None) -> None:
    """Wu-Palmer similarities as nltk's documentation and WordNet 3.0 give them: dog and cat 24/28, dog and chair less."""
    assert wups(["dog"], [["cat"]], 0.0).headline == pytest.approx(100 * 24 / 28)
    assert wups(["dog"], [["cat"]], 0.9).headline == pytest.approx(10 * 24 / 28)
    near, far = (wups(["dog"], [[word]], 0.0).headline for word in ("wolf", "theory"))
    assert near > 90 and far < 60


ASK = "from vistune.errors import InputError; from vistune.evals.metrics.wordnet import open_wordnet\n"
ASK += "try: open_wordnet('WUPS')\nexcept InputError as error: print(error)"


@pytest.mark.slow
def test_where_there_is_no_wordnet_the_message_names_the_ways_to_install_it(tmp_path: Path) -> None:
    pytest.importorskip("nltk", reason="needs the extra 'wordnet'")
    bare = {"HOME": str(tmp_path), "NLTK_DATA": str(tmp_path), "WNSEARCHDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", ASK], env=bare, capture_output=True, text=True, check=True).stdout
    if not said:
        pytest.skip("nltk's WordNet is installed for everybody here")
    assert said.startswith("WUPS needs WordNet: run") and "wordnet-base" in said and "WNSEARCHDIR" in said


@pytest.mark.slow
def test_chairs_official_rule_asks_for_parts_of_speech(tagger: None) -> None:
    caption = "Two men are skiing. They went on a skiing trip with wine glasses and dogs."
    official, ours = mentioned(caption, OBJECTS, nltk_lemmas()), mentioned(caption, OBJECTS)
    assert official == ["person", "skis", "wine glass", "dog"] == ours


@pytest.mark.slow
@pytest.mark.parametrize("name", ["minigpt4_ours", "llava-1.5_greedy"])
def test_chair_gives_operas_published_numbers(tagger: None, shared: Path, name: str) -> None:
    expected = {"minigpt4_ours": (26.2, 9.53, 61.48), "llava-1.5_greedy": (45.0, 12.73, 80.38)}[name]
    folder = shared / "scores/second/chair"
    result = score("chair", folder / f"opera_{name}.jsonl.gz", folder / "coco_gt_objects.json.gz")
    assert tuple(round(result.values[key], 2) for key in ("CHAIRs", "CHAIRi", "Recall")) == expected


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="METEOR needs Java")
def test_meteor_gives_the_published_number(shared: Path) -> None:
    folder = shared / "scores/nlgeval_example"
    hypotheses, *references = ((folder / f"{name}.txt").read_text().splitlines() for name in ("hyp", "ref1", "ref2"))
    result = meteor(hypotheses, [list(group) for group in zip(*references, strict=True)])
    assert result.headline == pytest.approx(0.295797, abs=5e-7)
