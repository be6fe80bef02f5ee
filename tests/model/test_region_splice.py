"""Region tokens in rows of words: the embeddings, states and gradients of GPT4RoI, GLaMM and PVIT."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
import transformers as hf
from mechanisms import Golden, close
from recorded_language import language_model
from torch import Tensor, nn

from vistune.model.connectors.linear import Linear
from vistune.model.connectors.mlp import Mlp
from vistune.model.features import Features
from vistune.model.fusion.splice import splice
from vistune.model.interchange.formats import pvit
from vistune.model.language.inputs import Inputs
from vistune.model.regions.second_encoder import SecondEncoder
from vistune.prompt.render import Slot

LLAMA = {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-6}


def runs(ids: Tensor, token: int, kept: Tensor | None = None) -> list[Slot]:
    """Slots of the places where `token` stands, each run of neighbours one."""
    slots: list[Slot] = []
    for place in (ids == token if kept is None else (ids == token) & kept).nonzero()[:, 0].tolist():
        if slots and slots[-1].start + slots[-1].length == place:
            slots[-1] = Slot(slots[-1].which, slots[-1].start, slots[-1].length + 1)
        else:
            slots.append(Slot(len(slots), place, 1))
    return slots


def packed(rows: list[Tensor], table: Tensor) -> Inputs:
    lengths = tuple(map(len, rows))
    positions = torch.cat([torch.arange(length) for length in lengths])
    return Inputs(F.embedding(torch.cat(rows), table), positions, lengths)


def tower(golden: Golden, **sizes: int) -> hf.CLIPVisionModel:
    shape = {"num_hidden_layers": 2, "num_attention_heads": 2, "projection_dim": 8}
    model = hf.CLIPVisionModel(hf.CLIPVisionConfig(**shape, **sizes)).eval()
    prefix = next(iter(model.state_dict())).split("embeddings.")[0]
    golden.load(model, {prefix: ""}, under="vt.")
    return model


def test_gpt4rois_rows_states_and_gradients(tmp_path: Path, tiny_language: str) -> None:
    golden = Golden("gpt4roi_bbox_splice")
    sizes = LLAMA | {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "vocab_size": 30}
    model = language_model(golden, tmp_path, tiny_language, "", **sizes)
    connector = Linear(6, 8)
    golden.load(connector, {"proj.": ""}, under="mm_projector.")
    seen = tower(golden, hidden_size=6, intermediate_size=8, image_size=16, patch_size=8)
    with torch.no_grad():
        patches = seen(golden["in/images"][:2], output_hidden_states=True).hidden_states[-2][:, 1:]
    regions = golden["in/region_features"].requires_grad_()
    mask = golden["in/attention_mask"].bool()
    rows = [ids[own] for ids, own in zip(golden["in/input_ids"], mask, strict=True)]
    row = torch.cat(rows)
    slots = {"image": runs(row, 25), "box": runs(row, 28)}
    tokens = {"image": list(connector(Features(patches))), "box": list(regions[:, None])}
    inputs = splice(packed(rows, model.embeddings), tokens, slots)
    close(inputs.embeds, golden["out/spliced_embeds"][mask])
    hidden = model(inputs)
    close(hidden, golden["out/last_hidden"][mask])
    total = (hidden * torch.linspace(-1, 1, 8)).sum()
    close(total, golden["out/weighted_sum"])
    total.backward()
    named = {"region_features": regions, "embed_tokens": model.embeddings, "mm_projector": connector.proj.weight}
    for name, found in named.items():
        assert found.grad is not None
        close(found.grad, golden[f"out/grad_{name}"])


def test_glamms_rows() -> None:
    """As many regions as places: its code drops what is over, and spreads a single region; ours always has one for each."""
    golden = Golden("glamm_bbox_splice")
    connector = Mlp(6, 8)
    golden.load(connector, {"layers.": ""}, under="mm_projector.")
    table = golden["param/embed_tokens.weight"]
    for number, first in ((0, 0), (1, 3)):
        ids = golden["in/input_ids"][number][golden["in/attention_mask"][number].bool()]
        place = int((ids == -200).nonzero())
        ids = torch.cat([ids[:place], torch.full((4,), 0), ids[place + 1 :]])
        boxes = runs(ids, 28)
        tokens = {
            "image": list(connector(Features(golden["in/features"][number : number + 1, 1:]))),
            "box": list(golden["in/region_features"][first : first + len(boxes), None]),
        }
        inputs = splice(packed([ids], table), tokens, {"image": [Slot(0, place, 4)], "box": boxes})
        close(inputs.embeds, golden["out/spliced_embeds"][number, : len(ids)])


class Pvit:
    """The recording of PVIT, whose region encoder is given by its output."""

    def __init__(self, folder: Path, tokenizer: str) -> None:
        self.golden = golden = Golden("pvit_region_prompt")
        sizes = LLAMA | {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "vocab_size": 30}
        self.model = language_model(golden, folder, tokenizer, "model.", "lm_head.weight", **sizes)
        self.connector = Linear(12, 16)
        golden.load(self.connector, {"proj.": ""}, under="model.mm_projector.")
        self.region = SecondEncoder(16, 16, {"kind": "huggingface", "path": "builtin:clip"})
        self.region.proj = nn.Linear(10, 16)
        kept = {f"encoder.{name}": None for name in self.region.encoder.state_dict()}
        others = ("embed_tokens*", "layers.*", "norm*", "mm_projector.*")
        golden.load(self.region, {**pvit.SECOND_ENCODER, **kept}, others, under="model.")
        seen = tower(golden, hidden_size=12, intermediate_size=16, image_size=28, patch_size=14)
        with torch.no_grad():
            self.patches = seen(golden["in/images"], output_hidden_states=True).hidden_states[-2][:, 1:]
        self.mask = golden["in/attention_mask"].bool()
        self.rows = [ids[own] for ids, own in zip(golden["in/input_ids"], self.mask, strict=True)]
        height, width = golden["in/region_image_hw"][torch.tensor([0, 0, 1])].float().T
        self.boxes = golden["in/region_boxes"] / torch.stack([width, height, width, height], dim=1)

    def inputs(self) -> Inputs:
        row = torch.cat(self.rows)
        before = F.pad(row[:-1] == 28, (1, 0))  # behind <Region> the token of a patch stands for the region
        slots = {"image": runs(row, 25, ~before), "box": runs(row, 25, before)}
        regions = self.region.tokens(self.golden["in/region_features"], self.boxes)
        tokens = {"image": list(self.connector(Features(self.patches))), "box": list(regions[:, None])}
        return splice(packed(self.rows, self.model.embeddings), tokens, slots)

    def loss(self, inputs: Inputs) -> Tensor:
        labels = self.golden["in/labels"][self.mask]
        summed = self.model.loss_sum(self.model(inputs), labels)
        return summed / int((labels != -100).sum())


def test_pvits_rows_loss_and_gradients(tmp_path: Path, tiny_language: str) -> None:
    ours = Pvit(tmp_path, tiny_language)
    inputs = ours.inputs()
    close(inputs.embeds, ours.golden["out/spliced_embeds"][ours.mask])
    close(ours.model.logits(ours.model(inputs)), ours.golden["out/logits"][ours.mask])
    loss = ours.loss(inputs)
    close(loss, ours.golden["out/loss"])
    loss.backward()
    assert ours.region.place is not None
    named = {"prompt_projector_weight": ours.region.proj.weight, "bbox_fc_weight": ours.region.place.weight}
    named |= {"mm_projector_weight": ours.connector.proj.weight, "embed_tokens": ours.model.embeddings}
    for name, weight in named.items():
        assert weight.grad is not None
        close(weight.grad, ours.golden[f"out/grad_{name}"])


def test_pvits_first_stage_teaches_the_projection_of_regions(tmp_path: Path, tiny_language: str) -> None:
    ours = Pvit(tmp_path, tiny_language)
    ours.region.place = None
    inputs = ours.inputs()
    close(inputs.embeds, ours.golden["out/stage1_spliced_embeds"][ours.mask])
    loss = ours.loss(inputs)
    close(loss, ours.golden["out/stage1_loss"])
    loss.backward()
    assert ours.region.proj.weight.grad is not None
    close(ours.region.proj.weight.grad, ours.golden["out/stage1_grad_prompt_projector_weight"])
