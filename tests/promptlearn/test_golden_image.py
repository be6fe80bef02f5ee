"""Recorded methods that work on the image side or with a store of features: TextRefiner, Tip-Adapter, PromptKD, DAM-VP, TPT."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from tests.promptlearn.golden import ENGINES, PHOTO, Case, check_gradients, load
from vistune.promptlearn.backbone import unit
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.fit import optimizer_of, rate
from vistune.promptlearn.losses import entropy, marginal_entropy
from vistune.promptlearn.method import Call
from vistune.promptlearn.methods.coop import Coop
from vistune.promptlearn.methods.damvp import SIDES, Damvp, cluster
from vistune.promptlearn.methods.promptkd import Promptkd
from vistune.promptlearn.methods.textrefiner import Textrefiner
from vistune.promptlearn.methods.tip_adapter import SCALE, TipAdapter, cache_logits
from vistune.promptlearn.methods.tpt import Tpt
from vistune.promptlearn.pictures.images import Bank, Images


def total(losses):
    return torch.stack(list(losses.values())).sum()


def network_keys(mine, theirs):
    """Linear, batch norm, ReLU, Linear: weights by name, and the norm's statistics."""
    parts = ("0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias")
    return {f"{mine}.{part}": f"{theirs}.conv1.{part}" for part in parts}


def load_statistics(norm, case, theirs):
    norm.running_mean.copy_(case.tensors[f"param/{theirs}.conv1.1.running_mean"])
    norm.running_var.copy_(case.tensors[f"param/{theirs}.conv1.1.running_var"])


@ENGINES
def test_textrefiner(clip, make):
    case = Case("textrefiner")
    method = Textrefiner(clip, Coop(clip, PHOTO, words="a photo of a"), slots=6)
    keys = network_keys("patch_net", "mid_image_trans")
    keys |= {"inner.ctx": "prompt_learner.ctx", "refine.weight": "memory.extractor.weight"}
    buffers = [f"mid_image_trans.conv1.1.running_{kind}" for kind in ("mean", "var")] + ["memory.cache"]
    recorded = {name: case.tensors.pop(f"param/{name}") for name in buffers}
    load(method, case, keys)
    norm = method.patch_net[1]
    norm.running_mean.copy_(recorded[buffers[0]])
    norm.running_var.copy_(recorded[buffers[1]])
    method.memory.copy_(recorded["memory.cache"])

    method.eval()
    call = Call(make(clip), PHOTO, case.images, case.labels)
    case.same("out", method.predict(call), "logits_eval")
    case.same("out", method(call).logits, "logits_train")
    method.train()
    out = method(call)
    # the network's batch statistics are taken once a step: its values are read off a copy of the losses' own call
    seen = {}
    hook = method.patch_net.register_forward_hook(lambda _, __, y: seen.update(tokens=y))
    case.same("out", method.read(out.text.pooled), "memory_read")
    losses = method.losses(out, call)
    hook.remove()
    total(losses).backward()
    case.same("loss", total(losses), "total")
    case.same("loss", losses["cross_entropy"], "global_")
    case.same("loss", losses["local"] * case.settings["balance"], "local")
    case.same("loss", losses["keep"] / case.settings["distill"], "feature_l1")
    check_gradients(method, case, keys)
    case.same("out", unit(out.text.pooled), "text_features")
    case.same("out", unit(out.image.features), "image_features")
    case.same("out", out.text.features, "refined_text_features")
    tokens = seen["tokens"].view(4, 17, -1)
    local = method.local(tokens, out.image)
    case.same("out", tokens, "patch_features")
    case.same("out", local, "local_features")
    case.same("out", method.local_logits(local, out.text.pooled, call), "logits_local")
    case.same("out", method.memory, "memory_cache_after")
    case.same("out", norm.running_mean, "running_mean_after")
    case.same("out", norm.running_var, "running_var_after")


def bank(pixels):
    return Bank(lambda ids: pixels[list(ids)], len(pixels))


