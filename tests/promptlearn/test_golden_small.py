"""Recordings of our own: CLIP-Adapter, CLIP-LoRA, CoPrompt, NLPrompt, 2SFS, DenseCLIP's decoder, ViPT's prompt block."""

from __future__ import annotations

import pytest
import torch

from tests.promptlearn.golden import ENGINES, NAMES, PHOTO, Case, check_gradients, load
from vistune.promptlearn.backbone import unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.losses import generalised_cross_entropy
from vistune.promptlearn.method import Call, Phase
from vistune.promptlearn.methods.clip_adapter import ClipAdapter
from vistune.promptlearn.methods.clip_lora import ClipLora
from vistune.promptlearn.methods.coop import Coop
from vistune.promptlearn.methods.coprompt import Coprompt
from vistune.promptlearn.methods.nlprompt import Nlprompt
from vistune.promptlearn.methods.twosfs import Twosfs
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.towers.dense_clip import DenseClip
from vistune.promptlearn.towers.two_stream import Gate
from vistune.promptlearn.transport import plain_transport, transport


def total(losses):
    return torch.stack(list(losses.values())).sum()


@ENGINES
def test_clip_lora(clip, make):
    case = Case("clip_lora")
    method = ClipLora(clip, dropout=0.0)
    keys = {
        f"{mine}.{tower}_{layer}_{part}": f"{tower}.{layer}.{part}.{theirs}"
        for tower in ("text", "vision")
        for layer in range(4)
        for part in "qkv"
        for mine, theirs in (("down", "A"), ("up", "B"))
    }
    load(method, case, keys)
    call = Call(make(clip), PHOTO, case.images, case.labels)
    out = method(call)
    loss = total(method.losses(out, call))
    loss.backward()
    case.same("loss", loss, "total")
    case.same("out", out.logits, "logits")
    case.same("out", out.text.features, "text_features")
    case.same("out", out.image.features, "image_features")
    check_gradients(method, case, keys)


@ENGINES
def test_clip_adapter(clip, make):
    case = Case("clip_adapter")
    method = ClipAdapter(clip)
    keys = {f"adapter.{i}.weight": f"fc.{i}.weight" for i in (0, 2)}
    load(method, case, keys)
    call = Call(make(clip), PHOTO, case.images, case.labels)
    out = method(call)
    loss = total(method.losses(out, call))
    loss.backward()
    case.same("loss", loss, "total")
    case.same("out", out.logits, "logits")
    check_gradients(method, case, keys)


def coprompt_keys():
    keys = {"ctx": "prompt_learner.ctx"}
    for leaf in ("weight", "bias"):
        keys[f"couplings.0.{leaf}"] = f"prompt_learner.proj.{leaf}"
        keys |= {f"couplings.{i + 1}.{leaf}": f"prompt_learner.compound_prompt_projections.{i}.{leaf}" for i in (0, 1)}
    keys |= {f"deep.{i}": f"prompt_learner.compound_prompts_text.{i}" for i in (0, 1)}
    return keys | {f"{side}_adapter.{i}.weight": f"adapter_{side}.fc.{i}.weight" for side in ("image", "text") for i in (0, 2)}


@ENGINES
def test_coprompt(clip, make, monkeypatch):
    case = Case("coprompt")
    described = {name: tuple(texts) for name, texts in Case("tac").settings["descriptions"].items()}
    classes = Classes(NAMES, descriptions=described)
    method = Coprompt(clip, n_ctx=2, depth=3)
    load(method, case, coprompt_keys())
    call = Call(make(clip), classes, case.images, case.labels, second=Images(case.shared["image_b"]))
    monkeypatch.setattr(torch, "randint", lambda most, shape: torch.full(shape, case.settings["index"]))
    out = method(call)
    loss = total(method.losses(out, call))
    loss.backward()
    case.same("loss", loss, "total")
    case.same("out", out.logits, "logits")
    check_gradients(method, case, coprompt_keys())
    sentences = unit(call.engine.frozen_text(method.sentences(call)))
    torch.testing.assert_close(sentences, case.tensors["out/sentences"][1], **case.tolerance["outputs"])


def test_nlprompt_plans_and_split(clip):
    case = Case("nlprompt")
    logits, labels = case.tensors["in/logits"], case.tensors["in/label"]
    cost = -logits.softmax(-1).log_softmax(-1)
    for regularisation in case.settings["regularisations"]:
        for budget in case.settings["budgets"]:
            recorded = case.tensors[f"out/plan_{regularisation}_{budget}"]
            torch.testing.assert_close(plain_transport(cost, regularisation, budget), recorded, atol=1e-9, rtol=1e-6)
            method = Nlprompt(clip, Coop(clip, PHOTO), regularisation=regularisation, solver="plain")
            clean = case.tensors[f"out/clean_{regularisation}_{budget}"]
            assert torch.equal(method.clean(logits, labels, budget), clean)
            if budget == 1.0 and recorded.sum() > 0.5:  # otherwise the iteration has underflowed
                torch.testing.assert_close(transport(cost, regularisation), recorded, atol=1e-4, rtol=0.02)
    ramp = {"ramp_epochs": case.settings["ramp"], "begin": case.settings["begin"]}
    methods = [Nlprompt(clip, Coop(clip, PHOTO), ramp=kind, **ramp) for kind in ("linear", "exp")]
    budgets = torch.tensor([method.budget(epoch) for method in methods for epoch in range(5)], dtype=torch.float64)
    torch.testing.assert_close(budgets, case.tensors["out/budgets"])
    assert methods[0].budget(5) == 1.0


