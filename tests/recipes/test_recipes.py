"""Every shipped recipe: short, whole, and trainable at nano size on what ships with the package."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from vistune.model.checkpoint import load
from vistune.recipe import Recipe, load_recipe, names, nano
from vistune.training.run import train


@pytest.fixture(params=names())
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return load_recipe(request.param)


def test_a_recipe_is_short_and_says_where_it_comes_from(recipe: Recipe) -> None:
    file = importlib.import_module(f"vistune.recipes.{recipe.name}").__file__
    assert file is not None and len(Path(file).read_text(encoding="utf-8").splitlines()) <= 60
    assert recipe.paper.startswith("arXiv ") and recipe.published
    assert all(value > 0 for value in recipe.published.values())


def test_what_is_shown_is_read_back(recipe: Recipe) -> None:
    for made in (recipe, nano(recipe)):
        assert Recipe.from_json(yaml.safe_load(made.to_yaml())).to_yaml() == made.to_yaml()


@pytest.mark.slow
def test_a_recipe_trains_at_nano_size(recipe: Recipe, tmp_path: Path) -> None:
    """Every stage takes three steps; what came out is loaded and gives the same numbers."""
    small = nano(recipe)
    stages = tuple(
        replace(stage, steps=3, batch=4, warmup=0.0, data="world:?task=instructions&size=16") for stage in small.stages
    )
    folder = train(replace(small, stages=stages), tmp_path / "run", report=False)
    model = load(folder)
    assert [part for part in (folder / "vistune.yaml").read_text(encoding="utf-8").split() if part == recipe.name] == []
    for name, tensor in model.named_parameters():
        assert torch.isfinite(tensor).all(), name
