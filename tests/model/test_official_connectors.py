"""Connectors of published models give the recorded numbers, loaded by their public key maps."""

from __future__ import annotations

import pytest
import torch
import transformers as hf
from mechanisms import Golden, close
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.anchored_abstractor import AnchoredAbstractor, crop_places
from vistune.model.connectors.bracket import Bracket
from vistune.model.connectors.c_abstractor import CAbstractor
from vistune.model.connectors.class_taps import ClassTaps
from vistune.model.connectors.parallel import Parallel
from vistune.model.connectors.q_former import QFormer
from vistune.model.connectors.query_decoder import QueryDecoder
from vistune.model.connectors.spatial_pooling import SpatialPooling
from vistune.model.connectors.tap import Tap
from vistune.model.connectors.token_merge import TokenMerge
from vistune.model.connectors.visual_abstractor import VisualAbstractor
from vistune.model.features import Features, Layout, Tiling
from vistune.model.interchange.formats import bliva, honeybee, husky, lavin, medvint, minigpt_v2, mplug_docowl, xcomposer
from vistune.model.interchange.formats.keymap import read


@torch.no_grad()
def test_token_merge_is_minigpt_v2s() -> None:
    golden = Golden("minigpt_v2_token_merge")
    ours = TokenMerge(6, 10)
    golden.load(ours, minigpt_v2.CONNECTOR)
    patches = Features(golden["in/vit_features"][:, 1:], (4, 4))
    close(ours.merged(patches), golden["out/merged"])
    close(ours(patches), golden["out/tokens"])
    numbers = torch.arange(16.0).view(1, 16, 1)
    assert torch.equal(TokenMerge(1, 1, norm="none").merged(Features(numbers, (4, 4)))[0], golden["out/source_index"].float())


@torch.no_grad()
def test_a_block_is_what_idefics3_and_internvl_shuffle() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 16, 6)
    idefics = hf.models.idefics3.modeling_idefics3
    heads = {"num_attention_heads": 1, "num_key_value_heads": 1}
    text, vision = {"hidden_size": 10, "model_type": "llama", **heads}, {"hidden_size": 6, "num_attention_heads": 1}
    theirs = idefics.Idefics3Connector(hf.Idefics3Config(text_config=text, vision_config=vision, scale_factor=2))
    ours = TokenMerge(6, 10, shape="block", norm="none", bias=False)
    ours.layers[0].load_state_dict(theirs.modality_projection.proj.state_dict())
    close(ours(Features(x, (4, 4))), theirs(x))
    internvl = hf.models.internvl.modeling_internvl
    config = hf.InternVLConfig(text_config=text | {"model_type": "qwen2"}, vision_config=vision, downsample_ratio=0.5)
    projector = internvl.InternVLMultiModalProjector(config)
    ours = TokenMerge(6, 10, shape="block", norm="after", depth=2)
    ours.norm_after.load_state_dict(projector.layer_norm.state_dict())
    ours.layers[0].load_state_dict(projector.linear_1.state_dict())
    ours.layers[2].load_state_dict(projector.linear_2.state_dict())
    shuffled = internvl.InternVLModel.pixel_shuffle(None, x.view(2, 4, 4, 6), 0.5).flatten(1, 2)
    close(ours.merged(Features(x, (4, 4))), shuffled)
    close(ours(Features(x, (4, 4))), projector(shuffled))


class Given(nn.Module):
    """A Q-Former whose answer is recorded; it notes what it was asked."""

    def __init__(self, hidden: Tensor) -> None:
        super().__init__()
        self.hidden, self.asked = hidden, {}  # type: dict[str, Tensor]

    def forward(self, **asked: Tensor) -> object:
        self.asked = asked
        return type("Output", (), {"last_hidden_state": self.hidden})


