"""AnyMAL (Moon et al., "An Efficient and Scalable Any-Modality Augmented Language Model", arXiv 2309.16058)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage

TASKS = ("captions", "films", "sounds")


def anymal(
    vision: str = "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
    listener: str = "laion/clap-htsat-unfused",
    llm: str = "meta-llama/Llama-2-13b-chat-hf",
    captions: str = "catalogue:llava_pretrain_558k?path=data/llava_pretrain",
    films: str = "captions:ego4d/narrations.json?images=ego4d/videos",
    sounds: str = "catalogue:audiocaps?path=data/audiocaps&part=train",
    instructions: str = "catalogue:llava_instruct_150k?path=data/llava",
) -> Recipe:
    """An adapter for each modality gives a frozen LLaMA-2-chat a fixed number of tokens; then LoRA learns beside it.

    Stages 1 to 3: the adapter of a modality on its captions (section 3.1; a perceiver resampler over CLIP's patches, one over
    all frames of a film, a linear layer behind CLAP), the language model in four bits where it is large (`model.llm.quantize`);
    stage 4: adapters and LoRA on instructions (section 3.2). There is no official code.
    """
    resampler = {"kind": "perceiver_resampler", "latents": 64, "depth": 6}
    small = {"kind": "perceiver_resampler", "latents": 24, "depth": 2, "heads": 4, "head_width": 32}
    video, adapters = ("frame_places", "film_resampler"), ("connector", "frame_places", "film_resampler", "hearing")
    return Recipe(
        name="anymal", paper="arXiv 2309.16058",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "crop"},
            connector=resampler,
            parts={
                "frame_places": {"kind": "frame_concat", "positions": 32}, "film_resampler": resampler,
                "ear": {"kind": "clap", "path": listener}, "hearing": "linear",
            },
            modalities={"video": ["vision", *video], "audio": ["ear", "hearing"]},
            llm=llm, template="llava_llama_2",
            adapt={"llm": {"kind": "lora", "rank": 16}},
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 2e-4}, template="plain", batch=2048),
            Stage(name="align_films", data=films, train=dict.fromkeys(video, 2e-4), template="plain", batch=2048),
            Stage(name="align_sounds", data=sounds, train={"hearing": 2e-4}, template="plain", batch=2048),
            Stage(name="tune", data=instructions, train={**dict.fromkeys(adapters, 1e-5), "llm.adapter": 1e-4}, batch=128),
        ),
        deviations=(
            "the network is the paper's text in our words, held by no recording; rates, rank and depth are ours",
            "CLIP in the place of InternVideo; no motion sensors; MM-IT is not public",
        ),
        published={"coco_cider_70b": 95.9},
        nano={
            **senses(TASKS, ("connector",), video, ("hearing",), (*adapters, "llm.adapter")),
            "model.connector": small, "model.parts.film_resampler": small,
            "model.parts.ear": {"kind": "whisper", "path": "builtin:whisper"},
            **{f"stages.{place}.data": f"world:?task={task}&size=320" for place, task in enumerate(TASKS)},
        },
    )  # fmt: skip
