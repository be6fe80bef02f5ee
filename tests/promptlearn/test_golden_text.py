"""Recorded methods that work on the text side, or mix answers: HPT, TAC, LASP, ProDA, DePT."""

from __future__ import annotations

import pytest
import torch

from tests.promptlearn.golden import ENGINES, NAMES, PHOTO, Case, check_gradients, deep, load
from vistune.promptlearn.backbone import unit
from vistune.promptlearn.classes import Classes, Structure
from vistune.promptlearn.method import Call
from vistune.promptlearn.methods.coop import Coop
from vistune.promptlearn.methods.dept import Dept
from vistune.promptlearn.methods.hpt import Hpt
from vistune.promptlearn.methods.lasp import Lasp
from vistune.promptlearn.methods.proda import Proda
from vistune.promptlearn.methods.tac import Tac
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.prompts import embed, with_context


def total(losses):
    return torch.stack(list(losses.values())).sum()


def structures(case):
    """The recorded structures, links in their order."""

    def one(record):
        pairs = [(link["entity1"], link["entity2"]) for link in record["Entity-to-Entity Relationships"]]
        pairs += [(link["entity"], link["attribute"]) for link in record["Entity-to-Attribute Relationships"]]
        return Structure(tuple(record["Entities"]), tuple(record["Attributes"]), tuple(pairs))

    return {name: tuple(map(one, records)) for name, records in case.settings["structures"].items()}


HPT_KEYS = {
    "entity_scale": "topo_prompt_learner.e2e_scal",
    "attribute_scale": "topo_prompt_learner.e2a_scal",
    "input": "prompt_learner.p_input",
    "lift.weight": "prompt_learner.p_ins_projector.weight",
    "lift.bias": "prompt_learner.p_ins_projector.bias",
    "vision.0": "vision_prompt_learner.p_input",
    **{f"deep.{i}": f"prompt_learner.p_uni.{i}" for i in range(3)},
    **{f"vision.{i + 1}": f"vision_prompt_learner.p_visual.{i}" for i in range(3)},
}


@ENGINES
def test_hpt(clip, make, monkeypatch):
    case = Case("hpt")
    described = {name: tuple(texts) for name, texts in case.settings["descriptions"].items()}
    classes = Classes(NAMES, descriptions=described, structures=structures(case))
    method = Hpt(clip)
    load(method, case, HPT_KEYS)
    call = Call(make(clip), classes, case.images, case.labels)
    chosen = case.tensors["in/structure_index"]
    with monkeypatch.context() as patch:
        patch.setattr(torch, "randint", lambda *_: chosen)
        out = method(call)
    losses = method.losses(out, call)
    total(losses).backward()
    case.same("loss", total(losses), "total")
    for mine, theirs in (("mean_head", "mean"), ("image_head", "image"), ("text_head", "text")):
        case.same("loss", losses[mine], f"cross_entropy_{theirs}")
    check_gradients(method, case, HPT_KEYS)
    case.same("out", out.text.features, "text_features_train")
    case.same("out", out.image.features, "image_features")
    case.same("out", out.logits, "logits_train")
    by_image, by_text = method.heads(out.image, out.text, call)
    case.same("out", by_image, "logits_image")
    case.same("out", by_text, "logits_text")
    case.same("out", method.frozen_text(call), "text_features_zero_shot")
    case.same("out", method.high(call), "high_level_prompts")
    texts = [text for name in NAMES for text in described[name]]
    states = unit(call.engine.frozen_states(texts)[1:]).view(3, 5, 5, -1)
    torch.testing.assert_close(states, case.tensors["out/frozen_layer_features"][:3], **case.tolerance["outputs"])
    method.eval()
    every = torch.stack([method.class_features(call, [i] * 5) for i in range(5)], 1)
    case.same("out", every, "text_features_eval")
    case.same("out", method.predict(call), "logits_eval")


def test_hpt_words_behind_the_name(clip):
    """A word that is in the name as well is linked there as released, or in the list by option."""
    structure = Structure(("golden", "coat"), (), (("golden", "coat"),))
    own = {"golden retriever": (structure,)}
    classes = Classes(("golden retriever",), descriptions={"golden retriever": ("a golden dog.",)}, structures=own)
    features = []
    for match in ("first", "listed"):
        torch.manual_seed(0)
        method = Hpt(clip, match=match, n_high=1)
        torch.nn.init.ones_(method.entity_scale)
        features.append(method.class_features(Call(make_engine(clip), classes), [0]))
    assert not torch.allclose(*features)


