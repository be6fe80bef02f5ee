"""DreamLLM (RunpeiDong/DreamLLM, `omni/models/dreamllm`)."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

DREAM_QUERIES: KeyMap = {
    "queries": "model.dream_embedding.dream_queries",
    "project.": "stable_diffusion_head.projector.projector.",
    "painter.": "stable_diffusion_head.",
}
"""`heads.dream_queries` -> `DreamLLMForCausalMLM`; the painter is Stable Diffusion's, under the names of diffusers."""
