"""VideoChat's embeddings (Li et al., "VideoChat: Chat-Centric Video Understanding", arXiv 2305.06355)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage, marks

TIMES = "</Video> The video contains {frames} frames sampled at {seconds} seconds."
TURNS = {
    "begin": "{bos}###", "user_prefix": "Human: ", "later_user_prefix": "###Human: ", "user_suffix": " ", "media_first": True,
    "media_prefix": "", "media_suffix": " ###Human: ", "assistant_prefix": "###Assistant:", "answer_prefix": " ",
    "answer_suffix": " ", "closing": "###", "trained_marks": [" ###Human:", "###Human:", " ###Assistant:"],
}  # fmt: skip


def videochat(
    vision: str = "Salesforce/blip2-flan-t5-xxl",
    llm: str = "lmsys/vicuna-7b-v1.5",
    frames: int = 8,
    films: str = "captions:webvid10m/train.json?images=webvid10m/videos",
    pictures: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    instructions: str = "catalogue:videochat?path=data/videochat",
) -> Recipe:
    """A video token gathers from all frames behind each of the tower's last eight layers (GMHRA); a Q-Former reads everything.

    In both stages the video token and its blocks, 64 further queries and the linear layer learn. Stage 1: captions of
    WebVid-10M and 14 M pictures (script: lr 1e-4, batch 32 a device, 1 epoch); stage 2: 18 k instructions (lr 2e-5, batch 1 a
    device, 3 epochs). When frames were sampled is told in words.
    """
    trained = ("vision.video", "vision.globals", "connector.extra", "connector.proj")
    chain, captions = ["vision", "connector"], {"kind": "mixture", "sources": [{"data": films}, {"data": pictures}]}
    seeing = ("vision.video", "vision.globals", "connector")
    return Recipe(
        name="videochat",
        paper="arXiv 2305.06355",
        model=ModelSpec(
            vision={"kind": "gmhra", "path": vision, "frames": frames, "layers": 8},
            connector={"kind": "q_former", "queries": 32, "extra": 64, "norm_eps": 1e-5},
            modalities={
                "image": {"chain": chain, **marks("Image")},
                "video": {"chain": chain, "before": "<Video>", "after": TIMES},
            },
            llm=llm,
            template={"kind": "minigpt4", **TURNS},
        ),
        stages=(
            Stage(name="align", data=captions, train=dict.fromkeys(trained, 1e-4), batch=1024, warmup=0.2, weight_decay=0.02),
            Stage(name="tune", data=instructions, train=dict.fromkeys(trained, 2e-5), batch=4, epochs=3.0, weight_decay=0.02),
        ),
        deviations=("eight frames in stage 1, too (the script: 4); Vicuna 1.5 instead of 0; fewer pictures with captions",),
        nano={
            **senses("films", seeing, (*seeing, "llm")),
            "model.vision": {"kind": "gmhra", "path": "builtin:clip", "frames": 8, "layers": 3, "array_rate": 8.0},
            "model.connector": {"kind": "q_former", "queries": 8, "extra": 24, "hidden": 128, "layers": 3, "heads": 4},
        },
    )