@ENGINES
def test_tip_adapter(clip, make):
    case = Case("tip_adapter")
    s = case.settings
    engine = make(clip)
    first, second, tests = (case.shared[name] for name in ("image", "image_b", "views"))
    labels = torch.cat([case.labels, case.tensors["in/label_b"]])
    train = torch.cat([first, second])
    validation, known = Images(second), case.tensors["in/label_b"]
    shots = Shots(
        engine, PHOTO, bank(torch.cat([train, train.flip(-1)])), labels, 2, validation=validation, validation_labels=known
    )
    method = TipAdapter(
        clip, PHOTO, alpha=s["alpha"], beta=s["beta"], templates=s["templates"], search_scale=s["search_scale"],
        search_steps=s["search_step"], shots=2,
    )  # fmt: skip
    method.keys = torch.nn.Parameter(torch.zeros(8, 64))  # eight images of five classes: not the same number for each
    method.values = torch.zeros(8, dtype=torch.long)
    method.prepare(shots)
    case.same("out", method.keys, "cache_keys")
    plain = Call(engine, PHOTO, validation)
    case.same("out", method.classifier(plain), "classifier")
    case.same("out", method.one_hot(plain), "cache_values")
    f = unit(engine.image(validation).pooled)
    case.same("out", f, "val_features")
    case.same("out", SCALE * f @ method.classifier(plain).T, "val_logits_zero_shot")
    case.same("out", method.predict(plain), "val_logits_tip_initial")
    right = (method.predict(plain).argmax(1) == known).float().mean() * 100
    case.same("out", right, "val_accuracy_initial")
    test = Call(engine, PHOTO, Images(tests))
    case.same("out", unit(engine.image(test.batch).pooled), "test_features")

    # two steps on one batch, at the published schedule
    optimizer = optimizer_of(method, method.recipe, {method.keys})
    call = Call(engine, PHOTO, case.images, case.labels)
    rates = [method.recipe.lr * rate(method.recipe, 0, step, 1, 2) for step in range(2)]
    case.same("out", torch.tensor(rates), "learning_rates")
    keys = method.keys.detach().clone()
    for step, lr in enumerate(rates, 1):
        optimizer.zero_grad()
        out = method(call)
        loss = total(method.losses(out, call))
        loss.backward()
        case.same("loss", loss, f"cross_entropy_step{step}")
        if step == 1:
            case.same("out", out.logits, "trained_logits_step1")
            case.same("grad", method.keys.grad, "cache_keys")
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
        case.same("out", method.keys, f"keys_after_step{step}")

    with torch.no_grad():
        method.keys.copy_(keys)
    method.finish(shots)
    case.same("out", torch.tensor([method.beta, method.alpha]), "best_beta_alpha")
    case.same("out", method.predict(test), "test_logits_tip_best")
    zero_shot = SCALE * unit(engine.image(test.batch).pooled) @ method.classifier(test).T
    case.same("out", zero_shot, "test_logits_zero_shot")
    torch.testing.assert_close(cache_logits(torch.ones(1, 8), F.one_hot(labels).float(), 3.0)[0], labels.bincount().float())


@ENGINES
def test_promptkd(clip, make, monkeypatch):
    case = Case("promptkd")
    s = case.settings
    method = Promptkd(clip, depth=3, teacher_dim=80, weight=s["kd_weight"], temperature=s["temperature"])
    keys = network_keys("projector", "VPT_image_trans") | {"tokens.0": "image_encoder.VPT"}
    keys |= {f"tokens.{i}": f"image_encoder.transformer.resblocks.{i}.VPT_shallow" for i in (1, 2)}
    norm = method.projector[1]
    load_statistics(norm, case, "VPT_image_trans")
    for kind in ("mean", "var"):
        case.tensors.pop(f"param/VPT_image_trans.conv1.1.running_{kind}")
    load(method, case, keys)
    monkeypatch.setattr(method, "class_weights", lambda call: case.tensors["in/teacher_text_features"])
    monkeypatch.setattr(method, "targets", lambda call: case.tensors["in/teacher_logits"])
    call = Call(make(clip), PHOTO, case.images, case.labels)
    method.eval()
    out = method(call)
    case.same("out", unit(out.image.features), "projected_eval")
    case.same("out", method.predict(call), "logits_eval")
    method.train()
    out = method(call)
    losses = method.losses(out, call)
    total(losses).backward()
    case.same("loss", total(losses), "total")
    check_gradients(method, case, keys)
    case.same("out", out.image.pooled, "image_features")
    case.same("out", unit(out.image.features), "projected_train")
    case.same("out", out.logits, "logits_train")
    case.same("out", norm.running_mean, "running_mean_after")
    case.same("out", norm.running_var, "running_var_after")


