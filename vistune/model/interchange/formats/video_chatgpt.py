"""Video-ChatGPT (github.com/mbzuai-oryx/Video-ChatGPT): names of a checkpoint's projection."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

CONNECTOR: KeyMap = {"proj.": "model.mm_projector."}
"""Of `connectors.linear`."""
