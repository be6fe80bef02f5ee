"""The way from signal tokens to a painter's condition is NExT-GPT's."""

from __future__ import annotations

from mechanisms import Golden, close

from vistune.model.heads._output_projection import OutputProjection, distance_each
from vistune.model.interchange.formats import next_gpt


def test_the_output_projection_is_next_gpts() -> None:
    golden = Golden("nextgpt_output_projection")
    ours = OutputProjection(20, 12, queries=5, inner=16)
    golden.fill(ours, next_gpt.OUTPUT_PROJECTION)
    states = golden["out/selected_hidden"] + golden["out/selected_embedding"]
    close(ours.enter(states), golden["out/memory_only_linear"], 2e-5, 2e-4)
    condition = ours(states)
    close(condition, golden["out/condition"], 2e-5, 2e-4)
    close(distance_each(condition, golden["in/prompt_embeds"]).mean(), golden["out/loss"][0], 2e-5, 2e-4)
