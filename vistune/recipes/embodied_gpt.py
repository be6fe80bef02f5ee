"""EmbodiedGPT (Mu et al., "EmbodiedGPT: Vision-Language Pre-Training via Embodied Chain of Thought", arXiv 2305.15021)."""

from __future__ import annotations

from typing import Any

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage


def embodied_gpt(
    vision: str = "Salesforce/blip2-opt-6.7b",
    llm: str = "huggyllama/llama-7b",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    pictures: str = "catalogue:llava_instruct_150k?path=data/llava",
    plans: str = "samples:ego_cot.jsonl",
) -> Recipe:
    """A Q-Former and four class tokens of hidden layers; films through tubelets of two frames; LLaMA by prefixes.

    Three stages (section 3.3): Q-Former and layer on captions, then with a prefix of the language model on conversations,
    then on EgoCOT's plans of films. Rates and prefix are ours: the released script has 2e-6 for all, of another language model.
    """
    kept, nano_kept = [9, 19, 29, 39], [2, 3, 5, 6]
    tower = {"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize", "keep": kept}
    return Recipe(
        name="embodied_gpt",
        paper="arXiv 2305.15021",
        model=ModelSpec(
            vision=tower,
            connector=husky(kept, 352, queries=32),
            parts={"film": {"kind": "tubelets", "path": vision, "frames": 8, "depth": 2, "keep": kept}},
            modalities={"image": ["vision", "connector"], "video": ["film", "connector"]},
            llm=llm,
            template="llava_v0",
            adapt={"llm": {"kind": "prefix", "length": 20}},
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 1e-4}, template="plain", batch=128),
            Stage(name="converse", data=pictures, train={"connector": 1e-5, "llm.adapter": 1e-4}, batch=32),
            Stage(name="plan", data=plans, train={"film.convolution": 1e-4, "connector": 1e-5, "llm.adapter": 1e-4}, batch=32),
        ),
        deviations=(
            "taps and queries have a last layer each; the second pass, which reads the plan, and the policy are not released",
        ),
        nano={
            **senses("films", ("connector",), ("connector",), ("film", "connector", "llm")),
            "model.vision": tower | {"path": "builtin:clip", "keep": nano_kept},
            "model.parts.film": {"kind": "tubelets", "path": "builtin:clip", "keep": nano_kept},
            "model.connector": husky(nano_kept, 48, queries=28, hidden=128, layers=3, heads=4),
            "model.adapt": {},
            **{f"stages.{stage}.data": f"world:?task={task}&size=320" for stage, task in enumerate(("captions", "mix"))},
        },
    )


def husky(taps: list[int], inner: int, **former: int) -> dict[str, Any]:
    """Class tokens of hidden layers in front of what a Q-Former read."""
    tapped = {"kind": "class_taps", "taps": taps, "hidden": inner, "norm": True, "eps": 1e-6}
    return {"kind": "parallel", "branches": {"taps": tapped, "queries": {"kind": "q_former", **former}}}