@torch.no_grad()
def test_parallel_connectors_are_blivas() -> None:
    """Q-Former tokens, then patches of the last layer but one; the Q-Former's own output is given."""
    golden = Golden("bliva_parallel_connector")
    branches = {
        "queries": {"kind": "q_former", "queries": 3, "hidden": 8, "layers": 1, "heads": 1, "norm_eps": 1e-5},
        "patches": {"kind": "tap", "layer": -2, "inner": "linear"},
    }
    ours = Parallel(6, 10, branches)
    queries, patches = ours.branches["queries"], ours.branches["patches"]
    assert isinstance(queries, QFormer) and isinstance(patches, Tap)
    queries.model = Given(golden["in/qformer_hidden"])
    queries.queries, queries.proj = nn.Parameter(torch.zeros(3, 7)), nn.Linear(7, 10)
    rest = ("vision_project.*", "llm_model.*", "ln_vision.*", "query_tokens", "llm_proj.*")
    golden.load(queries, bliva.QUERIES, rest)
    golden.load(patches, bliva.PATCHES, rest)
    features = Features(golden["in/vit_final"], None, layers={-2: golden["in/vit_blocks"][1]})
    got = ours(features)
    assert got.shape[1] == ours.num_tokens(5, None) == 7
    close(got, golden["out/inputs_embeds"][:, :7])
    close(queries.model.asked["encoder_hidden_states"], golden["out/qformer_visual_input"])
    close(queries.model.asked["query_embeds"], golden["out/qformer_queries"])


@torch.no_grad()
def test_the_abstractor_without_positions_is_docowls() -> None:
    golden = Golden("docowl_abstractor")
    sizes = {"queries": 3, "depth": 2, "heads": 2, "hidden": 24}
    plain = VisualAbstractor(16, 20, positions=False, **sizes)
    golden.load(plain, mplug_docowl.DOCOWL, ["abstractor.cut_patch_embedding_*"])
    features = Features(golden["in/vision_tokens"])
    zeros = torch.zeros(1, 16)
    first = plain.layers[0](plain.queries.expand(5, -1, -1), features.x, zeros.expand(3, -1), zeros.expand(7, -1))
    close(first, golden["out/layer0"], 3e-5, 3e-4)
    close(plain(features), golden["out/tokens_plain"], 3e-5, 3e-4)
    close(plain(Features(features.x[:, :-2])), golden["out/tokens_masked"], 3e-5, 3e-4)


@torch.no_grad()
def test_crops_with_places_are_paperowls() -> None:
    """Behind the layers each crop is told its place, the end token is not; the grid of 2 x 2 and the list of DocOwl 1.5."""
    golden = Golden("docowl_abstractor")
    ours = AnchoredAbstractor(16, 20, queries=3, depth=2, heads=2, hidden=24)
    golden.load(ours, mplug_docowl.PAPEROWL)
    layout = Layout(7, None, 5, Tiling(2, 2, (448, 448)))
    got = ours.join(ours(Features(golden["in/vision_tokens"])), layout)
    close(got, golden["out/tokens_with_position"], 3e-5, 3e-4)
    assert torch.tensor(crop_places(layout.tiling, 2)).T.tolist() == golden["in/patch_positions"].tolist()
    assert crop_places(Tiling(2, 3, (9, 9)), 9) == ([9, 0, 0, 0, 1, 1, 1], [9, 0, 1, 2, 0, 1, 2])
    assert crop_places(None, 2) == ([2], [2])


def test_class_taps_behind_norms_are_huskys() -> None:
    """Four taps of nine states (embedding output included) in front of what a Q-Former read, then one projection for both."""
    golden = Golden("husky_class_taps")
    ours = ClassTaps(16, 12, taps=[1, 3, 5, 7], hidden=4, norm=True, eps=1e-6)
    golden.load(ours, husky.TAPS, ["query_tokens", "language_projection.*"])
    project = nn.Linear(12, 10)
    golden.load(project, {"": "language_projection."}, ["*"])
    layers = dict(enumerate(golden["in/hidden"]))
    got = project(torch.cat([ours(Features(layers[8], layers=layers)), golden["in/queries_read"]], dim=1))
    close(got, golden["out/tokens"], 2e-5, 1e-4)
    (got * golden["in/w"]).sum().backward()
    golden.gradients(ours, husky.TAPS)


def test_the_c_abstractor_is_honeybees() -> None:
    golden = Golden("honeybee_c_abstractor")
    ours = CAbstractor(12, 10, side=2, depth=1, hidden=16, grid=5, ends=1)
    names = honeybee.c_abstractor(1)
    golden.load(ours, names, ["flat.*"])
    got = ours(Features(golden["in/x"], (5, 5)))
    close(got, golden["out/tokens"], 2e-5, 1e-4)
    (got * golden["in/w"]).sum().backward()
    golden.gradients(ours, names)
    flat = CAbstractor(12, 10, side=2, depth=0, grid=5, mlp_depth=1)
    golden.load(flat, honeybee.c_abstractor(0), under="flat.")
    close(flat(Features(golden["in/flat_x"], (5, 5))), golden["out/flat_tokens"])


