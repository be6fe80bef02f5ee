"""GPT4RoI's region encoder (jshilong/GPT4RoI, `gpt4roi/models/layers.py`), which GLaMM took over under the same names."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

MULTI_LEVEL_ROI: KeyMap = {
    "enter.{}.": "mlvl_fuse.input_conv.{}.",
    "fuse.{}.0.": "mlvl_fuse.fuse_convs.{}.conv.",
    "fuse.{}.1.": "mlvl_fuse.fuse_convs.{}.gn.",
    "after_roi.{}.": "roi_align.pconvs.{}.",
    "place.": "roi_align.pos_embedd.",
    "flatten.": "roi_align.flatten_linear.",
    "out.": "roi_align.updims.",
}
"""`regions.multi_level_roi` -> `MLVLROIQueryModule`."""
