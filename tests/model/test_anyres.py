"""Tiles of LLaVA-1.6: grids, pixels, layout and counts equal the published code's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from vistune.errors import InputError
from vistune.model.connectors.anyres import Anyres as AnyresConnector
from vistune.model.connectors.base import Connector
from vistune.model.encoders.anyres import Anyres, best_grid, views
from vistune.model.features import Features, Grid, Layout, Tiling
from vistune.trust import trusting

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = json.loads((GOLDEN / "anyres.json").read_text())
TENSORS = load_file(GOLDEN / "anyres.safetensors")


class Identity(Connector):
    """Tokens as they come, so that only their layout is measured."""

    def num_tokens(self, n: int, grid: tuple[int, int] | None) -> int:
        return n

    def forward(self, features: Features, text: object = None) -> Tensor:
        return features.x


def layout() -> AnyresConnector:
    with trusting([__name__]):
        connector = AnyresConnector(6, 6, f"{__name__}:Identity")
    connector.newline.data = TENSORS["image_newline"]
    return connector


def tiled(tokens: int, grid: Grid, tiling: Tiling | None) -> Layout:
    return Layout(tokens, grid, 1 if tiling is None else tiling.inputs, tiling)


@pytest.mark.parametrize("side", [336, 384, 448])
def test_the_best_grid_is_the_published_one(side: int) -> None:
    grids = [tuple(grid) for grid in CASES[f"grids_{side}"]]
    for width, height, columns, rows, *_ in CASES[f"cases_{side}"]:
        assert best_grid((width, height), grids, side) == (columns, rows), (width, height)


def test_content_and_token_counts_are_the_published_ones() -> None:
    for width, height, columns, rows, *_, shown_rows, shown_columns, count in CASES["cases_336"]:
        tiling = Tiling(rows, columns, (width, height))
        kept = tiling.content((24, 24))
        assert [part.stop - part.start for part in kept] == [shown_rows, shown_columns], (width, height)
        assert layout().layout_after(tiled(576, (24, 24), tiling)).total == count, (width, height)


def test_the_picture_stands_where_the_published_code_puts_it() -> None:
    for width, height, columns, rows, left, top, right, bottom, *_ in CASES["cases_336"]:
        tiles = views(Image.new("RGB", (width, height), "white"), 336, Tiling(rows, columns, (width, height)))[1:]
        lines = [np.hstack([np.asarray(tile) for tile in tiles[row * columns : (row + 1) * columns]]) for row in range(rows)]
        ys, xs = np.nonzero(np.vstack(lines).max(axis=-1))
        assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (left, top, right, bottom), (width, height)


def test_tiles_hold_the_published_pixels() -> None:
    image = Image.fromarray(TENSORS["anyres_image"].numpy().astype(np.uint8))
    columns, rows = best_grid(image.size, [(2, 1), (1, 2), (2, 2)], 4)
    pixels = [np.asarray(view, dtype=np.float32) for view in views(image, 4, Tiling(rows, columns, image.size))]
    ours = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)
    assert torch.equal(ours, TENSORS["out_anyres_tiles"])


@pytest.mark.parametrize(
    ("name", "tiling"),
    [
        ("wide", Tiling(2, 2, (640, 480))),
        ("tall", Tiling(3, 1, (300, 1000))),
        ("long", Tiling(1, 3, (1000, 300))),
        ("single", None),
    ],
)
def test_tokens_are_laid_out_as_published(name: str, tiling: Tiling | None) -> None:
    tokens = TENSORS[f"tiles_{name}"]
    joined = layout().join(tokens, tiled(16, (4, 4), tiling))[0]
    assert torch.equal(joined, TENSORS[f"out_spatial_unpad_{name}"])
    assert len(joined) == layout().layout_after(tiled(16, (4, 4), tiling)).total


def test_a_large_picture_goes_through_the_tower_in_tiles(tiny_clip: str) -> None:
    encoder = Anyres({"kind": "huggingface", "path": tiny_clip}).eval()
    prepared = encoder.prepare(Image.new("RGB", (60, 40), (10, 200, 30)))
    assert prepared.layout.tiling == Tiling(2, 2, (60, 40)) and prepared.inputs.shape == (5, 3, 32, 32)
    with torch.no_grad():
        assert encoder(prepared.inputs).x.shape == (5, 16, 32)


def test_a_connector_that_changes_the_number_of_tokens_is_refused() -> None:
    with pytest.raises(InputError, match="keep one token a patch"):
        layout().layout_after(tiled(17, (4, 4), Tiling(2, 2, (4, 4))))


def test_grids_must_be_there(tiny_clip: str) -> None:
    with pytest.raises(InputError, match="expected pairs"):
        Anyres({"kind": "huggingface", "path": tiny_clip}, grids=[])
