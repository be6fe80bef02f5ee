"""Ferret (apple/ml-ferret, `ferret/model/ferret_arch.py`)."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

GEO_SAMPLER: KeyMap = {
    "differ.{}.": "diff_projector_list.{}.",
    "mix.{}.": "agg_projector_list.{}.net.0.",  # their convolution over one place is a linear layer here
    "norm.{}.": "agg_projector_list.{}.norm.",
    "flatten.": "flatten_projector.",
    "out.": "dim_projector.",
}
"""`regions.geo_sampler` -> `GeoRegionSampler`."""
