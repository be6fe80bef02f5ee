"""Teaching and testing end to end on a tiny CLIP directory, and the command line."""

from __future__ import annotations

import json
import math

import pytest
import torch
from typer.testing import CliRunner

from tests.promptlearn.golden import NAMES, Case
from tests.promptlearn.tiny import write_clip
from vistune.commands.promptlearn import COMPARED, app
from vistune.errors import InputError
from vistune.promptlearn.backbone import load
from vistune.promptlearn.build import build, methods
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.datasets.base import Dataset, Item
from vistune.promptlearn.datasets.world import structure
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.experiments.experiment import Experiment, Given, recipe_of, restore
from vistune.promptlearn.experiments.results import load_results, markdown, path_of, summarise
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.fit import accuracy, fit, rate
from vistune.promptlearn.method import Hyperparameters as Published
from vistune.promptlearn.pictures.images import Bank
from vistune.promptlearn.pictures.pixels import centre_crop, fixed_bank, random_crop, view_bank
from vistune.sample import Media

PHOTO = Classes(NAMES[:2], "a photo of a {}.")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip"))


def made(images=6):
    """Plain colours: red, green and blue are told apart by anything that sees."""
    import numpy as np

    names = ("small red circle", "small green circle", "small blue circle", "large red star")
    items = []
    for label in range(4):
        for i in range(images):
            array = np.full((64, 64, 3), 10 * i, np.uint8)
            array[..., label % 3] = 200
            items.append(Item(Media("image", data=array), label))
    described = {name: (f"a {name}", f"this is a {name}") for name in names}
    structures = {name: (structure(name),) for name in names}
    return Dataset("colours", names, "a photo of a {}", tuple(items), (), tuple(items), None, False, described, structures)


def test_rates_follow_the_published_schedule():
    recipe = Published(lr=0.002, epochs=10)
    rates = [recipe.lr * rate(recipe, epoch, 0, 10, 5) for epoch in range(10)]
    assert rates[0] == pytest.approx(1e-5)
    assert rates[1] == pytest.approx(0.002)
    assert rates[9] == pytest.approx(0.001 * (1 + math.cos(math.pi * 0.8)))
    by_step = Published(lr=2e-4, schedule="step", warm_up=0)
    assert 2e-4 * rate(by_step, 0, 0, 2, 5) == pytest.approx(2e-4)
    last = 1e-6 + (2e-4 - 1e-6) * (1 + math.cos(math.pi * 0.9)) / 2
    assert 2e-4 * rate(by_step, 1, 4, 2, 5) == pytest.approx(last)
    rising = Published(lr=10.0, schedule="step", floor=0.0, warm_steps=0.2)
    assert [rate(rising, 0, step, 2, 5) for step in range(3)] == pytest.approx([0.5, 1.0, 1.0])


def test_recipe_of_a_run():
    assert recipe_of(Published(epochs=7), 100, 2, Given()).epochs == 7
    assert recipe_of(Published(epochs=7), 100, 2, Given(most_epochs=3)).epochs == 3
    assert recipe_of(Published(epochs=7), 100, 2, Given(overrides={"epochs": 2, "lr": 0.5})) == Published(epochs=2, lr=0.5)
    assert recipe_of(Published(epochs=0), 100, 2, Given(overrides={"epochs": 2})).epochs == 0
    assert recipe_of(Published(batch=32, iterations_per_shot=500), 192, 16, Given()).epochs == 1334  # 8,000 steps, 6 an epoch


def test_teaching_lowers_the_loss_and_leaves_the_backbone_alone(clip):
    pixels, labels = Case("clip_zero_shot").images.pixels, torch.tensor([0, 1, 0, 1])
    engine = Engine(clip)
    shots = Shots(engine, PHOTO, Bank(lambda ids: pixels[list(ids)], 4), labels)
    before = {name: value.clone() for name, value in clip.model.state_dict().items() if "token_embedding" not in name}
    torch.manual_seed(0)
    short = fit(build("coop", clip, PHOTO), lambda epoch: shots, Published(epochs=2, lr=0.05))
    torch.manual_seed(0)
    long = fit(build("coop", clip, PHOTO), lambda epoch: shots, Published(epochs=90, lr=0.05))
    assert long.losses["cross_entropy"] < 0.5 * short.losses["cross_entropy"]
    for name, value in before.items():
        assert torch.equal(clip.model.state_dict()[name], value)


