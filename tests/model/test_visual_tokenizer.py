"""Pictures as codes and back: the numbers and gradients are those of SEED."""

from __future__ import annotations

import pytest
import torch
from mechanisms import Golden, close

from vistune.model.heads._vector_quantizer import VectorQuantizer
from vistune.model.heads._visual_tokenizer import VisualTokenizer
from vistune.model.interchange.formats import seed


@pytest.mark.parametrize(("name", "beta_on"), [("legacy", "codes"), ("fixed", "vectors")])
def test_the_quantizer_is_seeds_forward_and_backward(name: str, beta_on: str) -> None:
    golden = Golden("seed_vq")
    ours = VectorQuantizer(16, 8, beta_on=beta_on)
    golden.fill(ours, {"codes.": "embedding."})
    z = golden["in/z"].requires_grad_()
    made = ours(z)
    (3 * made.loss + (made.x * golden["in/upstream"]).sum()).backward()
    close(made.loss, golden[f"out/loss_{name}"][0], 1e-6)
    close(made.x, golden["out/quantised"], 1e-6)
    assert torch.equal(made.ids.flatten(), golden["out/indices"])
    assert z.grad is not None and ours.codes.weight.grad is not None
    close(z.grad, golden[f"out/grad_z_{name}"], 1e-6)
    close(ours.codes.weight.grad, golden[f"out/grad_codebook_{name}"], 1e-6)


def tokenizer(back: str = "mlp") -> tuple[Golden, VisualTokenizer]:
    golden = Golden("seed_tokenizer")
    sizes = {"codes": 20, "code_width": 6, "hidden": 24, "layers": 2, "heads": 2, "intermediate": 40, "depth": 2}
    ours = VisualTokenizer(20, 12, expansion=2.0, back=back, narrow=(16, 8, 4), **sizes).eval()
    names = dict(seed.VISUAL_TOKENIZER)
    if back == "reverse":  # the recording holds both ways back, and calls this one's last layer apart
        names["image."] = "distill_rev."
    golden.fill(ours, names)
    return golden, ours


def test_a_picture_becomes_seeds_codes() -> None:
    golden, ours = tokenizer()
    x = ours.norm(golden["in/vit_tokens"])
    close(ours.q_former(x), golden["out/query_out"], 2e-5, 2e-4)
    visible = torch.ones(2, 7, dtype=torch.long)
    visible[1, 4:] = 0
    close(ours.q_former(x, visible), golden["out/query_out_masked"], 2e-5, 2e-4)
    close(ours.encode(ours.q_former(x)), golden["out/down"], 2e-5, 2e-4)
    made = ours(golden["in/vit_tokens"])
    assert torch.equal(made.ids, golden["out/indices"])
    close(ours.decode(made.x), golden["out/query_up"], 2e-5, 2e-4)


def test_a_query_knows_nothing_of_later_ones() -> None:
    """SEED's code is causal for exactly 32 queries, and for no other number; ours is causal for any."""
    golden, ours = tokenizer()
    x = ours.norm(golden["in/vit_tokens"])
    whole = ours.q_former(x)
    ours.q_former.queries = torch.nn.Parameter(ours.q_former.queries[:8])
    close(ours.q_former(x), whole[:, :8], 2e-5, 2e-4)
    ours.q_former.causal = False
    close(ours.q_former(x), golden["out/query_out_first8"], 2e-5, 2e-4)


@pytest.mark.parametrize(("back", "name"), [("mlp", "image_embed"), ("reverse", "image_embed_reverse")])
def test_codes_become_seeds_image_embedding(back: str, name: str) -> None:
    golden, ours = tokenizer(back)
    close(ours.embed_ids(golden["in/ids"]), golden[f"out/{name}"], 2e-5, 2e-4)
