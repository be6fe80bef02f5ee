"""LMEye (YunxinLi/LingCloud, arXiv 2305.03701): its two versions, v0 as of commit 57b275e^ and v0.1 as of 8367a3a."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

V0: KeyMap = {
    "prompts.": "promptMlp.",
    "request.": "llm2clip.",
    "answer.": "imgdLinear.",
    "between.text_projection.": "clip.text_projection.",
    "between.text_model.": "clip.text_model.",
}
"""`fusion.two_pass`'s exchange -> `promot_model_instruction_remake`."""

V0_1: KeyMap = {
    "prompts.": "instruction_linear.",
    "request.": "instruction_blip22clip.",
    "answer.": "instruction_imgdLinear.",
    "between.": "clip.",
}
"""`fusion.two_pass`'s exchange -> `Blip2InstructionQueryModel`."""
