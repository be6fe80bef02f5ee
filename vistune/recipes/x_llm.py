"""X-LLM (Chen et al., "X-LLM: Bootstrapping Advanced Large Language Models", arXiv 2305.04160)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage, marks

FORMER = {"kind": "shared_q_former", "kinds": ["image", "video"], "project": False, "out_width": 768}


def x_llm(
    vision: str = "Salesforce/blip2-opt-6.7b",
    listener: str = "openai/whisper-large-v3",
    llm: str = "zai-org/glm-4-9b-chat-hf",
    pictures: str = "captions:coco_zh/train.json?images=coco_zh/images",
    films: str = "captions:video_zh/train.json?images=video_zh/videos",
    speech: str = "samples:aishell2.jsonl",
    instructions: str = "samples:x_llm_instructions.jsonl",
) -> Recipe:
    """Interfaces make tokens of pictures, films (a Q-Former, its own queries frame by frame) and speech (a BERT).

    Stage 2, an interface after the other (code): Q-Former and layer on Chinese captions (lr 3e-5, batch 32); of films queries
    and layer alone (1e-5, batch 8); of speech all (1e-4, batch 128). Stage 3: the last layers (1e-6, batch 16).
    """
    trained, last = {"former": 3e-5, "image_layer": 3e-5}, ("image_layer", "video_layer", "speech.leave")
    nano_stages = (tuple(trained), ("former.queries.video", "video_layer"), ("speech",), ("former", *last, "speech", "llm"))
    return Recipe(
        name="x_llm", paper="arXiv 2305.04160",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            parts={
                "former": FORMER, "image_layer": "linear", "video_layer": "linear",
                "speech": {"kind": "bert_adapter", "length": 1500}, "listener": {"kind": "whisper", "path": listener},
            },
            modalities={
                "image": {"chain": ["vision", "former", "image_layer"], **marks("Image")},
                "video": {"chain": ["vision", "former", "video_layer"], "frames": 5, "sample": "ends", **marks("Video")},
                "audio": {"chain": ["listener", "speech"], **marks("Speech")},
            },
            llm=llm, template="chatglm",
        ),
        stages=(
            Stage(name="pictures", data=pictures, train=trained, batch=32, epochs=2.0, weight_decay=0.05),
            Stage(name="films", data=films, train=dict.fromkeys(nano_stages[1], 1e-5), batch=8, epochs=5.0, weight_decay=0.05),
            Stage(name="speech", data=speech, train={"speech": 1e-4}, batch=128, epochs=30.0, weight_decay=0.05),
            Stage(name="tune", data=instructions, train=dict.fromkeys(last, 1e-6), batch=16, epochs=2.0, weight_decay=0.05),
        ),
        deviations=(
            "GLM-4 instead of ChatGLM-6B, Whisper instead of a speech encoder that is not published; BERT begins at random",
            "no norm of BLIP-2's in front of the Q-Former; batches are of one device",
        ),
        nano={
            **senses(("films", "sounds"), *nano_stages),
            "model.parts.former": FORMER | {"queries": 8, "hidden": 128, "out_width": 128, "layers": 2, "heads": 4},
            "model.parts.listener.path": "builtin:whisper", "model.modalities.video.frames": 8,
            "model.parts.speech": {"kind": "bert_adapter", "hidden": 128, "layers": 2, "heads": 4, "feed_forward": 256},
            **{f"stages.{n}.data": f"world:?task={task}&size=320" for n, task in enumerate(("captions", "films", "sounds"))},
        },
    )  # fmt: skip