def test_stages_teach_what_they_say(clip):
    pixels, labels = Case("clip_zero_shot").images.pixels, torch.tensor([0, 1, 0, 1])
    shots = Shots(Engine(clip), PHOTO, Bank(lambda ids: pixels[list(ids)], 4), labels)
    method = build("twosfs", clip, PHOTO)
    at = {}
    original = method.start_stage

    def remember(stage, shots):
        original(stage, shots)
        at[stage.name] = {name: p.detach().clone() for name, p in method.named_parameters()}

    method.start_stage = remember
    fit(method, lambda epoch: shots, Published(optimizer="adamw", lr=0.01, epochs=10, schedule="step"))
    end = dict(method.named_parameters())
    assert not torch.equal(at["norms"]["text_norms.first_weight"], at["classifier"]["text_norms.first_weight"])
    assert torch.equal(at["classifier"]["text_norms.first_weight"], end["text_norms.first_weight"])
    assert not torch.equal(at["classifier"]["classifier"], end["classifier"])


def test_a_term_that_is_not_finite_stops_the_run(clip):
    pixels = Case("clip_zero_shot").images.pixels * float("nan")
    shots = Shots(Engine(clip), PHOTO, Bank(lambda ids: pixels[list(ids)], 4), torch.tensor([0, 1, 0, 1]))
    with pytest.raises(RuntimeError, match="Coop: the term 'cross_entropy' is nan"):
        fit(build("coop", clip, PHOTO), lambda epoch: shots, Published(epochs=1))


def test_crops_are_the_same_for_the_same_image_and_view(tiny):
    import numpy as np
    from PIL import Image

    backbone = load(str(tiny))
    rng = np.random.default_rng(0)
    items = [Item(Media("image", data=rng.integers(0, 255, (50, 70, 3), dtype=np.uint8)), 0) for _ in range(2)]
    one, again = (view_bank(items, backbone, 3, 7, (0.3, 1.0), True) for _ in range(2))
    assert one.size == 6
    torch.testing.assert_close(one.pixels([1, 3]), again.pixels([1, 3]))
    assert not torch.equal(one.pixels([1]), one.pixels([3]))
    picture = Image.fromarray(rng.integers(0, 255, (40, 90, 3), dtype=np.uint8))
    assert centre_crop(picture, 64).size == (64, 64)
    assert random_crop(picture, 64, (0.08, 1.0), False, rng).size == (64, 64)


def test_a_run_is_written_resumed_and_tabled(tiny, tmp_path):
    experiment = Experiment(load(str(tiny)), made(), "base2novel", root=None, out=tmp_path)
    given = Given(overrides={"epochs": 1})
    for name in ("zero_shot", "coop", "linear_probe"):
        for seed in (1, 2):
            assert not experiment.finished(name, 2, seed, given)
            experiment.run(name, 2, seed, given)
            assert experiment.finished(name, 2, seed, given)
    with pytest.raises(InputError, match=r"was made with given .*: remove it or choose another --out"):
        experiment.finished("coop", 2, 1, Given(overrides={"epochs": 2}))
    rows = {row["method"]: row for row in summarise(load_results(tmp_path))}
    assert rows["coop"]["seeds"] == 2
    assert rows["coop"]["trainable"] == 4 * 24  # "a photo of a", as published for base-to-novel
    assert rows["linear_probe"]["novel"] is None
    assert rows["zero_shot"]["base"][1] == 0.0
    text = markdown(list(rows.values()))
    assert "| method | base | novel | HM |" in text
    assert "82.69 / 63.22 / 71.66" in text
    with pytest.raises(InputError, match="holds no results"):
        load_results(tmp_path / "none")


def test_the_same_seed_gives_the_same_result(tiny, tmp_path):
    scores = []
    for folder in ("a", "b"):
        experiment = Experiment(load(str(tiny)), made(), "few_shot", root=None, out=tmp_path / folder)
        scores.append(experiment.run("maple", 2, 1, Given(overrides={"epochs": 2}))["losses"])
    assert scores[0] == scores[1]


