"""InternLM-XComposer (arXiv 2309.15112): the perceive sampler between its two flags."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap, prefixed
from vistune.model.interchange.formats.layers import LAVIS_Q_FORMER

SAMPLER: KeyMap = {
    "begin": "flag_image_start",
    "end": "flag_image_end",
    "inner.queries": "query_tokens",
    "inner.norm.": "ln_vision.",
    "inner.proj.": "internlm_proj.",
    **prefixed("inner.", "Qformer.", LAVIS_Q_FORMER),
}
