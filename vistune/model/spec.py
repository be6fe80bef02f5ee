"""`ModelSpec`: which parts a model is made of, as it stands in recipes, run files and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from vistune.spec import Spec, check_arguments


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Every part as `kind` + arguments; `llm` is a path or hub id, or a mapping with `path`.

    `adapt` puts adapters into parts, as in `{llm: {kind: lora, rank: 16}}`.
    """

    llm: str | Mapping[str, Any]
    vision: Spec | None = None
    connector: Spec | None = None
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
