"""Masks: the losses, the projection and the decoder give LISA's recorded numbers."""

from __future__ import annotations

import torch
import transformers as hf
from mechanisms import Golden, close
from tiny_heads import sam_config
from torch import Tensor, nn

from vistune.model.heads._mask_losses import bce_each, dice_each
from vistune.model.heads._segmenter import Segmenter
from vistune.model.interchange.formats import lisa


def test_the_losses_are_lisas() -> None:
    """Among the targets an empty mask and a full one; among the logits very large ones."""
    golden = Golden("lisa_mask_losses")
    logits, targets = golden["in/logits"], golden["in/targets"]
    for name, each in (("bce", bce_each(logits, targets)), ("dice", dice_each(logits, targets))):
        close(each, golden[f"out/{name}_each"], 1e-6)
        close(each.sum(), golden[f"out/{name}_num1"], 1e-6)
        close(each.mean(), golden[f"out/{name}_num4"], 1e-6)
    close(dice_each(logits, targets, scale=1.0).mean(), golden["out/dice_scale1"], 1e-6)


def places(gaussian: Tensor, side: int) -> Tensor:
    """SAM's embedding `[1, C, side, side]` of where cells lie, from the directions that its checkpoint holds."""
    middle = (torch.arange(side) + 0.5) / side
    xy = torch.stack(torch.meshgrid(middle, middle, indexing="xy"), dim=-1)
    angles = 2 * torch.pi * (2 * xy - 1) @ gaussian
    return torch.cat([angles.sin(), angles.cos()], dim=-1).permute(2, 0, 1)[None]


class Lisa(nn.Module):
    """The parts of the head in the sizes of the recording, whose encoder is given by its output."""

    def __init__(self, golden: Golden) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 16))
        self.segmenter = Segmenter(hf.SamModel(sam_config()))
        prefix = "model.visual_model.prompt_encoder.pe_layer."
        where = places(golden[f"param/{prefix}positional_encoding_gaussian_matrix"], 8)
        kept = {f"segmenter.encoder.{name}": tensor for name, tensor in self.segmenter.encoder.state_dict().items()}
        golden.fill(self, lisa.PROMPTABLE_MASK, **kept, **{"segmenter.places": where})


def test_masks_are_lisas() -> None:
    golden = Golden("lisa_mask_head")
    ours, states = Lisa(golden), golden["in/hidden_states"]
    close(ours.project(states[:, :6]), golden["out/text_hidden_fcs"], 2e-5, 1e-4)
    rows, positions = golden["out/seg_positions"].T
    prompts = ours.project(states[rows, positions])
    low = []
    for number, chosen in enumerate((prompts[:3], prompts[3:])):
        close(chosen, golden[f"out/seg_embeddings_img{number}"], 2e-5, 1e-4)
        low.append(ours.segmenter.masks(golden["in/image_embeddings"][number], chosen))
        close(low[-1][:, None], golden[f"out/low_res_masks_img{number}"], 2e-5, 1e-4)
    sizes = torch.stack([golden["in/resize_list"], golden["in/original_sizes"]], dim=1)
    logits = [ours.segmenter.enlarge(masks, sizes[number]) for number, masks in enumerate(low)]
    close(logits[0], golden["out/pred_masks_img0"], 2e-5, 1e-4)
    pairs = [(made, golden[f"in/gt_masks_img{number}"]) for number, made in enumerate(logits)]
    for name, each, weight in (("bce", bce_each, 2.0), ("dice", dice_each, 0.5)):
        mean = torch.cat([each(made, target) for made, target in pairs]).mean()
        close(weight * mean, golden[f"out/mask_{name}_loss"], 2e-5, 1e-4)
