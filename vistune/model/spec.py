"""`ModelSpec`: which parts a model is made of, as it stands in recipes, run files and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from vistune.spec import Spec, check_arguments


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Every part as `kind` + arguments; `llm` is a path or hub id, or a mapping with `path`.

    A model of one picture branch has `vision` and `connector`. Further parts stand in `parts` by names of their own;
    `modalities` says what reads which kind of medium or region, as a chain of part names, and `heads` what makes
    artefacts of an answer:

        parts:      {listener: {kind: whisper, path: ...}, audio_mlp: mlp, roi: {kind: multi_level_roi}}
        modalities: {audio: [listener, audio_mlp], video: [vision, frames, connector], box: {chain: [roi], words: before}}
        heads:      {mask: {kind: promptable_mask, path: ...}}

    With `vision` and `connector` the modality `image` need not be written. `adapt` puts adapters into parts, as in
    `{llm: {kind: lora, rank: 16}}`.
    """

    whole: ClassVar[bool] = False

    llm: str | Mapping[str, Any]
    vision: Spec | None = None
    connector: Spec | None = None
    parts: Mapping[str, Spec] = field(default_factory=dict)
    modalities: Mapping[str, Sequence[str] | Mapping[str, Any]] = field(default_factory=dict)
    heads: Mapping[str, Spec] = field(default_factory=dict)
    fusion: Spec = "splice"
    template: Spec = "vicuna_v1"
    codec: Spec = "decimals"
    adapt: Mapping[str, Spec] = field(default_factory=dict)
    max_length: int = 2048

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ModelSpec:
        """From plain JSON; unknown and ill-typed keys are refused with the nearest right name."""
        check_arguments(cls, record, "model")
        return cls(**record)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)
