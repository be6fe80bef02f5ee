"""Regions as JSON: `{"on": 0, "box": [x1, y1, x2, y2]}`, `point: [x, y]` or `mask` (COCO run lengths), in [0, 1] of the medium.

A mask is `{"size": [height, width], "counts": [...]}`, its run lengths column by column, zeros first: a list or COCO's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vistune.data.fields.regions.coco_masks import instance_mask
from vistune.sample import Box, Point, Region
from vistune.serving.protocol.fields import mapping, no_others, number, text, whole
from vistune.serving.refusals import Refusal

# Run lengths are a few bytes for any size: the bound is on what they unpack to.
MAX_SIDE = 16384
MAX_MASK = 40_000_000  # pixels


def read_region(value: Any, where: str, media: int) -> Region:
    """A region on one of the first `media` media."""
    record = mapping(value, where)
    no_others(record, ("on", "box", "point", "mask", "label"), where)
    if media == 0:
        raise Refusal(f"{where}: a region lies on a medium, but none was shown before it", param=where)
    on = whole(record.get("on", media - 1), f"{where}.on", 0, media - 1)
    label = None if record.get("label") is None else text(record["label"], f"{where}.label")
    if sum(name in record for name in ("box", "point", "mask")) != 1:
        raise Refusal(f"{where} is exactly one of box, point or mask", param=where)
    if "mask" in record:
        return Region(on, mask=_mask(record["mask"], f"{where}.mask"), label=label)
    if "point" in record:
        return Region(on, point=cast(Point, _numbers(record["point"], f"{where}.point", 2)), label=label)
    box = cast(Box, _numbers(record["box"], f"{where}.box", 4))
    if box[0] > box[2] or box[1] > box[3]:
        raise Refusal(f"{where}.box is {list(box)}, expected [x1, y1, x2, y2] with x1 <= x2 and y1 <= y2", param=where)
    return Region(on, box=box, label=label)


def region_json(region: Region) -> dict[str, Any]:
    """A region of an answer."""
    record: dict[str, Any] = {"on": region.media}
    if region.box is not None:
        record["box"] = [float(value) for value in region.box]
    elif region.point is not None:
        record["point"] = [float(value) for value in region.point]
    else:
        assert region.mask is not None
        record["mask"] = run_lengths(region.mask)
    return record if region.label is None else record | {"label": region.label}


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask as COCO's uncompressed run lengths."""
    flat = np.concatenate([[False], np.asarray(mask, dtype=bool).flatten(order="F")])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], changes, [mask.size]]))
    return {"size": [int(side) for side in mask.shape], "counts": [int(count) for count in counts]}


def _numbers(value: Any, where: str, count: int) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != count:
        raise Refusal(f"{where} is not a list of {count} numbers", param=where)
    return tuple(number(each, f"{where}[{place}]", 0, 1) for place, each in enumerate(value))


def _mask(value: Any, where: str) -> NDArray[np.bool_]:
    record: Mapping[str, Any] = mapping(value, where)
    no_others(record, ("size", "counts"), where)
    size: Sequence[Any] = record["size"] if isinstance(record.get("size"), list) else []
    if len(size) != 2:
        raise Refusal(f"{where}.size is no [height, width]", param=where)
    height, width = (whole(side, f"{where}.size", 1, MAX_SIDE) for side in size)
    if height * width > MAX_MASK:
        raise Refusal(
            f"{where} is {width}x{height}, more than the {MAX_MASK // 1_000_000} megapixels that are read", 413, where
        )
    counts = record.get("counts")
    if not isinstance(counts, str | list):
        raise Refusal(f"{where}.counts is neither a list of run lengths nor COCO's text", param=where)
    return instance_mask({"size": [height, width], "counts": counts}, (width, height), where)
