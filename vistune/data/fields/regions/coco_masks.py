"""Masks as COCO stores them: polygons and run lengths (instances), coloured PNG files (panoptic)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.data.fields.typed import as_number
from vistune.data.media.image import MAX_PIXELS, load_image
from vistune.errors import InputError, MissingExtraError
from vistune.sample import Media

Mask = NDArray[np.bool_]


def instance_mask(segmentation: Any, size: tuple[float, float], where: str) -> Mask:
    """Polygons `[[x, y, x, y, ...], ...]` or `{"counts": ..., "size": [height, width]}` as bool `[H, W]`.

    Raises `InputError` for anything else or a size that is not the image's, `MissingExtraError` without pycocotools.
    """
    width, height = int(size[0]), int(size[1])
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{where}: a mask of {width}x{height} is more than the {MAX_PIXELS / 1e6:.0f} megapixels that are decoded"
        )
    if isinstance(segmentation, dict):
        if segmentation.get("size") not in ([height, width], (height, width)):
            raise InputError(f"{where}: the mask's size {segmentation.get('size')} is not the image's [{height}, {width}]")
        counts = segmentation.get("counts")
        if isinstance(counts, list):
            return _run_lengths(counts, height, width, where)
    try:
        from pycocotools import mask as coco
    except ImportError as error:
        raise MissingExtraError("pycocotools", "coco", "reading COCO masks") from error
    if isinstance(segmentation, dict):
        if not isinstance(counts, str) or not counts.isascii():
            raise InputError(f"{where}: the mask's 'counts' are neither a list nor text")
        runs = [{"size": [height, width], "counts": counts.encode()}]
        _check_compressed(counts, height * width, where)
    elif isinstance(segmentation, list) and segmentation:
        polygons = [
            [as_number(value, where, "a polygon's number") for value in polygon] for polygon in map(_list(where), segmentation)
        ]
        if any(len(polygon) < 6 or len(polygon) % 2 for polygon in polygons):
            raise InputError(f"{where}: a polygon needs at least three points, as x, y, x, y, ...")
        _check_near(polygons, width, height, where)
        runs = coco.frPyObjects(polygons, height, width)
    else:
        raise InputError(f"{where}: the segmentation is neither polygons nor run lengths")
    mask: Mask = np.asarray(coco.decode(coco.merge(runs)), bool)
    return mask


def _check_near(polygons: Sequence[Sequence[float]], width: int, height: int, where: str) -> None:
    """Refuse points further outside than the picture is large: pycocotools keeps every pixel that an outline crosses."""
    for polygon in polygons:
        for place, value in enumerate(polygon):
            side = height if place % 2 else width
            if not -side <= value <= 2 * side:
                raise InputError(f"{where}: a polygon's point lies at {value:g}, far outside the {width}x{height} picture")


def _list(where: str) -> Any:
    def check(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise InputError(f"{where}: a polygon is not a list of numbers")
        return value

    return check


def _run_lengths(counts: list[Any], height: int, width: int, where: str) -> Mask:
    """Runs of 0 and 1 in turn, down the columns."""
    if not all(isinstance(run, int) and not isinstance(run, bool) and run >= 0 for run in counts):
        raise InputError(f"{where}: the mask's run lengths are not whole numbers")
    if sum(counts) != height * width:
        raise InputError(f"{where}: the mask's run lengths cover {sum(counts)} of {height * width} pixels")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(width, height).T


def _check_compressed(counts: str, pixels: int, where: str) -> None:
    """Sum the runs of a compressed mask before C code trusts them: six bits a character, signed, from the third on relative."""
    runs: list[int] = []
    value, shift = 0, 0
    for character in counts:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 50:
            raise InputError(f"{where}: the mask's 'counts' are no run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (1 << shift) if bits & 16 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value, shift = 0, 0
    if shift or any(run < 0 for run in runs) or sum(runs) != pixels:
        raise InputError(f"{where}: the mask's run lengths cover {sum(runs)} of {pixels} pixels")


def panoptic_masks(file: Media, ids: Sequence[int], size: tuple[float, float], where: str) -> list[Mask]:
    """The mask of each segment id from a panoptic PNG, whose colour is the id: R + 256 G + 65536 B.

    Raises `InputError` for an unreadable file, another size than the image's, or an id that colours no pixel.
    """
    colours = np.asarray(load_image(file, where)).astype(np.int64) @ np.array([1, 256, 65536])
    if colours.shape != (size[1], size[0]):
        raise InputError(f"{where}: {file.name} is {colours.shape[1]}x{colours.shape[0]}, the image {size[0]:g}x{size[1]:g}")
    masks = [colours == identity for identity in ids]
    for identity, mask in zip(ids, masks, strict=True):
        if not mask.any():
            raise InputError(f"{where}: segment {identity} colours no pixel of {file.name}")
    return masks
