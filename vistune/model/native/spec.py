"""`NativeSpec`: a vision-language model of `transformers` taken whole, as it stands in recipes, run files and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from vistune.model.spec import ModelSpec
from vistune.spec import Spec, check_arguments


@dataclass(frozen=True, kw_only=True)
class NativeSpec:
    """A model by its directory or hub id, and what is done to it.

    native:     the directory or hub id, or a mapping with `path` and `revision`
    prompt:     how a question is put, `{}` in its place, where the model's own form (chat template or paper) is not to be used
    codec:      how boxes and points are written; None for the family's own form
    adapt:      adapters, as in `{native: {kind: lora, rank: 16, targets: attention}}`: they go into the text part
    max_length: the most tokens of a training sample, those of pictures included
    pictures:   arguments of the model's picture processor that are replaced, e.g. `{max_pixels: 501760}`
    dtype:      number format of the weights
    answers:    the file of answers, one a line, that a model chooses from which writes none (VisualBERT)
    """

    whole: ClassVar[bool] = True

    native: str | Mapping[str, Any]
    prompt: str | None = None
    codec: Spec | None = None
    adapt: Mapping[str, Spec] = field(default_factory=dict)
    max_length: int = 4096
    pictures: Mapping[str, Any] = field(default_factory=dict)
    dtype: Literal["float32", "bfloat16"] = "float32"
    answers: str | None = None

    @property
    def path(self) -> str:
        """The directory or hub id."""
        return self.native if isinstance(self.native, str) else str(self.native["path"])

    @property
    def revision(self) -> str | None:
        """The hub's branch, tag or commit; None for its default."""
        return None if isinstance(self.native, str) else self.native.get("revision")

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> NativeSpec:
        """From plain JSON; unknown and ill-typed keys are refused with the nearest right name."""
        check_arguments(cls, record, "model")
        return cls(**record)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def read_spec(record: Mapping[str, Any]) -> ModelSpec | NativeSpec:
    """A spec of either kind from plain JSON: one with the key `native` is a whole model's."""
    return NativeSpec.from_json(record) if "native" in record else ModelSpec.from_json(record)
