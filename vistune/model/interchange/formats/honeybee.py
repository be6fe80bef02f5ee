"""Honeybee (arXiv 2312.06742): the C-Abstractor, blocks as timm calls them, which counts them from 1."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

_BLOCK = {
    "enter.": "conv1.conv.",
    "norm_enter.": "conv1.bn.",
    "spread.": "conv2.conv.",
    "norm_spread.": "conv2.bn.",
    "squeeze.": "se.fc1.",
    "excite.": "se.fc2.",
    "leave.": "conv3.conv.",
    "norm_leave.": "conv3.bn.",
    "shortcut.0.": "downsample.conv.",
    "shortcut.1.": "downsample.bn.",
}


def c_abstractor(depth: int) -> KeyMap:
    """Of `depth` blocks on either side of the pooling."""
    names: dict[str, str] = {"positions": "pos_emb", "ends": "eos_tokens", "readout.": "readout."}
    for side, stage in (("before", 0), ("after", 2)):
        for number in range(depth):
            names |= {f"{side}.{number}.{ours}": f"net.{stage}.b{number + 1}.{theirs}" for ours, theirs in _BLOCK.items()}
    return names
