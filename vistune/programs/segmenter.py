"""A promptable segmenter of `transformers` (SAM, arXiv 2304.02643): from boxes and points to masks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vistune.model.weights.assets import locate
from vistune.sample import Region

if TYPE_CHECKING:
    from vistune.model.heads._segmenter import Segmenter as Parts


class Segmenter:
    """SAM by directory, hub id or `builtin:NAME`; read when it is first asked."""

    def __init__(self, path: str = "builtin:sam") -> None:
        self._path = path

    @cached_property
    def _model(self) -> Any:
        from transformers import SamModel

        from vistune.model.weights.pretrained import read_config, read_model

        folder = locate(self._path)
        return read_model(SamModel, self._path, folder, read_config(self._path, folder, None), None, True).float().eval()

    @cached_property
    def _eyes(self) -> Parts:
        from vistune.model.encoders._statistics import statistics
        from vistune.model.heads._segmenter import Segmenter as Parts

        return Parts(self._model, statistics(locate(self._path), None))

    @torch.no_grad()
    def masks(self, picture: Image.Image, regions: Sequence[Region]) -> list[Region]:
        """A mask for each box or point, with its label; a region that is a mask stays as it is."""
        asked = [region for region in regions if region.mask is None]
        boxes = [region.box for region in asked if region.box is not None]
        points = [region.point for region in asked if region.point is not None]
        found_boxes, found_points = (iter(self._logits(picture, some) > 0) for some in (boxes, points))
        made = []
        for region in regions:
            if region.mask is None:
                mask = next(found_boxes if region.box is not None else found_points).numpy()
                region = Region(region.media, mask=mask, label=region.label)
            made.append(region)
        return made

    @torch.no_grad()
    def everything(self, picture: Image.Image, side: int = 12) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Masks `[N, H, W]` from a grid of `side` times `side` points, and how stable each is: the share of its pixels that
        it keeps when the threshold moves by one up instead of down (SAM, appendix B)."""
        grid = [((column + 0.5) / side, (row + 0.5) / side) for row in range(side) for column in range(side)]
        logits = self._logits(picture, grid)
        loose = (logits > -1).sum(dim=(1, 2)).clamp(min=1)
        return (logits > 0).numpy(), ((logits > 1).sum(dim=(1, 2)) / loose).double().numpy()

    def _logits(self, picture: Image.Image, prompts: Sequence[tuple[float, ...]]) -> Tensor:
        """Logits `[N, H, W]` at the picture's size, for boxes or for points: one decoder pass for all."""
        width, height = picture.size
        if not prompts:
            return torch.empty(0, height, width)
        seen = self._eyes.prepare(picture)
        assert seen.extra is not None, "a segmenter's picture comes with its sizes"
        sizes = seen.extra["sizes"]
        high, wide = sizes[0].tolist()
        corners = torch.tensor(prompts, dtype=torch.float32)[None] * torch.tensor([wide, high] * (len(prompts[0]) // 2))
        given: dict[str, Tensor] = {"input_boxes": corners}
        if corners.shape[-1] == 2:
            given = {"input_points": corners[:, :, None], "input_labels": torch.ones(1, len(prompts), 1, dtype=torch.long)}
        seen_by = self._eyes.embed(seen.inputs)
        low = self._model(image_embeddings=seen_by, multimask_output=False, **given).pred_masks[0, :, 0]
        return self._eyes.enlarge(low, sizes)