def make_engine(clip):
    from vistune.promptlearn.engine import Engine

    return Engine(clip)


def tac_keys():
    keys = {"ctx": "prompt_learner.ctx", "vision.0": "image_encoder.VPT"}
    keys |= deep("deep_text", "text_encoder.transformer.resblocks.{}.VPT_shallow", (1, 2, 3))
    keys |= {f"vision.{i}": f"image_encoder.transformer.resblocks.{i}.VPT_shallow" for i in (1, 2, 3)}
    for leaf in ("weight", "bias"):
        keys |= {f"to_text.{leaf}": f"VPT_topk_t.{leaf}", f"to_vision.{leaf}": f"VPT_topk_v.{leaf}"}
    return keys


class Masks(torch.nn.Module):
    """Dropout with the recorded masks, in the order of the calls."""

    def __init__(self, *masks):
        super().__init__()
        self.masks = list(masks)

    def forward(self, x):
        return x * self.masks.pop(0) / 0.7 if self.training else x


@ENGINES
def test_tac(clip, make):
    case = Case("tac")
    described = {name: tuple(texts) for name, texts in case.settings["descriptions"].items()}
    classes = Classes(NAMES, descriptions=described)
    method = Tac(clip)
    load(method, case, tac_keys())
    method.centres.copy_(case.tensors["in/centres"])
    method.dropout = Masks(case.tensors["in/dropout_mask_prompted"], case.tensors["in/dropout_mask_frozen"])
    views = Images(torch.cat([case.shared["image"], case.shared["image_b"]]))
    call = Call(make(clip), classes, views, case.labels.repeat(2), plain=case.images)
    out = method(call)
    losses = method.losses(out, call)
    total(losses).backward()
    case.same("loss", total(losses), "total")
    for mine, theirs in (
        ("cross_entropy", "cross_entropy"),
        ("text_l1", "text_l1_weighted"),
        ("image_l1", "image_l1_weighted"),
    ):
        case.same("loss", losses[mine], theirs)
    check_gradients(method, case, tac_keys())
    case.same("out", method.to_text(method.centres), "text_pre_context")
    case.same("out", method.to_vision(method.centres), "image_pre_context")
    case.same("out", unit(out.text.features), "text_features")
    case.same("out", unit(out.image.features), "image_features_train")
    case.same("out", unit(method.references(call)), "text_features_frozen")
    case.same("out", out.logits, "logits_train")
    context = method.edits(call).contexts[0]
    state = embed(clip, with_context(clip, NAMES, context, crop=False), context, share=False)
    case.same("out", (state.tail[0] - clip.text_positions.weight)[:, :22], "text_input")
    method.eval()
    plain = Call(make(clip), classes, case.images)
    out = method(plain)
    case.same("out", out.image.features, "image_features_eval")
    case.same("out", method.predict(plain), "logits_eval")


def norm_keys():
    blocks = range(4)
    return {
        f"norms.{mine}_{leaf}": [f"image_encoder.transformer.resblocks.{i}.{theirs}.{leaf}" for i in blocks]
        for mine, theirs in (("first", "ln_1"), ("second", "ln_2"))
        for leaf in ("weight", "bias")
    }