@ENGINES
def test_damvp(clip, make):
    case = Case("damvp")
    s = case.settings
    method = Damvp(clip, PHOTO, border=s["pad"], threshold=s["cluster_threshold"])
    borders = {side: torch.cat([case.tensors[f"param/{i}.pad_{side}"] for i in range(3)]) for side in SIDES}
    method.load_state_dict(borders | {"prototypes": case.tensors["in/prototypes"]})
    call = Call(make(clip), PHOTO, case.images, case.labels)
    out = method(call)
    loss = total(method.losses(out, call))
    loss.backward()
    case.same("loss", loss, "total")
    case.same("out", out.logits, "logits")
    case.same("out", method.zero_shot(call), "logits_plain")
    case.same("out", method.distances(call), "distance")
    route = method.route(call)
    case.same("out", route, "route")
    case.same("out", method.bordered(case.shared["image"], route), "prompted_image")
    for side in SIDES:
        for i in range(3):
            case.same("grad", method.get_parameter(side).grad[i : i + 1], f"{i}.pad_{side}")
    everything = Images(torch.cat([case.shared[name] for name in ("image", "image_b", "views")]))
    found = cluster(method.zero_shot(Call(make(clip), PHOTO, everything)), method.threshold)
    recorded = case.tensors["out/found_prototypes"]
    order = torch.cdist(found, recorded).argmin(0)
    case.same("out", found[order], "found_prototypes")


def test_damvp_border_for_each_cluster(clip):
    """Clustering sets the number of borders, every one as the first; a file of learnt borders brings its own number."""
    case = Case("damvp")
    method = Damvp(clip, PHOTO, border=4, threshold=0.5)
    start = method.get_parameter("up").detach().clone()
    from vistune.promptlearn.engine import Engine

    shots = Shots(Engine(clip), PHOTO, bank(case.shared["views"]), torch.zeros(8, dtype=torch.long))
    method.prepare(shots)
    count = len(method.prototypes)
    assert count > 1
    assert torch.equal(method.get_parameter("up").detach(), start.expand(count, -1, -1, -1))
    other = Damvp(clip, PHOTO, border=4)
    other.load_state_dict(method.state_dict())
    assert torch.equal(other.prototypes, method.prototypes)


@ENGINES
def test_tpt(clip, make):
    case = Case("tpt")
    s = case.settings
    views = Images(case.shared["views"])
    call = Call(make(clip), PHOTO, Images(case.shared["views"][:1]), views=views)
    method = Tpt(clip, keep=s["selection"], views=s["views"])
    case.same("out", method.ctx, "ctx_after_reset")
    load(method, case, {"ctx": "ctx"})
    pooled = call.engine.image(views).pooled
    features = method.class_features(call, method.ctx[None])[0]
    logits = clip.logits(pooled, features)
    case.same("out", logits, "logits_views")
    case.same("out", entropy(logits), "view_entropy")
    selected = entropy(logits).topk(3, largest=False).indices
    assert torch.equal(selected, case.tensors["out/selected_views"])
    case.same("out", clip.logits(pooled[:1], features), "logits_plain_before")
    loss = marginal_entropy(logits[selected])
    loss.backward()
    case.same("loss", loss, "entropy")
    check_gradients(method, case, {"ctx": "ctx"})
    for steps in (1, 2):
        method.steps = steps
        case.same("out", method.tuned(call, pooled[None])[0], f"ctx_after_{steps}")
        case.same("out", method.predict(call), f"logits_plain_after_{steps}")
        case.same("out", method.predict(call), f"logits_plain_after_{steps}")  # nothing is left of the image before