@pytest.mark.parametrize("q", [1.0, 0.7])
def test_generalised_cross_entropy(q):
    case = Case("nlprompt")
    logits = case.tensors["in/logits"].clone().requires_grad_()
    loss = generalised_cross_entropy(logits, case.tensors["in/label"], q)
    loss.backward()
    case.same("loss", loss, f"gce_{q}")
    case.same("grad", logits.grad, f"gce_{q}")


def test_nlprompt_goes_through_clean_images_first(clip):
    method = Nlprompt(clip, Coop(clip, PHOTO))
    method._clean = torch.arange(10) % 3 == 0
    kinds = [set(method._clean[lot].tolist()) for lot in method.batches(10, 2)]
    assert kinds == [{True}] * 2 + [{False}] * 3
    method.passes = 1
    assert sum(map(len, method.batches(10, 2))) == 10


@ENGINES
def test_twosfs(clip, make):
    case = Case("twosfs")
    engine = make(clip)
    method = Twosfs(clip, PHOTO)
    places = {
        f"{tower}_norms.{mine}_{leaf}": [f"{theirs}resblocks.{i}.{norm}.{leaf}" for i in range(4)]
        for tower, theirs in (("text", "transformer."), ("vision", "visual.transformer."))
        for mine, norm in (("first", "ln_1"), ("second", "ln_2"))
        for leaf in ("weight", "bias")
    }
    with torch.no_grad():
        for mine, theirs in places.items():
            method.get_parameter(mine).copy_(torch.stack([case.tensors[f"param/{one}"] for one in theirs]))
    call = Call(engine, PHOTO, case.images, case.labels)
    out = method(call)
    loss = total(method.losses(out, call))
    loss.backward()
    case.same("out", out.logits, "logits_first")
    case.same("loss", loss, "first")
    for mine, theirs in places.items():
        for i, one in enumerate(theirs):
            case.same("grad", method.get_parameter(mine).grad[i], one)
    three = Classes(NAMES[:3])
    second = Twosfs(clip, three)
    second.text_norms.load_state_dict(method.text_norms.state_dict())
    second.vision_norms.load_state_dict(method.vision_norms.state_dict())
    labels = case.tensors["in/label_second"]
    second.start_stage(Phase("classifier"), Shots(engine, three, None, labels))
    case.same("out", second.classifier, "classifier_start")
    with torch.no_grad():
        second.classifier.copy_(case.tensors["in/classifier"])
    call = Call(engine, three, case.images, labels)
    out = second(call)
    loss = total(second.losses(out, call))
    case.same("out", out.logits, "logits_second")
    case.same("loss", loss, "second")
    loss.backward()
    case.same("grad", second.classifier.grad, "classifier")
    case.same("out", second.predict(Call(engine, PHOTO, case.images)), "logits_selective")


@ENGINES
def test_dense_clip(clip, make):
    case = Case("dense_clip")
    method = DenseClip(clip, Classes(NAMES), n_ctx=3, width=16, heads=2, layers=2, dropout=0.0)
    learnt = case.part("param")
    ours = {name for name, _ in method.named_parameters() if not name.startswith("head.")}
    assert ours == set(learnt)
    method.load_state_dict(learnt, strict=False)
    engine = make(clip)
    case.same("out", method.class_features(engine), "text_raw")
    scores = method.score_map(engine, case.images)[0]
    case.same("out", scores, "score_map")
    loss = (scores * torch.arange(scores.numel()).view_as(scores).remainder(7)).mean()
    loss.backward()
    case.same("loss", loss, "total")
    check_gradients(method, case, {name: name for name in learnt})


def test_vipt_block():
    case = Case("vipt_block")
    gate = Gate(24)
    keys = {"sharpness": "fovea.smooth"}
    for leaf in ("weight", "bias"):
        keys |= {f"rgb.{leaf}": f"conv0_0.{leaf}", f"other.{leaf}": f"conv0_1.{leaf}", f"out.{leaf}": f"conv1x1.{leaf}"}
    load(gate, case, keys)
    rgb, other = (case.tensors[f"in/{name}"].flatten(2).mT for name in ("rgb", "other"))
    prompt = gate(rgb, other).mT.unflatten(2, (3, 5))
    loss = (prompt**2).mean()
    loss.backward()
    case.same("out", prompt, "prompt")
    case.same("loss", loss, "total")
    check_gradients(gate, case, keys)
