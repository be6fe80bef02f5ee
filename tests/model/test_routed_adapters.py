"""Adapters mixed by what a sample is: LaVIN's numbers, in a language model and in a tower."""

from __future__ import annotations

import pytest
import torch
from mechanisms import Golden, close
from PIL import Image

from vistune.errors import InputError
from vistune.model.adapters.routed import RoutedAdapter
from vistune.model.encoders.huggingface import Huggingface
from vistune.model.encoders.routed import Routed
from vistune.model.interchange.formats import lavin


@torch.no_grad()
def test_a_routed_adapter_is_lavins() -> None:
    golden = Golden("lavin_routed_adapter")
    ours = RoutedAdapter(12, 4, scale=0.7).eval()
    golden.load(ours, lavin.ADAPTER, under="router.")
    x, given = golden["in/x"], golden["in/weights"]
    close(ours.weigh(x[:, 0]), golden["out/router_weights"])
    close(ours(x, ours.weigh(x[:, :1])), golden["out/router"])
    close(ours(x, given[:, None]), golden["out/router_given_weights"])
    # LaVIN's tower lays tokens first, so that the first picture of the batch routes all, each place by itself
    first = x.transpose(0, 1)
    close(ours(first, ours.weigh(first[:, :1])), golden["out/router_sequence_first"])
    # a picture that is routed by its own tokens is what that gives for a batch of one
    close(ours(x[:1], ours.weigh(x[:1]))[0], golden["out/router_sequence_first"][:, 0])


@torch.no_grad()
def test_the_path_without_a_router_is_lavins() -> None:
    """Their variant without routing has no residual either."""
    golden = Golden("lavin_routed_adapter")
    ours = RoutedAdapter(12, 4, experts=1).eval()
    names = {"narrow.": "conv_A.", "experts.0.": "conv_B.", "router.": None}
    golden.load(ours, names, under="plain.")
    close(ours.experts[0](ours.narrow(golden["in/x"])), golden["out/plain"])


def test_it_begins_as_the_identity_and_all_of_it_learns() -> None:
    torch.manual_seed(0)
    ours, x = RoutedAdapter(12, 4), torch.randn(2, 5, 12)
    y = ours(x, ours.weigh(x))
    assert torch.equal(y, x)
    for parameter in ours.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    ours(x, ours.weigh(x)).square().sum().backward()
    assert [name for name, parameter in ours.named_parameters() if parameter.grad is None] == []


def test_an_adapted_tower_begins_as_it_was_and_sees_each_picture_by_itself(tiny_clip: str) -> None:
    plain = Huggingface(tiny_clip, layer=-1, cls="keep").eval()
    ours = Routed({"kind": "huggingface", "path": tiny_clip, "layer": -1, "cls": "keep"}, hidden=4).eval()
    first, second = (plain.prepare(Image.linear_gradient("L").rotate(turn).convert("RGB")).inputs for turn in (0, 90))
    with torch.no_grad():
        assert torch.equal(ours(first).x, plain(first).x)
        for parameter in ours.adapters.parameters():
            parameter.data += 0.2 * torch.randn_like(parameter)
        together, alone = ours(torch.cat([first, second])).x, ours(second).x
    assert not torch.allclose(together[0], plain(first).x[0], atol=1e-3)
    close(together[1:], alone)
    ours(first).x.square().sum().backward()
    assert [name for name, parameter in ours.adapters.named_parameters() if parameter.grad is None] == []
    with pytest.raises(InputError, match="the blocks have no module 'layernorm1'"):
        Routed({"kind": "huggingface", "path": tiny_clip}, module="layernorm1")
