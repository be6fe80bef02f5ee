"""One contract for every method found in the folder."""

from __future__ import annotations

import pytest
import torch

from tests.promptlearn.golden import NAMES, Case
from vistune.promptlearn.build import build, is_plugin, methods
from vistune.promptlearn.classes import Classes, Structure
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call
from vistune.promptlearn.pictures.images import Bank, Images

SMALL = {
    "mmrl": {"dim": 16},
    "damvp": {"border": 4, "clusters": 2},
    "tip_adapter": {"shots": 2},
    "tac": {"n_clusters": 3},
    "proda": {"n_prompts": 8, "n_ctx": 4},
    "lasp": {"templates": ["a photo of the small {}.", "itap of a {}."]},
    "promptsrc": {"templates": ["a photo of the small {}.", "itap of a {}."]},
}
DESCRIPTIONS = {
    "cat": ("a cat is a small furry animal with whiskers.", "a small cat sits on a chair."),
    "forest": ("a forest is full of tall green trees seen from above.",),
    "golden retriever": ("a golden retriever has a long golden coat and a friendly face.",),
    "annual crop land": ("annual crop land looks like brown and green stripes.",),
    "highway or road": ("a highway is a long grey line with small cars on it.",),
}
STRUCTURES = {
    "cat": (Structure(("cat", "animal"), ("small", "furry"), (("cat", "animal"), ("cat", "furry"))),),
    "forest": (Structure(("forest", "trees"), ("tall", "green"), (("trees", "green"),)), Structure(("trees",), ("green",))),
    "golden retriever": (Structure(("coat", "face"), ("long", "friendly"), (("coat", "long"), ("face", "friendly"))),),
    "annual crop land": (Structure(("stripes",), ("brown", "green"), (("stripes", "brown"),)),),
    "highway or road": (Structure(("line", "cars"), ("grey", "long"), (("line", "cars"), ("line", "grey"))),),
}
TAUGHT = Classes(NAMES[:3], "a photo of a {}, a type of pet.", descriptions=DESCRIPTIONS, structures=STRUCTURES)
NEW = Classes(NAMES[3:], "a photo of a {}, a type of pet.", "unseen", DESCRIPTIONS, STRUCTURES)
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])
WRAPPED = ("dept+maple", "nlprompt+kgcoop", "textrefiner+maple", "caspl+promptsrc", "dpc+maple", "dept+prograd")
EVERY = pytest.mark.parametrize("name", [*methods(), *WRAPPED])


@pytest.fixture(scope="module")
def pixels():
    tensors = Case("clip_zero_shot").images.pixels
    return torch.cat([tensors, tensors[:2].flip(-1)])


@pytest.fixture
def bank(pixels):
    return Bank(lambda ids: pixels[list(ids)], len(pixels))


def make(name, clip):
    torch.manual_seed(0)
    return build(name, clip, TAUGHT, SMALL.get(name), inner_arguments=SMALL.get(name.partition("+")[2]))


def prepared(name, clip, engine, bank):
    """The method as it stands at its last stage, every learnt tensor moved off its start, so that no branch is zero."""
    method = make(name, clip)
    shots = Shots(engine, TAUGHT, bank, LABELS, unlabelled=bank, everything=TAUGHT)
    method.prepare(shots)
    for stage in method.stages:
        method.start_stage(stage, shots)
    method.start_epoch(0, 1, shots)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in method.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return method


def taught_step(name, clip, engine, images, bank):
    method = prepared(name, clip, engine, bank).train()
    for module in method.modules():  # its random mask has the shape of what is computed
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    call = Call(engine, TAUGHT, images, LABELS, second=images)
    learnt = [p for p in method.parameters() if p.requires_grad]
    torch.manual_seed(2)
    losses = method.training_losses(call)
    if learnt:
        active = [p for p in learnt if p.requires_grad and _reached(losses, p)]
        method.backward(losses, active)
    method.eval()
    with torch.no_grad():
        logits = method.predict(call)
    return logits, losses, {n: p.grad for n, p in method.named_parameters() if p.grad is not None}


def _reached(losses, parameter):
    total = torch.stack(list(losses.values())).sum()
    return torch.autograd.grad(total, parameter, retain_graph=True, allow_unused=True)[0] is not None


