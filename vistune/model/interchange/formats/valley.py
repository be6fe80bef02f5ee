"""Valley (github.com/RupertLuo/Valley): names of a checkpoint's pooling, behind `model.`."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

PROJECTION: KeyMap = {"proj.": "mm_projector."}
"""Of `connectors.linear`, which stands before the pooling."""

FRAME_POOLING: KeyMap = {"score.": "pooling_layer.", "layer.": "transformer_delta_encoder.layers.0."}
"""Of `connectors.frame_pooling`. A released checkpoint holds its layer twice, the second time as `transforemr_adding_layer`."""
