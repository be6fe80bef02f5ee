"""Boxes as JSON objects, `{"bbox_2d": [x1, y1, x2, y2], "label": "cat"}` (Qwen2.5-VL, arXiv 2502.13923, and Qwen3-VL)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vistune.errors import InputError
from vistune.prompt.codec import Codec, Size
from vistune.sample import Region

_LABEL = re.compile(r"""["']label["']\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')""")


@dataclass(frozen=True)
class JsonBoxes(Codec):
    """Whole numbers out of `scale` (Qwen3-VL: 1000), or pixels of the picture as it is with `scale: null` (Qwen2.5-VL).

    Reading finds the coordinates in objects of any spacing and with any other keys; lists of such objects are read one by one.
    """

    box: str = '{"bbox_2d": [{x1}, {y1}, {x2}, {y2}]}'
    point: str = '{"point_2d": [{x}, {y}]}'
    scale: int | None = 1000

    digits = r"\s*\d+(?:\.\d+)?\s*"

    def __post_init__(self) -> None:
        if self.scale is not None and self.scale < 1:
            raise InputError(f"codecs.json_boxes.scale is {self.scale}, expected a positive number, or null for pixels")

    @property
    def needs_size(self) -> bool:
        """Pixels do."""
        return self.scale is None or self.square

    def value(self, text: str) -> float:
        """As it stands; `decode` divides by the scale or the picture's sides."""
        return float(text)

    def texts(self, names: Sequence[str], values: Sequence[float], size: Size | None) -> list[str]:
        """The numbers of one region, rounded."""
        return [str(round(value * side)) for value, side in zip(values, self._sides(len(values), size), strict=True)]

    def encode_all(self, regions: Sequence[Region], size: Size | None = None) -> str:
        """One object a region, with its name as `label`; several as a list."""
        objects = []
        for region in regions:
            text = super().encode_all([region], size)
            named = f', "label": {json.dumps(region.label, ensure_ascii=False)}}}'
            objects.append(text if region.label is None else text.removesuffix("}") + named)
        return objects[0] if len(objects) == 1 else "[" + ", ".join(objects) + "]"

    def located(self, text: str, size: Size | None = None) -> list[tuple[int, int, Region]]:
        """Every box and point in `text`, named by the `label` of its object."""
        regions = []
        for start, end, region in super().located(text, size):
            # The label may stand before or behind the box, but within the braces around it; an object that generation cut off
            # ends with the text.
            closed = text.find("}", end)
            label = _LABEL.search(text, max(text.rfind("{", 0, start), 0), len(text) if closed < 0 else closed)
            regions.append((start, end, replace(region, label=label and (label[1] or label[2]))))
        return regions

    def _read(self, values: list[float], size: Size | None) -> list[float]:
        return [value / side for value, side in zip(values, self._sides(len(values), size), strict=True)]

    def _sides(self, count: int, size: Size | None) -> tuple[int, ...]:
        if self.scale is not None:
            return (self.scale,) * count
        if size is None:
            raise InputError("coordinates in pixels need the picture's size")
        return size * (count // 2)

    def _group(self, name: str, pattern: str) -> str:
        """Only the key and its list: spaces, and other keys of the object on either side, are the model's to choose."""
        key, inner = ("bbox_2d", "{x1},{y1},{x2},{y2}") if name == "boxes" else ("point_2d", "{x},{y}")
        one = ",".join([rf"(?:{self.digits})"] * (inner.count(",") + 1))
        return rf"""["']{re.escape(key)}["']\s*:\s*\[(?P<{name}>{one})\]"""