@ENGINES
@pytest.mark.parametrize("name", ["lasp", "lasp_virtual"])
def test_lasp(clip, make, name, monkeypatch):
    case = Case(name)
    s = case.settings
    method = Lasp(clip, virtual=s["extra_classnames"], widen=s["include_all_classes"], templates=s["templates"])
    recorded = case.part("param")
    method.load_state_dict(
        {"ctx": recorded["prompt_learner.ctx"], "bias": recorded["prompt_learner.w"][0]}
        | {mine: torch.stack([recorded[one] for one in theirs]) for mine, theirs in norm_keys().items()}
    )
    call = Call(make(clip), PHOTO, case.images, case.labels)

    def run(draw, suffix):
        with monkeypatch.context() as patch:
            patch.setattr(torch, "rand", lambda *_: torch.tensor([draw]))
            patch.setattr(torch, "randn_like", lambda _: case.tensors["in/noise"])
            method.zero_grad()
            out = method(call)
            losses = method.losses(out, call)
        total(losses).backward()
        case.same("loss", total(losses), f"total{suffix}")
        case.same("loss", losses["cross_entropy"], "cross_entropy")
        case.same("loss", losses["text_to_text"] / s["text_weight"], f"text_to_text{suffix}")
        return out

    run(0.1, "_noise")
    case.same("out", method.ctx.grad, "grad_ctx_with_noise")
    case.same("out", method.bias.grad[None], "grad_w_with_noise")
    out = run(0.9, "")
    case.same("grad", method.ctx.grad, "prompt_learner.ctx")
    case.same("grad", method.bias.grad[None], "prompt_learner.w")
    for mine, theirs in norm_keys().items():
        for i, one in enumerate(theirs):
            case.same("grad", method.get_parameter(mine).grad[i], one)
    case.same("out", out.image.features, "image_features")
    case.same("out", out.logits, "logits")
    everything = method.widened(PHOTO)
    case.same("out", call.engine.text(everything, method.edits(call)).pooled, "text_features")
    case.same("out", call.engine.frozen_templates(everything, s["templates"]), "reference_features")
    assert method.eval().predict(call).shape == (4, 5)


@ENGINES
def test_proda(clip, make):
    case = Case("proda_thirdparty")
    method = Proda(clip, n_prompts=8, n_ctx=5)
    load(method, case, {"ctx": "ctx"})
    method._queue = case.tensors["in/permutation"].tolist()
    call = Call(make(clip), PHOTO, case.images, case.labels)
    for step in (1, 2):
        method.zero_grad()
        out = method(call)
        losses = method.losses(out, call)
        total(losses).backward()
        case.same("out", out.logits, f"logits_step{step}")
        case.same("loss", losses["cross_entropy"], f"cross_entropy_step{step}")
        case.same("loss", losses["diversity"] / 0.1, "diversity")
        case.same(f"grad.step{step}", method.ctx.grad, "ctx")
        if step == 1:
            # ours stand front, middle, end, each in ascending order; the recording runs the other way, as permuted
            first = case.tensors["in/permutation"][:4]
            order = [one for lot in ((4, 8), (2, 4), (0, 2)) for one in first.tolist() if lot[0] <= one < lot[1]]
            mine = [one for lot in ((0, 2), (2, 4), (4, 8)) for one in first.tolist() if lot[0] <= one < lot[1]]
            case.same("out", out.text.features.permute(1, 0, 2)[:, [mine.index(one) for one in order]], "text_features_step1")
    method.eval()
    out = method(Call(make(clip), PHOTO, case.images))
    case.same("out", out.text.features, "classifier")
    case.same("out", out.logits, "logits_test")


DEPT_KEYS = {
    "inner.ctx": "prompt_learner.ctx",
    "image_map.gamma": "film_lp_img.scale",
    "image_map.beta": "film_lp_img.bias",
    "text_map.gamma": "film_lp_text.scale",
    "text_map.beta": "film_lp_text.bias",
    "head.weight": "linear_probe_proj.weight",
    "head.bias": "linear_probe_proj.bias",
}


@ENGINES
def test_dept(clip, make):
    case = Case("dept_coop")
    method = Dept(clip, PHOTO, Coop(clip, PHOTO, n_ctx=4))
    load(method, case, DEPT_KEYS)
    call = Call(make(clip), PHOTO, case.images, case.labels)
    out = method(call)
    losses = method.losses(out, call)
    total(losses).backward()
    case.same("loss", total(losses), "total")
    case.same("loss", losses["cross_entropy"] / 0.3, "cross_entropy_similarity")
    case.same("loss", losses["linear"] / 0.7, "cross_entropy_linear")
    check_gradients(method, case, DEPT_KEYS)
    case.same("out", out.text.features, "text_features")
    case.same("out", out.image.features, "image_features")
    case.same("out", out.logits, "logits_similarity")
    case.same("out", method.linear(out.image, call), "logits_linear_image")
    case.same("out", method.predict(call), "logits_base_test")
    new = Call(make(clip), PHOTO.subset(NAMES, "unseen"), case.images)
    case.same("out", method.predict(new), "logits_novel_test")
    method.mix = "probabilities"
    torch.testing.assert_close(method.predict(call).exp().sum(1), torch.ones(4))
