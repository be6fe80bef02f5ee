"""What is published for a protocol, a data set and a number of shots reaches the run; devices; notes on results."""

from __future__ import annotations

import dataclasses
import inspect

import pytest
import torch
from typer.testing import CliRunner

from tests.promptlearn.test_fit import made
from tests.promptlearn.tiny import write_clip
from vistune import spec
from vistune.commands.promptlearn import app
from vistune.errors import InputError
from vistune.files import read_json
from vistune.model.device import chosen_device
from vistune.promptlearn.backbone import load
from vistune.promptlearn.build import FOLDER
from vistune.promptlearn.datasets.open import ELEVEN
from vistune.promptlearn.experiments.experiment import Experiment, Given
from vistune.promptlearn.experiments.protocols import PROTOCOLS
from vistune.promptlearn.experiments.published import RULES, published
from vistune.promptlearn.method import Hyperparameters, Method


@pytest.fixture
def tiny(tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    return write_clip(folder)


@pytest.mark.parametrize(
    ("method", "protocol", "dataset", "shots", "arguments", "recipe"),
    [
        ("coop", "few_shot", "dtd", 1, {}, {"epochs": 50}),
        ("coop", "few_shot", "dtd", 4, {}, {"epochs": 100}),
        ("coop", "few_shot", "dtd", 16, {}, {"epochs": 200}),
        ("coop", "few_shot", "imagenet", 16, {}, {"epochs": 50}),
        ("coop", "base2novel", "dtd", 16, {"words": "a photo of a"}, {"epochs": 200}),
        ("maple", "base2novel", "dtd", 16, {}, {}),
        ("maple", "cross_dataset", "imagenet", 16, {"depth": 3}, {"lr": 0.0026, "epochs": 2}),
        ("promptsrc", "domain_generalisation", "imagenet", 16, {"depth": 3, "mean": 6.0, "std": 10.0}, {}),
        ("promptsrc", "few_shot", "dtd", 4, {"mean": 30.0, "std": 30.0}, {"epochs": 50}),
        ("tac", "cross_dataset", "imagenet", 16, {"n_ctx": 10}, {"epochs": 5, "crop": (0.8, 1.0)}),
        ("promptkd", "base2novel", "dtd", 16, {"weight": 200.0}, {}),
        ("tip_adapter", "few_shot", "eurosat", 16, {"alpha": 2.0, "beta_scale": 12, "alpha_scale": 10}, {"epochs": 100}),
        ("protext", "base2novel", "ucf101", 16, {"n_ctx": 16}, {"lr": 0.03, "epochs": 30}),
        ("taskres", "few_shot", "imagenet", 16, {}, {"epochs": 200, "lr": 0.0002}),
    ],
)
def test_published_settings(method, protocol, dataset, shots, arguments, recipe):
    rule = published(method, protocol, dataset, shots)
    assert (dict(rule.arguments), dict(rule.recipe)) == (arguments, recipe)


def test_every_rule_names_arguments_recipe_fields_protocols_and_data_sets_that_exist():
    fields = {field.name for field in dataclasses.fields(Hyperparameters)}
    for name, rules in RULES.items():
        outer, _, inner = name.partition("+")
        for rule in rules:
            assert set(rule.recipe) <= fields
            assert set(rule.protocols) <= set(PROTOCOLS)
            assert set(rule.datasets) <= set(ELEVEN)
            assert set(rule.arguments) <= set(inspect.signature(spec.resolve(FOLDER, outer, Method)).parameters)
            assert not rule.inner or set(rule.inner) <= set(inspect.signature(spec.resolve(FOLDER, inner, Method)).parameters)


def test_a_run_takes_them_and_what_is_given_wins(tiny, tmp_path):
    experiment = Experiment(load(str(tiny)), made(), "few_shot", root=None, out=tmp_path)
    result = experiment.run("coop", 2, 1, Given(most_epochs=1))
    assert result["arguments"] == {}
    assert result["recipe"]["epochs"] == 1
    assert published("coop", "few_shot", "colours", 2).recipe == {"epochs": 100}
    result = experiment.run("promptsrc", 2, 1, Given({"mean": 2.0}, {"epochs": 1}))
    assert result["arguments"] == {"mean": 2.0, "std": 30.0}
    result = experiment.run("dept+coop", 2, 1, Given({"inner": {"n_ctx": 3}}, {"epochs": 1}))
    assert result["inner"] == {"n_ctx": 3}
    assert result["trainable"] == 3 * 24 + 4 * 16 + 4 * 16 + 4


def test_a_method_that_tunes_nothing_under_a_protocol_says_so(tiny, tmp_path):
    experiment = Experiment(load(str(tiny)), made(), "few_shot", root=None, out=tmp_path)
    assert "untouched zero-shot model" in experiment.run("tpt", 2, 1, Given())["notes"][0]
    assert experiment.run("coop", 2, 1, Given(most_epochs=1))["notes"] == []
    experiment = Experiment(load(str(tiny)), made(2), "test_time", root=None, out=tmp_path)
    assert experiment.run("tpt", 2, 1, Given({"views": 4}))["notes"] == []


@pytest.mark.slow
def test_the_command_takes_inner_arguments_and_a_device(tiny, tmp_path):
    runner = CliRunner()
    start = ["run", "--model", str(tiny), "--dataset", "world", "--protocol", "few_shot", "--shots", "1", "--seeds", "1"]
    rest = ["--epochs", "1", "--out", str(tmp_path / "out"), "--device", "cpu"]
    done = runner.invoke(app, [*start, "--method", "dept+coop", "--set", "inner.n_ctx=2", *rest])
    assert done.exit_code == 0, done.output
    assert read_json(tmp_path / "out/world/few_shot/dept+coop/shots1-seed1.json")["inner"] == {"n_ctx": 2}
    assert "untouched zero-shot model" in runner.invoke(app, [*start, "--method", "tpt", *rest]).stdout
    refused = runner.invoke(app, [*start, "--method", "coop", "--set", "inner.n_ctx=2", *rest])
    assert "method 'coop' wraps no other: it has no argument 'inner'" in str(refused.exception)


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == torch.device("cpu")
    with pytest.raises(InputError, match="'cuda:1' is not available here"):
        chosen_device("cuda:1")
    with pytest.raises(InputError, match="'gpu' is no device"):
        chosen_device("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert chosen_device("auto") == torch.device("cuda")