@pytest.mark.parametrize("name", COMPARED)
def test_every_compared_method_runs(name, tiny, tmp_path):
    arguments = {"damvp": {"border": 8}, "tac": {"n_clusters": 2}, "proda": {"n_prompts": 8, "n_ctx": 2}}.get(name, {})
    experiment = Experiment(load(str(tiny)), made(3), "base2novel", root=None, out=tmp_path)
    result = experiment.run(name, 2, 1, Given(arguments, {"epochs": 1}))
    assert 0 <= result["accuracy"]["base"] <= 100


@pytest.mark.parametrize("name", ["maple", "twosfs", "tip_adapter", "promptkd"])
def test_what_was_learnt_comes_back(name, tiny, tmp_path):
    backbone = load(str(tiny))
    data = made(3)
    experiment = Experiment(backbone, data, "few_shot", root=None, out=tmp_path)
    score = experiment.run(name, 2, 1, Given(overrides={"epochs": 1}))["accuracy"]["test"]
    path = path_of(tmp_path, name, "colours", "few_shot", 2, 1)
    labels = torch.tensor([item.label for item in data.test])
    again = accuracy(restore(path, backbone), Engine(backbone), fixed_bank(data.test, backbone), labels, data.classes())
    assert round(again, 3) == score
    path.write_text(path.read_text().replace(json.dumps(backbone.identity), '"other"'))
    with pytest.raises(InputError, match="was taught on other, not on"):
        restore(path, backbone)


def test_test_time_protocol_uses_views(tiny, tmp_path):
    experiment = Experiment(load(str(tiny)), made(2), "test_time", root=None, out=tmp_path)
    assert set(experiment.run("tpt", 1, 1, Given())["accuracy"]) == {"test"}


def test_compared_names_every_method_once():
    outer = [name.partition("+")[0] for name in COMPARED]
    assert sorted(outer) == methods()


def test_robust_loss_beats_cross_entropy_at_half_wrong_labels():
    """Mean absolute error forgets wrong labels that cross-entropy learns by heart (linear classifier, 50 % symmetric noise)."""
    from vistune.promptlearn.losses import mean_absolute_error

    torch.manual_seed(0)
    centres = torch.eye(4, 32)
    labels = torch.arange(4).repeat(20)
    x, test = centres[labels] + 0.25 * torch.randn(80, 32), centres[labels] + 0.25 * torch.randn(80, 32)
    noisy = torch.where(torch.rand(80) < 0.5, torch.randint(4, (80,)), labels)
    scores = {}
    for name, loss in (("ce", torch.nn.functional.cross_entropy), ("mae", mean_absolute_error)):
        weights = (4 * centres).clone().requires_grad_()
        optimizer = torch.optim.Adam([weights], lr=0.05)
        for _ in range(300):
            optimizer.zero_grad()
            loss(x @ weights.T, noisy).backward()
            optimizer.step()
        scores[name] = float(((test @ weights.T).argmax(1) == labels).float().mean())
    assert scores["mae"] > scores["ce"] + 0.05


def test_command_line(tiny, tmp_path):
    runner = CliRunner()
    listing = json.loads(runner.invoke(app, ["list", "--json"]).stdout)
    assert "maple" in listing["methods"]
    assert "dept+METHOD" in listing["plug-ins"]
    for arguments, message in (
        (["--method", "coop", "--protocol", "base2new"], "did you mean 'base2novel'"),
        (["--method", "coop", "--seeds", "1;2"], "is not a list of whole numbers"),
        ([], "give either --method NAME or --all-methods"),
    ):
        result = runner.invoke(app, ["run", "--model", str(tiny), *arguments])
        assert isinstance(result.exception, InputError)
        assert message in str(result.exception)
    result = runner.invoke(app, ["run", "--model", str(tmp_path / "none"), "--method", "coop"])
    assert isinstance(result.exception, InputError)
    assert "holds no CLIP model with a tokenizer" in str(result.exception)