def test_the_query_decoder_is_medvints() -> None:
    golden = Golden("medvint_td_query_decoder")
    ours = QueryDecoder(12, 10, queries=3, depth=2, heads=2, hidden=16).eval()
    golden.load(ours, medvint.QUERY_DECODER)
    close(ours.decode(golden["in/x"]), golden["out/decoded"])
    got = ours(Features(golden["in/x"]))
    close(got, golden["out/tokens"])
    (got * golden["in/w"]).sum().backward()
    golden.gradients(ours, medvint.QUERY_DECODER)


def test_the_sampler_between_flags_is_xcomposers() -> None:
    golden = Golden("xcomposer_sampler_prompt")
    inner = {"kind": "q_former", "queries": 4, "hidden": 12, "layers": 2, "heads": 2, "feed_forward": 20, "norm_eps": 1e-5}
    ours = Bracket(6, 8, inner).eval()
    golden.load(ours, xcomposer.SAMPLER, ["internlm_model.*", "*.position_ids"])
    got = ours(Features(golden["in/features"]))
    close(got, golden["out/image_tokens"], 2e-5, 1e-5)
    total = (got * golden["in/w"]).sum()
    close(total, golden["out/weighted_sum"], 2e-5, 1e-5)
    total.backward()
    former = ours.inner
    assert isinstance(former, QFormer) and former.queries.grad is not None and former.proj.weight.grad is not None
    close(former.queries.grad, golden["out/grad_query_tokens"][0], 2e-5, 1e-5)
    close(former.proj.weight.grad, golden["out/grad_internlm_proj"], 2e-5, 1e-5)


@torch.no_grad()
def test_class_taps_are_lavins() -> None:
    golden = Golden("lavin_language_model")
    ours = ClassTaps(1024, 16, hidden=3)
    golden.load(ours, lavin.TAPS, ["layers.*", "*.weight", "adapter_modality_embedding*"])
    seen = golden["in/image_cls_tokens"]
    layers = {4 * number + 4: torch.stack([seen[:, number], torch.randn(3, 1024)], dim=1) for number in range(6)}
    close(ours(Features(torch.randn(3, 2, 1024), layers=layers)), golden["out/visual_tokens"], 5e-5, 1e-4)


@torch.no_grad()
def test_pooling_by_the_mean_commutes_with_a_linear_layer() -> None:
    torch.manual_seed(0)
    ours, x = SpatialPooling(6, 10, side=2), torch.randn(2, 16, 6)
    whole = ours.layers(x).unflatten(1, (2, 2, 2, 2)).mean(dim=(2, 4)).flatten(1, 2)
    close(ours(Features(x, (4, 4))), whole)
    assert not torch.allclose(SpatialPooling(6, 10, side=2, mode="max")(Features(x, (4, 4))), whole)


def test_what_does_not_fit_a_key_map_is_named() -> None:
    ours = TokenMerge(6, 10).state_dict()
    theirs = {"ln_vision.weight": torch.ones(6), "ln_vision.bias": torch.ones(6), "llama_proj.weight": torch.ones(10, 24)}
    with pytest.raises(InputError, match=r"lacks the tensor 'llama_proj.bias', which becomes 'layers.0.bias'"):
        read(theirs, ours, minigpt_v2.CONNECTOR)
    theirs["llama_proj.bias"] = torch.ones(9)
    with pytest.raises(InputError, match=r"'llama_proj.bias' of the checkpoint has the shape \[9\], expected \[10\]"):
        read(theirs, ours, minigpt_v2.CONNECTOR)
    theirs |= {"llama_proj.bias": torch.ones(1, 10), "Qformer.cls": torch.ones(1)}
    with pytest.raises(InputError, match=r"'Qformer\.cls' of the checkpoint belongs to no part"):
        read(theirs, ours, minigpt_v2.CONNECTOR)
    assert read(theirs, ours, minigpt_v2.CONNECTOR, ["Qformer.*"]).keys() == ours.keys()
