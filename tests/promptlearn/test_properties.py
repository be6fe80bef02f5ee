"""What single methods promise beyond the contract."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.promptlearn.golden import NAMES, Case
from vistune.errors import InputError
from vistune.promptlearn.backbone import unit
from vistune.promptlearn.build import build
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.losses import entropy, marginal_entropy
from vistune.promptlearn.method import Call
from vistune.promptlearn.methods.nlprompt import transport
from vistune.promptlearn.methods.proda import variance
from vistune.promptlearn.methods.prograd import project
from vistune.promptlearn.methods.rpo import Rpo
from vistune.promptlearn.methods.tpt import Tpt, confident
from vistune.promptlearn.pictures.images import Bank, Images

PHOTO = Classes(NAMES[:3], "a photo of a {}.")


def images():
    return Case("clip_zero_shot").images


def test_read_only_prompts_leave_class_and_end_tokens_bit_equal(clip):
    engine = Engine.plain(clip)
    call = Call(engine, PHOTO, images())
    torch.manual_seed(0)
    one, other = Rpo(clip, n_prompts=2)(call), Rpo(clip, n_prompts=2)(call)
    assert not torch.equal(one.logits, other.logits)
    assert torch.equal(one.image.pooled, other.image.pooled)
    assert torch.equal(one.text.pooled, other.text.pooled)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.8, 1.0))
def test_projected_gradient_never_opposes_what_is_known(seed, strength):
    g, h = torch.randn(2, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    projected = project(g, h, strength)
    if strength == 1.0 or (g * h).sum() >= 0:
        assert float((projected * h).sum()) >= -1e-12
    else:
        assert float((projected * h).sum()) == pytest.approx((1 - strength) * float((g * h).sum()))


def test_variance_is_zero_at_the_label_and_positive_elsewhere():
    torch.manual_seed(0)
    f, t = unit(torch.randn(4, 8)), unit(torch.randn(5, 3, 8))
    labels = torch.tensor([0, 2, 1, 0])
    sigma = variance(f, t, labels)
    assert torch.equal(sigma.gather(1, labels[:, None]), torch.zeros(4, 1))
    assert int((sigma > 0).sum()) == 8
    centred = t - t.mean(0)
    covariance = torch.einsum("pnd,pmd->nmd", centred, centred) / 6
    expected = f[0] ** 2 @ (covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    torch.testing.assert_close(sigma[0, 1], expected)


@pytest.mark.parametrize("classes", [2, 4, 10])
@pytest.mark.parametrize("regularisation", [0.001, 0.01, 0.1])
def test_transport_plan_has_uniform_marginals(classes, regularisation):
    torch.manual_seed(0)
    cost = -torch.randn(40, classes).softmax(-1).log_softmax(-1)
    plan = transport(cost, regularisation, iterations=3000)
    torch.testing.assert_close(plan.sum(0), torch.full((classes,), 1 / classes, dtype=torch.float64), atol=1e-6, rtol=0)
    torch.testing.assert_close(plan.sum(1), torch.full((40,), 1 / 40, dtype=torch.float64), atol=1e-3 / 40, rtol=1e-2)
    assert len(plan.argmax(1).unique()) == classes


def test_tpt_forgets_and_images_do_not_mix(clip):
    engine = Engine(clip)
    views = torch.cat([Case("clip_zero_shot").images.pixels, Case("clip_zero_shot").images.pixels.flip(-1)])
    pixels = views[[0, 1]]
    stacked = torch.stack([views[[0, 4, 1, 5]], views[[1, 5, 2, 6]]]).flatten(0, 1)
    method = Tpt(clip, keep=0.5).eval()
    before = method.ctx.clone()
    both = method.predict(Call(engine, PHOTO, Images(pixels), views=Images(stacked)))
    assert torch.equal(method.ctx, before)
    torch.testing.assert_close(method.predict(Call(engine, PHOTO, Images(pixels), views=Images(stacked))), both)
    alone = method.predict(Call(engine, PHOTO, Images(pixels[1:]), views=Images(stacked[4:])))
    torch.testing.assert_close(alone[0], both[1], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(both, method.predict(Call(engine, PHOTO, Images(pixels))), atol=1e-3)


def test_tpt_lowers_the_entropy_it_minimises(clip):
    engine = Engine(clip)
    views = engine.image(images()).pooled[None]
    method = Tpt(clip, keep=1.0, lr=1e-3)
    call = Call(engine, PHOTO, images())
    kept = confident(engine, views, call.frozen_text(), 1.0)

    def value(context):
        logits = clip.scale * torch.einsum("bve,bne->bvn", unit(kept), unit(method.class_features(call, context)))
        return float(marginal_entropy(logits))

    assert value(method.tuned(call, views)) < value(method.ctx.detach()[None])


def test_confident_keeps_the_surest_views(clip):
    engine = Engine(clip)
    views = engine.image(images()).pooled[None]
    text = engine.frozen_text(PHOTO.texts())
    kept = confident(engine, views, text, 0.25)
    surest = entropy(clip.logits(views[0], text)).argmin()
    torch.testing.assert_close(kept[0, 0], views[0, surest])


def test_image_tower_does_not_run_twice_for_text_side_methods(clip):
    pixels = images().pixels
    seen = []

    def load(ids):
        seen.extend(ids)
        return pixels[list(ids)]

    bank = Bank(load, 4)
    engine = Engine(clip)
    method = build("coop", clip, PHOTO)
    for _ in range(3):
        method(Call(engine, PHOTO, Images(bank=bank, ids=torch.tensor([0, 1]))))
    assert sorted(seen) == [0, 0, 1, 2, 3]  # one to learn its size, then each once


@pytest.mark.parametrize(
    ("name", "level"), [("mma", "level 1"), ("mmrl", "level 1"), ("maple", "level -1"), ("kgcoop", "features")]
)
def test_what_is_cached_follows_from_the_sites_touched(clip, name, level):
    pixels = images().pixels
    bank = Bank(lambda ids: pixels[list(ids)], 4)
    method = build(name, clip, PHOTO)
    method(Call(Engine(clip), PHOTO, Images(bank=bank, ids=torch.tensor([0, 1]))))
    assert list(bank._kept) == [level]


def test_a_bank_over_its_limit_keeps_nothing(clip):
    pixels = images().pixels
    bank = Bank(lambda ids: pixels[list(ids)], 4, limit=100)
    engine = Engine(clip)
    cached = engine.image(Images(bank=bank, ids=torch.tensor([2]))).features
    assert not bank._kept
    torch.testing.assert_close(cached, engine.image(Images(pixels[2:3])).features)


def test_errors_are_one_sentence(clip):
    with pytest.raises(InputError, match=r"class 'dog' is unknown \(known: cat, forest, golden retriever\)"):
        PHOTO.subset(("dog",))
    with pytest.raises(InputError, match="a list of classes is empty"):
        Classes(())
    with pytest.raises(InputError, match="class 'cat' is listed twice"):
        Classes(("cat", "cat"))
    with pytest.raises(InputError, match=r"has no place for the class name"):
        Classes(("cat",), "a photo.")
    with pytest.raises(InputError, match=r"methods has no kind 'mapple' \(did you mean 'maple'\?\)"):
        build("mapple", clip, PHOTO)
    with pytest.raises(InputError, match=r"maple has no key 'ctx'.*"):
        build("maple", clip, PHOTO, {"ctx": 3})
    with pytest.raises(InputError, match="depth 9 does not fit towers of 4 blocks: use 1 to 4"):
        build("maple", clip, PHOTO, {"depth": 9})
    with pytest.raises(InputError, match="'maple' wraps no other"):
        build("maple+coop", clip, PHOTO)
    with pytest.raises(InputError, match="CoPrompt needs descriptions, and class 'cat' has none"):
        PHOTO.sentences(1, "CoPrompt")


def test_siglip_runs_what_it_can_and_refuses_what_it_cannot():
    from transformers import SiglipConfig, SiglipModel

    from vistune.promptlearn.backbone import DualEncoder

    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config={
            **shape,
            "vocab_size": 30,
            "max_position_embeddings": 12,
            "projection_size": 16,
            "eos_token_id": 1,
            "pad_token_id": 1,
        },
        vision_config={**shape, "image_size": 16, "patch_size": 8},
    )
    torch.manual_seed(0)
    model = SiglipModel(config).eval()
    siglip = DualEncoder(
        model, lambda text: [min(29, ord(c) - 95) for c in text.lower() if c.isalpha()], identity="tiny-siglip"
    )
    engine = Engine(siglip)
    pixels = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(engine.image(Images(pixels)).features, model.get_image_features(pixels).pooler_output)
    classes = Classes(("ab", "c"), "{}")
    ids = torch.full((2, 12), siglip.pad)
    ids[0, :3], ids[1, :2] = torch.tensor([2, 3, siglip.end]), torch.tensor([4, siglip.end])
    torch.testing.assert_close(engine.frozen_text(("ab", "c")), model.get_text_features(ids).pooler_output)
    for name in ("coop", "maple", "clip_lora", "clip_adapter"):
        assert build(name, siglip, classes, {"n_ctx": 2} if name in ("coop", "maple") else None)(
            Call(engine, classes, Images(pixels))
        ).logits.shape == (2, 2)
    with pytest.raises(InputError, match=r"Rpo needs a causal text tower, and that of tiny-siglip \(siglip\) is not causal"):
        build("rpo", siglip, classes)


def test_dpc_keeps_the_batch_and_adds_images_of_confused_classes(clip):
    from vistune.promptlearn.experiments.shots import Shots
    from vistune.promptlearn.methods.coop import Coop
    from vistune.promptlearn.methods.dpc import Dpc

    pixels = torch.cat([images().pixels, images().pixels.flip(-1)])
    classes, engine = Classes(NAMES), Engine(clip)
    shots = Shots(engine, classes, Bank(lambda ids: pixels[list(ids)], 8), torch.tensor([0, 1, 2, 3, 4, 0, 1, 2]))
    method = Dpc(clip, classes, Coop(clip, classes, n_ctx=2), hard=3)
    batch = Images(bank=shots.bank, ids=torch.tensor([0, 5]))
    enlarged, labels = method.enlarge(Call(engine, classes, batch, torch.tensor([0, 0])), shots)
    assert enlarged.ids[:2].tolist() == [0, 5]
    assert labels[:2].tolist() == [0, 0]
    assert sorted(labels[2:].tolist()) == [1, 2, 3, 4]  # two for each image, no class twice
    assert torch.equal(shots.labels[enlarged.ids], labels)
