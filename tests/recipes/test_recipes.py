"""Every shipped recipe: short, whole, and trainable at nano size on what ships with the package."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from vistune.errors import InputError
from vistune.model.answering.opening import load
from vistune.model.modalities.base import probe
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.nano import nano
from vistune.recipe import Recipe, load_recipe, names
from vistune.sample import MediaRef, Sample, Text, Turn
from vistune.training.run import train


@pytest.fixture(params=names())
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return load_recipe(request.param)


def small(recipe: Recipe) -> Recipe:
    if recipe.name == "native":
        pytest.skip("tunes a model as it is, and none ships: tests/native")
    return nano(recipe)


def test_a_recipe_is_short_and_says_where_it_comes_from(recipe: Recipe) -> None:
    file = importlib.import_module(f"vistune.recipes.{recipe.name}").__file__
    assert file is not None and len(Path(file).read_text(encoding="utf-8").splitlines()) <= 60
    assert recipe.paper and all(value > 0 for value in recipe.published.values())


def test_what_is_shown_is_read_back(recipe: Recipe) -> None:
    assert Recipe.from_json(yaml.safe_load(recipe.to_yaml())).to_yaml() == recipe.to_yaml()
    made = small(recipe)
    assert Recipe.from_json(yaml.safe_load(made.to_yaml())).to_yaml() == made.to_yaml()


def test_what_is_set_apart_from_the_published_recipe_is_said() -> None:
    published = load_recipe("llava_1_5")
    changed = published.override({"stages.1.train.llm": 1e-5, "model.template": {"kind": "vicuna_v1", "system": "Be brief."}})
    assert published.apart(load_recipe("llava_1_5")) == []
    assert changed.apart(published) == [
        'model.template.system: "Be brief.", not unset',
        "stages.1.train.llm: 1e-05, not 2e-05",
    ]
    assert 'model.llm: "builtin:language", not "lmsys/vicuna-7b-v1.5"' in nano(published).apart(published)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("seed", "abc", "seed is 'abc', expected int"),
        ("seed", 2**70, "expected a number of 64 bits"),
        ("deviations", 5, "deviations is 5, expected a list"),
        ("published", 3, "published is 3"),
        ("stages.0", 5, "a stage is 5, expected a mapping"),
        ("stages.²", 1, "'²' is no place in a list of 2"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_one_sentence(key: str, value: object, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        load_recipe("llava").override({key: value})


def test_a_run_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_bytes(b"name: \xff")
    with pytest.raises(InputError, match="byte 6 is not UTF-8"):
        load_recipe(str(tmp_path / "run.yaml"))


@pytest.mark.parametrize(
    ("recipe", "recorded"),
    [("videochat", "videochat_two_turns"), ("lamm", "lamm_image"), ("lamm_3d", "lamm_pcl")],
    indirect=["recipe"],
)
def test_layouts_are_those_recorded_from_official_code(recipe: Recipe, recorded: str) -> None:
    file = Path(__file__).parent.parent / "golden" / "templates_recorded.json"
    case = next(case for case in json.loads(file.read_text(encoding="utf-8"))["cases"] if case["name"] == recorded)
    assert isinstance(recipe.model, ModelSpec)
    assert json.loads(json.dumps(recipe.model.template)) == {"kind": case["template"], **case["arguments"]}


@pytest.mark.slow
def test_a_recipe_trains_at_nano_size(recipe: Recipe, tmp_path: Path) -> None:
    """Every stage takes three steps; `train` refuses parts that stayed as they were; what came out is loaded and answers."""
    made = small(recipe)
    stages = tuple(
        replace(stage, steps=3, batch=4, warmup=0.0, data=json.loads(re.sub(r"size=\d+", "size=16", json.dumps(stage.data))))
        for stage in made.stages
    )
    folder = train(replace(made, stages=stages), tmp_path / "run", report=False)
    for stage in stages:
        lines = (tmp_path / "run" / "logs" / f"{stage.name}.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]
    model = load(folder)
    kinds = list(model.chains) if isinstance(model, VisionLanguageModel) else ["image"]
    asked = Turn("user", (MediaRef(0), Text("\nWhat is it?")))
    questions = [Sample(kind, (probe(kind),), (asked,)) for kind in kinds]
    assert len(model.generate(questions, max_new_tokens=3)) == len(kinds) > 0
