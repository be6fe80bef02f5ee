"""`--options`: choices are ranked instead of answers written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vistune.evals.run import Answerer

OPTIONS = (
    "Instead of writing, choose the likeliest of a sample's choices: by the sum of its tokens' log-likelihoods, or the mean."
)


def arguments_of(answerer: Answerer, max_new_tokens: int, options: str | None) -> dict[str, Any]:
    """What decides answers beside the model. Raises `InputError` for `options` that it cannot rank."""
    if options is None:
        return {"max_new_tokens": max_new_tokens}
    from vistune.errors import InputError
    from vistune.model.answering.answerer import CheckpointModel

    if options not in ("sum", "mean"):
        raise InputError(f"--options {options!r}: expected sum or mean")
    if not isinstance(answerer, CheckpointModel):
        raise InputError("--options ranks with likelihoods, which only a checkpoint of this package gives")
    return {"options": options}