@EVERY
def test_shortcuts_change_nothing(name, clip, pixels, bank):
    """Crop + shared prefix + last rows + cache = the plain forward, outputs and gradients within 1e-5 of their size."""
    torch.manual_seed(0)
    fast = taught_step(name, clip, Engine(clip), Images(bank=bank, ids=torch.arange(6)), bank)
    slow_bank = Bank(lambda ids: pixels[list(ids)], len(pixels))
    slow = taught_step(name, clip, Engine.plain(clip), Images(bank=slow_bank, ids=torch.arange(6)), slow_bank)
    torch.testing.assert_close(fast[0], slow[0], atol=2e-5, rtol=1e-5)
    assert fast[1].keys() == slow[1].keys()
    for term in fast[1]:
        torch.testing.assert_close(fast[1][term], slow[1][term], atol=1e-5, rtol=1e-5)
    assert fast[2].keys() == slow[2].keys()
    size = max([1.0, *(float(grad.abs().max()) for grad in slow[2].values())])
    for key, grad in fast[2].items():
        assert float((grad - slow[2][key]).abs().max()) <= 1e-5 * size, key


@EVERY
def test_frozen_weights_are_not_in_the_method(name, clip):
    method = make(name, clip)
    frozen = {id(p) for p in clip.model.parameters()}
    assert not any(id(p) in frozen for p in method.parameters())
    assert not any(p.requires_grad for p in clip.model.parameters())
    assert all(p.dtype == torch.float32 for p in method.parameters())


@EVERY
def test_new_classes_need_no_rebuild(name, clip, bank):
    engine = Engine(clip)
    method = prepared(name, clip, engine, bank).eval()
    call = Call(engine, NEW, Images(bank=bank, ids=torch.arange(6)))
    with torch.no_grad():
        if not method.answers_new_classes:
            from vistune.errors import InputError

            with pytest.raises(InputError, match="was not taught 'annual crop land'"):
                method.predict(call)
            return
        assert method.predict(call).shape == (6, 2)


@EVERY
def test_a_class_is_answered_the_same_whatever_its_place(name, clip, bank):
    """Logits follow the order of the names: nothing in a method remembers positions."""
    engine = Engine(clip)
    method = prepared(name, clip, engine, bank).eval()
    images = Images(bank=bank, ids=torch.arange(6))
    turned = TAUGHT.subset(tuple(reversed(TAUGHT.names)))
    with torch.no_grad():
        torch.testing.assert_close(
            method.predict(Call(engine, turned, images)),
            method.predict(Call(engine, TAUGHT, images)).flip(1),
            atol=2e-5,
            rtol=1e-5,
        )


@EVERY
def test_learnt_state_comes_back(name, clip, bank):
    engine = Engine(clip)
    method = prepared(name, clip, engine, bank).eval()
    again = make(name, clip).eval()
    again.load_state_dict(method.state_dict())
    call = Call(engine, TAUGHT, Images(bank=bank, ids=torch.arange(6)))
    with torch.no_grad():
        torch.testing.assert_close(again.predict(call), method.predict(call), atol=0, rtol=0)


AT_START = ("clip_lora", "damvp", "mma", "taskres", "lasp", "tpt", "kgcoop", "twosfs")


@pytest.mark.parametrize("name", AT_START)
def test_zero_shot_at_the_start(name, clip, bank):
    """Methods whose change starts at zero, or at the words of the template, start as the frozen model."""
    plain = Classes(NAMES[:3], "a photo of a {}.")
    arguments = {**SMALL, "mma": {"scale": 0.0}, "damvp": {"border": 4, "start": "zero", "template": "a photo of a {}."}}.get(
        name
    )
    method = build(name, clip, plain, arguments).eval()
    engine = Engine(clip)
    call = Call(engine, plain, Images(bank=bank, ids=torch.arange(6)))
    expected = clip.logits(call.frozen_image(), call.frozen_text())
    got = method.predict(call).detach()
    if name == "clip_lora":
        got = got * clip.scale / 100
    torch.testing.assert_close(got, expected, atol=2e-5, rtol=1e-5)


def test_plugins_are_told_from_methods():
    assert {name for name in methods() if is_plugin(name)} == {"dept", "dpc", "caspl", "textrefiner", "nlprompt"}
