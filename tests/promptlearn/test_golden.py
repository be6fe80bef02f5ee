"""Every recorded official module: same parameters and inputs give the same outputs, named losses and gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.promptlearn.golden import ENGINES, NAMES, PHOTO, SATELLITE, Case, check_gradients, deep, load
from vistune.promptlearn.backbone import unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.method import Call
from vistune.promptlearn.methods.cocoop import Cocoop
from vistune.promptlearn.methods.coop import Coop
from vistune.promptlearn.methods.ivlp import Ivlp
from vistune.promptlearn.methods.kgcoop import Kgcoop
from vistune.promptlearn.methods.maple import Maple
from vistune.promptlearn.methods.mma import Mma
from vistune.promptlearn.methods.mmrl import Mmrl
from vistune.promptlearn.methods.prograd import Prograd, project
from vistune.promptlearn.methods.promptsrc import Promptsrc, gaussian_weights
from vistune.promptlearn.methods.protext import Protext
from vistune.promptlearn.methods.rpo import Rpo
from vistune.promptlearn.methods.taskres import Taskres
from vistune.promptlearn.methods.tcp import Tcp
from vistune.promptlearn.methods.vpt import Vpt
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.prompts import embed, with_context


def run(method, case, classes, clip, make, keys):
    load(method, case, keys)
    call = Call(make(clip), classes, case.images, case.labels)
    out = method(call)
    losses = method.losses(out, call)
    total = torch.stack(list(losses.values())).sum()
    total.backward()
    case.same("loss", total, "total")
    case.same("out", out.logits, "logits")
    check_gradients(method, case, keys)
    return call, out, losses


@ENGINES
@pytest.mark.parametrize("name", ["generic_end", "generic_middle", "class_specific_end", "class_specific_front", "words_init"])
def test_coop(clip, make, name):
    case = Case(f"coop_{name}")
    s = case.settings
    words = s["ctx_init"] or None
    method = Coop(
        clip, PHOTO, n_ctx=s["n_ctx"], class_specific=s["class_specific"], position=s["class_token_position"], words=words
    )
    _, out, _ = run(method, case, PHOTO, clip, make, {"ctx": "ctx"})
    case.same("out", out.text.features, "text_features")
    case.same("out", out.image.features, "image_features")


@pytest.mark.parametrize("name", ["generic_end", "generic_middle", "class_specific_end", "class_specific_front"])
def test_coop_input_embeddings(clip, name):
    case = Case(f"coop_{name}")
    s = case.settings
    method = Coop(clip, PHOTO, n_ctx=s["n_ctx"], class_specific=s["class_specific"], position=s["class_token_position"])
    load(method, case, {"ctx": "ctx"})
    context = method.context(Call(Engine(clip), PHOTO))
    state = embed(clip, with_context(clip, NAMES, context, crop=False), context, share=False)
    case.same("out", (state.tail[0] - clip.text_positions.weight)[:, :14], "prompts")


@ENGINES
def test_cocoop(clip, make):
    case = Case("cocoop")
    keys = {"ctx": "ctx"} | {
        f"meta_net.{i}.{leaf}": f"meta_net.linear{n}.{leaf}" for i, n in ((0, 1), (2, 2)) for leaf in ("weight", "bias")
    }
    method = Cocoop(clip)
    call, out, _ = run(method, case, PHOTO, clip, make, keys)
    case.same("out", method.shift(call), "shift")
    case.same("out", out.text.features, "text_features")


@ENGINES
def test_kgcoop(clip, make):
    case = Case("kgcoop")
    method = Kgcoop(clip, SATELLITE)
    call, out, losses = run(method, case, SATELLITE, clip, make, {"ctx": "ctx"})
    case.same("loss", losses["cross_entropy"], "cross_entropy")
    case.same("loss", losses["knowledge"] / 8, "knowledge")
    case.same("out", out.text.features, "text_features")
    case.same("out", unit(call.frozen_text()), "text_features_zero_shot")
    method.zero_grad()
    (method.losses(method(call), call)["knowledge"] / 8).backward()
    check_gradients(method, case, {"ctx": "ctx"}, "grad.knowledge")


@ENGINES
@pytest.mark.parametrize("which", ["conflict", "agree"])
@pytest.mark.parametrize("strength", [1.0, 0.8])
def test_prograd(clip, make, which, strength):
    case = Case("prograd")
    method = Prograd(clip, SATELLITE, n_ctx=8, strength=strength)
    load(method, case, {"ctx": "ctx"})
    labels = case.tensors["in/label" if which == "conflict" else "in/label_agree"].long()
    call = Call(make(clip), SATELLITE, case.images, labels)
    out = method(call)
    losses = method.losses(out, call)
    case.same("loss", losses["cross_entropy"], f"cross_entropy_{which}")
    case.same("loss", losses["kl"], "kl")
    case.same("out", out.logits, "logits")
    task = torch.autograd.grad(losses["cross_entropy"], method.ctx, retain_graph=True)[0]
    knowledge = torch.autograd.grad(losses["kl"], method.ctx, retain_graph=True)[0]
    case.same("out", task, f"grad_ce_{which}")
    case.same("out", knowledge, "grad_kl")
    case.same("loss", F.cosine_similarity(task.flatten(), knowledge.flatten(), dim=0), f"cosine_{which}")
    method.backward(losses, [method.ctx])
    case.same("out", method.ctx.grad, f"projected_grad_{which}_lambda{strength}")
    torch.testing.assert_close(project(task, knowledge, strength), method.ctx.grad)


@ENGINES
@pytest.mark.parametrize("name", ["taskres_single_template", "taskres_template_mean"])
def test_taskres(clip, make, name):
    case = Case(name)
    method = Taskres(clip, PHOTO, alpha=case.settings["alpha"], templates=case.settings["templates"])
    call, out, _ = run(method, case, PHOTO, clip, make, {"residual": "text_feature_residuals"})
    case.same("out", method.base(call), "base_text_features")
    case.same("out", out.text.features, "text_features")


@ENGINES
@pytest.mark.parametrize("name", ["vpt_shallow", "vpt_deep", "vpt_deep_all"])
def test_vpt(clip, make, name):
    case = Case(name)
    depth = case.settings["depth"]
    keys = {"tokens.0": "VPT"} | {f"tokens.{i}": f"transformer.resblocks.{i}.VPT_shallow" for i in range(1, depth)}
    method = Vpt(clip, n_tokens=case.settings["n_tokens"], depth=depth)
    call, out, _ = run(method, case, PHOTO, clip, make, keys)
    case.same("out", out.image.features, "image_features")
    case.same("out", out.text.features, "text_features")
    edits = method.edits(call)
    edits.read["vision"] = ("cls", "patch", "prompt")
    tokens = call.engine.image(case.images, edits).groups
    case.same("out", torch.cat([tokens[name] for name in ("cls", "patch", "prompt")], 1), "image_tokens")


VISION, TEXT = "image_encoder.transformer.resblocks.{}.VPT_shallow", "text_encoder.transformer.resblocks.{}.VPT_shallow"


def ivlp_keys(text_blocks, vision_blocks):
    keys = {"ctx": "prompt_learner.ctx"} | deep("deep_text", TEXT, text_blocks)
    if vision_blocks is None:
        return keys
    return keys | {"vision.0": "image_encoder.VPT"} | {f"vision.{b}": VISION.format(b) for b in vision_blocks}


@ENGINES
def test_ivlp(clip, make):
    case = Case("ivlp")
    method = Ivlp(clip, n_text=2, n_vision=3, depth_text=3, depth_vision=4)
    _, out, _ = run(method, case, PHOTO, clip, make, ivlp_keys((1, 2), (1, 2, 3)))
    case.same("out", out.text.features, "text_features")
    case.same("out", out.image.features, "image_features")


@ENGINES
def test_maple(clip, make):
    case = Case("maple")
    keys = {"ctx": "ctx", "deep.0": "compound_prompts_text.0", "deep.1": "compound_prompts_text.1"}
    for leaf in ("weight", "bias"):
        keys[f"couplings.0.{leaf}"] = f"proj.{leaf}"
        keys |= {f"couplings.{i + 1}.{leaf}": f"compound_prompt_projections.{i}.{leaf}" for i in range(2)}
    method = Maple(clip, n_ctx=2, depth=3)
    call, out, _ = run(method, case, PHOTO, clip, make, keys)
    case.same("out", out.text.features, "text_features")
    case.same("out", out.image.features, "image_features")
    for i, tokens in enumerate(method.visual()):
        case.same("out", tokens, f"visual_prompt_{i}")
    context = method.edits(call).contexts[0]
    state = embed(clip, with_context(clip, NAMES, context, crop=False), context, share=False)
    case.same("out", (state.tail[0] - clip.text_positions.weight)[:, :10], "text_input")


@ENGINES
def test_promptsrc(clip, make):
    case = Case("promptsrc")
    method = Promptsrc(clip, depth=3, templates=case.settings["templates"])
    call, out, losses = run(method, case, PHOTO, clip, make, ivlp_keys((1, 2), (1, 2)))
    for mine, theirs in {
        "cross_entropy": "cross_entropy",
        "text_l1": "text_l1_weighted",
        "image_l1": "image_l1_weighted",
        "logit_kl": "logit_kl",
    }.items():
        case.same("loss", losses[mine], theirs)
    case.same("out", unit(out.text.features), "text_features")
    case.same("out", unit(out.image.features), "image_features")
    raw = method.frozen_text(call)
    case.same("out", raw, "text_features_zero_shot_raw_mean")
    case.same("out", unit(raw), "text_features_zero_shot")
    case.same("out", unit(call.frozen_image()), "image_features_zero_shot")
    case.same("out", clip.logits(call.frozen_image(), raw), "logits_zero_shot")


def test_promptsrc_gaussian_average(clip):
    case = Case("promptsrc_gaussian_average")
    for mean, std, epochs in case.settings["sets_mean_std_epochs"]:
        weights = gaussian_weights(mean, std, epochs)
        case.same("out", weights, f"weights_mean{mean:.0f}_std{std:.0f}_epochs{epochs}")
        assert abs(float(weights.sum()) - 1) < 1e-6
    mean, std, epochs = case.settings["used_for_averages"]
    method = Promptsrc(clip, depth=1, mean=mean, std=std)
    for epoch in range(epochs):
        method.load_state_dict({"ctx": case.tensors["in/ctx_epochs"][epoch], "vision.0": case.tensors["in/VPT_epochs"][epoch]})
        method.end_epoch(epoch, epochs)
    case.same("out", method.ctx, "ctx_averaged")
    case.same("out", method.vision[0], "VPT_averaged")


@ENGINES
def test_protext(clip, make):
    case = Case("protext")
    method = Protext(clip, n_ctx=4, depth=3)
    keys = ivlp_keys((1, 2), None)
    load(method, case, keys)
    call = Call(make(clip), PHOTO, case.images, case.labels)
    names, sentences = (*NAMES, "cat"), tuple(case.settings["descriptions"])
    loss = method.mapping_loss(names, sentences, call)
    loss.backward()
    case.same("loss", loss, "total")
    check_gradients(method, case, keys)
    out = method(call)
    case.same("out", out.logits, "logits")
    prompted = unit(out.text.features)
    case.same("out", torch.cat([prompted, prompted[:1]]), "text_features")
    case.same("out", unit(call.engine.frozen_text(sentences)), "target_features")


@ENGINES
def test_tcp(clip, make):
    case = Case("tcp")
    keys = {"ctx": "ctx"} | {
        f"meta_net.{i}.{leaf}": f"meta_net.linear{n}.{leaf}" for i, n in ((0, 1), (2, 2)) for leaf in ("weight", "bias")
    }
    method = Tcp(clip, block=2)
    classes = Classes(NAMES, "a photo of a {}, a type of pet.")
    call, out, losses = run(method, case, classes, clip, make, keys)
    case.same("loss", losses["cross_entropy"], "cross_entropy")
    case.same("loss", losses["knowledge"] / 8, "knowledge")
    case.same("out", method.class_tokens(call), "class_tokens")
    case.same("out", out.text.features, "text_features")
    case.same("out", unit(call.frozen_text()), "text_features_zero_shot")


@ENGINES
def test_rpo(clip, make):
    case = Case("rpo")
    method = Rpo(clip, n_prompts=3)
    _, out, _ = run(method, case, SATELLITE, clip, make, {"text_prompt": "text_prompt", "image_prompt": "img_prompt"})
    case.same("out", method.features(clip, "text", out.text), "text_prompt_features")
    case.same("out", method.features(clip, "vision", out.image), "image_prompt_features")
    case.same("out", out.text.features, "text_eot_features")
    case.same("out", out.image.features, "image_cls_features")


@ENGINES
def test_mma(clip, make):
    case = Case("mma")
    keys = {}
    for leaf in ("weight", "bias"):
        for layer in (2, 3):
            keys[f"shared.{layer}.{leaf}"] = f"shared_adapter.{layer + 1}.0.{leaf}"
            for mine, theirs in (("text", "text"), ("vision", "visual")):
                keys[f"down.{mine}_{layer}.{leaf}"] = f"{theirs}_adapter.{layer + 1}.down.0.{leaf}"
                keys[f"up.{mine}_{layer}.{leaf}"] = f"{theirs}_adapter.{layer + 1}.up.{leaf}"
    method = Mma(clip, first=2, bottleneck=8, scale=0.1)
    _, out, _ = run(method, case, PHOTO, clip, make, keys)
    case.same("out", out.text.features, "text_features")
    case.same("out", out.image.features, "image_features")


@ENGINES
def test_mmrl(clip, make):
    case = Case("mmrl")
    learner = "representation_learner.compound_rep_tokens"
    keys = {"rep": learner, "projection": "image_encoder.proj_rep"}
    for mine, theirs in (("to_text", "r2tproj"), ("to_vision", "r2vproj")):
        keys |= {f"{mine}.{i}.{leaf}": f"{learner}_{theirs}.{i}.{leaf}" for i in range(3) for leaf in ("weight", "bias")}
    method = Mmrl(clip, n_tokens=3, dim=16, first=1, weight=2.0)
    load(method, case, keys)
    call = Call(make(clip), SATELLITE, case.images, case.labels)
    out = method(call)
    losses = method.losses(out, call)
    total = torch.stack(list(losses.values())).sum()
    total.backward()
    case.same("loss", total, "total")
    for mine, (theirs, weight) in {
        "cross_entropy": ("cross_entropy", 0.7),
        "cross_entropy_rep": ("cross_entropy_rep", 0.3),
        "image_cosine": ("image_cosine_distance", 2),
        "text_cosine": ("text_cosine_distance", 2),
    }.items():
        case.same("loss", losses[mine] / weight, theirs)
    check_gradients(method, case, keys)
    by_class, by_rep = method.both(out.image, out.text, call)
    case.same("out", by_class, "logits")
    case.same("out", by_rep, "logits_rep")
    case.same("out", out.logits, "logits_fusion")
    case.same("out", unit(out.image.features), "image_features")
    case.same("out", method.rep_features(out.image, call), "image_features_rep")
    case.same("out", unit(out.text.features), "text_features")
    case.same("out", unit(call.frozen_image()), "image_features_zero_shot")
    case.same("out", unit(call.frozen_text()), "text_features_zero_shot")
    assert isinstance(call.images, Images)
