"""DreamLLM from words to the loss of its painter: condition, losses and gradients, as recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mechanisms import Golden, close
from recorded_language import language_model
from tiny_heads import write_painter

from vistune.model.connectors.linear import Linear
from vistune.model.features import Features
from vistune.model.fusion.splice import splice
from vistune.model.heads._painter import Draws
from vistune.model.heads.dream_queries import DreamQueries
from vistune.model.interchange.formats import dream_llm
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slot

SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 30}
SIZES |= {"num_key_value_heads": 2, "max_position_embeddings": 64}
# Where the dream queries stand in the two rows packed, of 17 and 13 tokens, and the picture's patches.
DREAMS, PICTURE, LENGTHS = (4, 10, 17 + 8), Slot(0, 17 + 3, 2), (17, 13)


@pytest.mark.parametrize("dropped", [False, True], ids=["conditioned", "some dropped"])
def test_losses_and_gradients_are_dreamllms(dropped: bool, tmp_path: Path, tiny_language: str) -> None:
    golden = Golden("dreamllm_diffusion_head")
    under = "model.llm."
    model = language_model(golden, tmp_path / "llm", tiny_language, under, "lm_head.weight", **SIZES, rms_norm_eps=1e-6)
    write_painter(tmp_path / "painter")
    head, connector = DreamQueries(16, str(tmp_path / "painter"), queries=3), Linear(5, 16)
    golden.load(head, dream_llm.DREAM_QUERIES, ("model.llm.*", "lm_head*", "model.clip*"))
    golden.load(connector, {"proj.": ""}, under="model.clip_vision_embedding.projector.")
    mask = golden["in/attention_mask"].bool()
    embeds = model.embed(golden["in/input_ids"][mask])
    positions = torch.cat([torch.arange(length) for length in LENGTHS])
    slots = {"image": [PICTURE], "produce_image": [Slot(number, start, 3) for number, start in enumerate(DREAMS)]}
    tokens = {"image": list(connector(Features(golden["in/clip_features"][0][None]))), "produce_image": [head.fill(3)] * 3}
    hidden = model(splice(Inputs(embeds, positions, LENGTHS), tokens, slots))
    led = torch.stack([hidden[start : start + 3] for start in DREAMS])
    close(head.project(led), golden["out/condition"], 2e-5, 2e-5)
    draws = Draws(golden["in/vae_noise"], golden["in/noise"], golden["in/timesteps"])
    # Its empty prompt: <s> <dream_start> and the embedding of a patch in place of the queries, then <dream_end> </s>.
    empty = model(Inputs(model.embed(torch.tensor([1, 24, 28, 28, 28, 25, 2])), torch.arange(7), (7,)))[2:5].expand(3, -1, -1)
    drops = golden["in/drop_mask"] if dropped else torch.zeros(3)
    suffix = "_drop" if dropped else ""
    close(head.project(torch.lerp(led, empty, drops[:, None, None])), golden[f"out/condition{suffix}"], 2e-5, 2e-5)
    painted = head.denoising(led, empty, drops, golden["in/images_dm"], draws).mean()
    labels = golden["in/labels"][mask]
    said = model.loss_sum(hidden, labels) / int((labels[1:] != -100).sum())
    close(painted, golden[f"out/vm_loss{suffix}"], 2e-5, 2e-5)
    close(said, golden["out/lm_loss"], 2e-5, 2e-5)
    (head.losses["denoising"] * painted + said).backward()
    named = {"dream_queries": head.queries, "embed_tokens": model.embeddings}
    if not dropped:
        close(head.losses["denoising"] * painted + said, golden["out/loss"], 2e-5, 2e-5)
        named |= {"head_projector": head.project.weight, "clip_projector": connector.proj.weight}
        named |= {"final_norm": model.model.model.norm.weight}
    for name, weight in named.items():
        assert weight.grad is not None
        close(weight.grad, golden[f"out/grad_{name}{suffix}"].reshape(weight.shape), 2e-5, 2e-4)
