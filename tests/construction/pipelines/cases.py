"""For every pipeline: input in its true format, replies where the demonstrations do not fit it, and what must come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.construction.pipelines import inputs
from tests.construction.pipelines.inputs import BALL_UNIT, DOG_UNIT

Data = list[dict[str, Any] | str]
CHINESE = "\n===\n".join(f"Question:\n第{n}个？\n===\nAnswer:\n这是第{n}个回答。" for n in "一二三")


@dataclass(frozen=True)
class Case:
    """`replies` by step; statistics: samples, answers, rejects by reason, samples by task."""

    data: Callable[[Path], Data]
    samples: int
    turns: int
    rejects: Mapping[str, int] = field(default_factory=dict)
    tasks: Mapping[str, int] = field(default_factory=dict)
    replies: Mapping[str, str] = field(default_factory=dict)


def with_alpaca(folder: Path) -> Data:
    return [*inputs.coco(folder), inputs.alpaca(folder)]


def figures(folder: Path) -> Data:
    """Figures of papers: caption, sentences that cite the figure, domain."""
    rows = [
        {"file": "a.png", "caption": "CT of a cyst.", "mentions": ["The cyst is shown in a."], "topic": "ct"},
        {"file": "b.png", "caption": "CT of a stone.", "mentions": [], "topic": "ct"},
        {"file": "c.png", "caption": "MRI of a knee.", "mentions": ["The knee (c) is normal."], "topic": "mri"},
    ]
    return inputs.table(folder, rows, meta={"mentions": "mentions", "topic": "topic"})


def toys(folder: Path) -> Data:
    """Cap3D: a caption per point cloud."""
    return inputs.table(folder, [{"file": f"{n}.npy", "caption": f"toy number {n}"} for n in range(40)], "points")


def film(folder: Path) -> Data:
    return inputs.table(folder, [{"file": "a.mp4", "caption": "A boy kicks a ball."}], "video")


def perceived_film(folder: Path) -> Data:
    meta = {
        "captions": ["a street in the rain"],
        "tags": ["street", "umbrella"],
        "events": [{"start": 0, "end": 3, "text": "people hurry"}],
        "speech": [{"start": 1, "end": 2, "text": "It is pouring!"}],
    }
    return inputs.native(folder, meta, media="video")


def read_pictures(folder: Path) -> Data:
    meta = {"captions": ["The cover of a book."], "ocr": [{"text": "TIDES", "box": [0.2, 0.1, 0.8, 0.25]}]}
    return inputs.native(folder, *[meta] * 40, media="image")


def screens(folder: Path) -> Data:
    plain = {"layout": ["button 'Pay'"], "captions": ["a form"]}
    return inputs.native(folder, plain, plain | {"before": ["a cart"], "after": ["a receipt"]}, media="image")


def encyclopaedia(folder: Path) -> Data:
    meta = {
        "captions": ["A heron in a pond."],
        "labels": ["heron"],
        "knowledge": ["Herons eat fish."],
        "objects": [{"text": "heron", "box": [0.1, 0.1, 0.5, 0.9]}],
    }
    return inputs.native(folder, meta, media="image")


def clinic(folder: Path) -> Data:
    graph = {
        "labels": ["glaucoma"],
        "knowledge": ["Eye drops lower the pressure."],
        "relations": [["glaucoma", "may damage", "the optic nerve"]],
    }
    return inputs.native(folder, graph, {"qa": [["Eyes itch.", "drops"]]}, {"labels": ["cataract"]})


def chat_sources(folder: Path) -> Data:
    meta = {"captions": ["A tram turns."], "tags": ["squealing"], "qa": [["What turns?", "a tram"]]}
    return inputs.native(folder, meta, media="video")


GROUNDED = f"Question:\nWhere is the dog {DOG_UNIT}?\n===\nAnswer:\nThe dog {DOG_UNIT} runs to the ball {BALL_UNIT}."
SVIT_REFERRING = (
    f"Question: What does the <st>dog<ed> {'[0.100,0.300,0.400,0.700]'} want?\nAnswer: It wants the ball.\n\n"
    "Question: And the <st>cat<ed> [0.800,0.300,0.990,0.600]?\nAnswer: It sleeps."
)
EXPANDED = "Question:\nWhat runs in scene {n}?\n===\nAnswer:\nA dog runs in this scene."
FOUND = "Nothing cold is near, but the ball rolls. Therefore the answer is [ball]"

LONG = (
    "A brown dog runs across short grass after a ball that rolls away to the right, and a fence closes the view behind both of "
    "them."
)

CASES: dict[str, Case] = {
    "llava_instruct": Case(
        lambda folder: inputs.coco(folder, 12), 12, 32, tasks={"conversation": 5, "detail": 3, "reasoning": 4}
    ),
    "minigpt4": Case(
        inputs.pictures,
        2,
        2,
        replies={"repair": LONG},
    ),
    "svit": Case(
        inputs.visual_genome,
        40,
        64,
        {"box": 2},
        {"conversation": 6, "reasoning": 30, "detail": 2, "referring": 2},
        {"referring": SVIT_REFERRING},
    ),
    "lrv_instruction": Case(inputs.visual_genome, 28, 28, {"box": 4}, {"positive": 16, "negative": 12}),
    "m3it": Case(lambda folder: inputs.questions(folder, 1), 1, 1, replies={"expand": EXPANDED.format(n=0)}),
    "absent_pairs": Case(inputs.visual_genome, 2, 2, {"no negative possible": 1}),
    "mimic_it": Case(inputs.coco, 7, 9, {"duplicate": 9}),
    "stable_llava": Case(
        lambda folder: inputs.native(folder, {"labels": ["counting"]}, {"labels": ["colours"]}), 1, 3, {"duplicate": 1}
    ),
    "llavar": Case(read_pictures, 40, 44, tasks={"read": 38, "conversation": 2}),
    "pvit": Case(
        lambda folder: inputs.coco(folder, 30),
        30,
        30,
        replies={
            **dict.fromkeys(
                ("small_object", "same_category", "relation", "attribute", "reading", "several"),
                f"Is <Region>{DOG_UNIT}</Region> brown?",
            ),
            "tell_several": f"Question:\nIs <Region>{DOG_UNIT}</Region> brown?\n===\nAnswer:\nYes, it is.",
            "general": f"Question:\nWhat is <Region>{BALL_UNIT}</Region>?\n===\nAnswer:\nA ball.",
        },
    ),
    "llava_pretrain": Case(lambda folder: inputs.coco(folder, 4), 4, 4),
    "llava_mix": Case(inputs.visual_genome, 2, 8),
    "macaw_llm": Case(inputs.coco, 20, 20),
    "clotho_detail": Case(lambda folder: inputs.table(folder, [{"file": "a.wav", "caption": "rain"}], "audio"), 1, 1),
    "vggss": Case(lambda folder: inputs.native(folder, {"labels": ["dog barking"]}, media="audio"), 1, 1),
    "sparkles_dialogue": Case(lambda folder: inputs.captioned(folder, 11), 3, 6, {"bundle too small": 2}),
    "grit": Case(
        inputs.visual_genome,
        14,
        15,
        {"no negative possible": 2},
        {"dialogue": 2, "name": 4, "find": 4, "region": 2, "existence": 1, "absent category": 1},
        {"dialogue": "Question:\nWhat runs?\n===\nAnswer:\nAn animal [100, 100, 400, 900]."},
    ),
    "shikra_rd": Case(inputs.flickr30k, 1, 1, replies={"dialogue": GROUNDED}),
    "vigc": Case(inputs.pictures, 2, 2),
    "detgpt": Case(inputs.coco, 2, 2, replies={"queries": f"Question: What can I throw?\nAnswer: {FOUND}"}),
    "multi_instruct": Case(
        inputs.visual_genome,
        31,
        31,
        tasks={
            **dict.fromkeys(("grounded_VQA", "object_grounding", "region_generation", "object_region_match"), 4),
            **dict.fromkeys(("image_caption", "GC", "VG", "object_match", "if_region_overlap"), 2),
            **dict.fromkeys(("object_description_generate", "descriptive_object_region_generate"), 2),
            "ITM": 1,
        },
    ),
    "textbind": Case(lambda folder: inputs.captioned(folder, 6, meta={"topic": "topic"}), 1, 2, {"bundle too small": 1}),
    "gpt4tools": Case(with_alpaca, 3, 3, {"near duplicate": 2}, {"tool": 2, "no tool": 1}),
    "iluvui": Case(
        screens,
        11,
        15,
        {"missing": 1},
        {"conversation": 2, "concise": 2, "detail": 2, "reasoning": 2, "actions": 2, "transition": 1},
    ),
    "llava_med": Case(figures, 6, 15),
    "chimed_vl": Case(figures, 3, 3),
    "pmc_vqa": Case(figures, 9, 9, {"answerable without the picture": 6}),
    "valley": Case(film, 1, 4),
    "videochat": Case(perceived_film, 1, 1),
    "video_chatgpt": Case(film, 7, 7, tasks={"summary": 3, "extract": 3, "detail": 1}),
    "point_llm": Case(toys, 40, 50, tasks={"brief": 29, "multi": 5, "detail": 3, "single": 3}),
    "lamm": Case(
        encyclopaedia,
        7,
        11,
        tasks={"daily": 1, "detail": 1, "factual": 1, "detection": 1, "classification": 1, "captioning": 1, "counting": 1},
    ),
    "mosit": Case(lambda folder: inputs.native(folder, {"labels": ["birds"], "tags": ["image, audio"]}), 1, 3),
    "t2m": Case(lambda folder: inputs.table(folder, [{"file": "a.wav", "caption": "a kettle whistles"}], "audio"), 2, 2),
    "sharegpt4v": Case(inputs.pictures, 2, 2, replies={"caption": LONG}),
    "pf_1m": Case(lambda folder: inputs.questions(folder, 1), 2, 2, replies={"rewrite": EXPANDED.format(n=0)}),
    "x_llm": Case(inputs.coco, 2, 6, replies={"zh": CHINESE}),
    "multis": Case(chat_sources, 3, 5, tasks={"describe": 1, "ask": 1, "chat": 1}),
    "mm_it": Case(inputs.coco, 8, 8),
    "ophglm": Case(clinic, 2, 2, {"missing": 1}),
    "as_1b": Case(inputs.pictures, 16, 16, tasks={"caption": 4, "questions": 12}),
}
