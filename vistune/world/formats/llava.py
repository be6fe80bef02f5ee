"""LLaVA's conversations: a list of `{id, image, conversations: [{from, value}]}`, boxes written as decimals in the text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vistune.files import write_json
from vistune.sample import Box, MediaRef, Sample, Text
from vistune.world.digits import Split
from vistune.world.exchange import plain
from vistune.world.formats.picture import Picture
from vistune.world.instructions import caption_sample, conversation_sample

_SPEAKER = {"user": "human", "assistant": "gpt"}


class Llava:
    """Writes `llava_instruct.json` (a conversation a picture) and `llava_pretrain.json` (a caption a picture)."""

    def __init__(self) -> None:
        self._instruct: list[dict[str, Any]] = []
        self._pretrain: list[dict[str, Any]] = []

    def add(self, picture: Picture) -> None:
        """The same conversation and caption that the readers give for this scene's seed."""
        seed, split, size = picture.scene.seed, picture.scene.split, len(picture.scene.image)
        self._instruct.append(record(conversation_sample(seed, split, size=size), picture))
        self._pretrain.append(record(caption_sample(seed, split, size=size), picture))

    def write(self, folder: Path, split: Split) -> None:
        """Write both files."""
        write_json(folder / "llava_instruct.json", self._instruct)
        write_json(folder / "llava_pretrain.json", self._pretrain)


def record(sample: Sample, picture: Picture) -> dict[str, Any]:
    """One conversation. Its first question opens with `<image>` and a line break."""
    turns = []
    for turn in sample.turns:
        parts = tuple(Text("<image>") if isinstance(part, MediaRef) else part for part in turn.parts)
        turns.append({"from": _SPEAKER[turn.role], "value": plain(parts, _decimals)})
    return {"id": sample.id, "image": picture.file_name, "conversations": turns}


def _decimals(box: Box) -> str:
    return f"[{', '.join(f'{edge:.2f}' for edge in box)}]"
