"""What lies in the folder in which a page's blocks run: the files that the page says its reader has."""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from page_blocks import ROOT
from PIL import Image
from typer.testing import CliRunner

import vistune
from vistune.cli import app
from vistune.evals.human import ratings
from vistune.evals.human.study import load_study
from vistune.files import write_json, write_jsonl

sys.path += [str(ROOT / "tests" / "native"), str(ROOT / "tests" / "construction" / "pipelines")]
import inputs
from native_families import build

FIXTURES = ROOT / "tests" / "evals" / "fixtures"
CLIP = str(Path(vistune.__file__).parent / "world" / "nano" / "clip")


@dataclass(frozen=True)
class Folder:
    """How a page's folder is prepared and run.

    `runs` are run folders that a trained model is copied to, `prepare` makes further files, `standins` takes the place of
    downloads and of servers elsewhere, `before` is called ahead of lines that begin with its key, `made` names files that must
    be there at the end with their number of lines. `slow` pages take more than a few seconds.
    """

    runs: Sequence[str] = ()
    prepare: Callable[[], None] = lambda: None
    standins: dict[str, str] = field(default_factory=dict)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    slow: bool = False


def photos() -> None:
    """Twenty-four noisy photographs, each asked about once; four of them are `test.json`."""
    chance = np.random.default_rng(0)
    Path("photos").mkdir()
    for file, numbers in (("train", range(20)), ("test", range(20, 24))):
        records = []
        for number in numbers:
            pixels = chance.integers(0, 256, (16, 16, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(f"photos/{number}.jpg")
            turns = [{"from": "human", "value": f"<image>\nQ{number}"}, {"from": "gpt", "value": f"A{number}"}]
            records.append({"id": str(number), "image": f"{number}.jpg", "conversations": turns})
        write_json(f"{file}.json", records)
    for name in ("captions.json", "instructions.json"):
        shutil.copy("train.json", name)
    shutil.copy("photos/0.jpg", "photo.jpg")
    Image.open("photo.jpg").save("photo.png")


def demo() -> None:
    """The pictures that the demo leaves, and those of `photos`."""
    photos()
    Path("runs/demo/pictures").mkdir(parents=True)
    shutil.copy("photo.png", "runs/demo/pictures/000.png")


def tables() -> None:
    """The files that the page on data names."""
    photos()
    Path("q.csv").write_text("image_id,question,answer\n1,Q?,A\n")
    write_json("vqa.json", [{"image_id": number, "question": "Q?", "answer": "A"} for number in range(5)])
    with tarfile.open("train-000.tar", "w") as tar:
        for number in range(6):
            Path(f"{number}.txt").write_text(f"Caption {number}.")
            tar.add(f"photos/{number}.jpg", f"{number}.jpg")
            tar.add(f"{number}.txt")


def known_media() -> None:
    """Photographs as COCO and as Visual Genome know them, and the replies of a writer to what is asked about them."""
    inputs.coco(Path("."))
    for name in ("captions", "instances"):
        Path(f"{name}.json").rename(f"{name}_train2017.json")
    Path("train2017").symlink_to(".")
    inputs.visual_genome(Path("."))
    Path("captions.json").rename("captions_of_visual_genome.json")
    Path("images").symlink_to(".")
    write_jsonl("writer.jsonl", ["Question:\nWhat runs?\n===\nAnswer:\nA dog runs after the ball."] * 20)


def answers() -> None:
    """Annotations and answers in the layouts that the pages on scoring name."""
    Path("data").symlink_to(FIXTURES)
    write_jsonl("predictions.jsonl", [{"id": "201307251", "answer": "no"}])
    write_jsonl("samples_gqa.jsonl", [{"doc_id": 0, "doc": {"id": "201307251"}, "resps": [["no"]]}])
    Path("model_MMBench.tsv").write_text("index\tprediction\n241\tB\n")
    shutil.copy(FIXTURES / "mm_bench/results.json", "results.json")
    shutil.copy(FIXTURES / "mm_vet/results.json", "answers.json")
    write_jsonl("script.jsonl", ["0.5", "1.0"])
    for name in ("predicted", "truth", "pictures", "panoptic_results", "panoptic_val2017"):
        Path(name).mkdir()
    labels = np.zeros((4, 4), np.uint8)
    for name in ("predicted", "truth"):
        Image.fromarray(labels).save(f"{name}/a.png")
    segment = {"image_id": 1, "file_name": "1.png", "segments_info": [{"id": 5, "category_id": 1}]}
    categories = [{"id": 1, "name": "cat", "isthing": 1}]
    for name in ("panoptic_results", "panoptic_val2017"):
        Image.fromarray(np.stack([labels + 5, labels, labels], -1)).save(f"{name}/1.png")
        write_json(f"{name}.json", {"annotations": [segment], "categories": categories})
    Image.new("RGB", (32, 32), "red").save("pictures/red.png")
    write_json("captions.json", {"red": "a red picture"})
    Path("clip").symlink_to(CLIP)
    write_json("scores.json", {"vqa": [40, 60], "caption": [50, 50]})


def questions() -> None:
    """VQA v2 with the answers of two models, short answers and captions."""
    shutil.copytree(FIXTURES / "vqa_v2", "vqa")
    shutil.copy("vqa/v2_mscoco_val2014_annotations.json", ".")
    said = json.loads(Path("vqa/results.json").read_text())
    for name in ("predictions", "one", "two"):
        write_jsonl(f"{name}.jsonl", [{"id": str(line["question_id"]), "answer": line["answer"]} for line in said])
    write_json("predictions.json", {"1": "yes", "2": "two"})
    write_json("answers.json", {"1": "Yes", "2": ["2", "two"]})
    Path("captions").mkdir()
    for name in ("ref1.txt", "ref2.txt"):
        shutil.copy(FIXTURES / "plain_captions" / name, f"captions/{name}")
    shutil.copy(FIXTURES / "plain_captions/results.txt", "hyp.txt")


def asked_people() -> None:
    """Two models' answers to a question."""
    photos()
    sample = next(iter(vistune.read("conversations:test.json?images=photos")))
    write_jsonl("data.jsonl", [sample.to_json()])
    for name in ("small", "large"):
        write_jsonl(f"{name}.jsonl", [{"id": sample.id, "answer": name}])


def rated() -> None:
    """One person rates one answer of the study that is being served."""
    study = load_study(Path("study"))
    task = next(task for task in study.tasks("ann") if task.ask == "rate")
    ratings.append(Path("study"), ratings.check(study, "ann", task, dict.fromkeys(study.criteria, 4)))


def wishes() -> None:
    """A wish and a question about pictures of the world, and what a planner replies."""
    command = [
        "data",
        "convert",
        "world:?task=identity&split=test&size=1",
        "samples",
        "questions.jsonl",
        "--extract",
        "pictures",
    ]
    CliRunner().invoke(app, command, catch_exceptions=False)
    (sample,) = vistune.read("samples:questions.jsonl")
    wish = {"tool": "segment", "arguments": {"image": "$0", "what": "red seven"}}
    write_jsonl("wishes.jsonl", [replace(sample, meta={**sample.meta, "wishes": [wish]}).to_json()])
    write_jsonl("planner.jsonl", ["Thought: Do I need to use a tool? No\nAI: It is a seven."])


def native() -> None:
    """A tiny SmolVLM of random weights."""
    photos()
    build("idefics3", Path("smolvlm"))


SHORT = {
    "--model CLIP": f"--model {CLIP}",
    "--dataset oxford_pets --root DATA": "--dataset world",
    "--shots 16 --seeds 1,2,3": "--shots 1 --seeds 1 --epochs 1 --views 1",
    "--all-methods --dataset world": "--all-methods --dataset world --shots 1 --seeds 1 --epochs 1 --views 1",
    "--data FOLDER --steps 1000": "--data world --steps 1",
    "--data FOLDER --channels 1": "--data world --channels 1 --steps 1",
    "--to docs/results/prompt_learning.md": "--to table.md",
}
JUDGE = {"endpoint:https://host/v1?model=NAME": "scripted:script.jsonl"}
PLANNER = {"endpoint:http://127.0.0.1:8000/v1?model=NAME": "scripted:planner.jsonl"}
DETECTOR = {"{kind: zero_shot, path: google/owlv2-base-patch16}": "segmenter_and_encoder"}

FOLDERS = {
    "README.md": Folder(
        ["runs/demo"],
        demo,
        {"Qwen/Qwen3-0.6B": "builtin:language", "google/siglip-base-patch16-224": "builtin:clip", "=chatml": "=plain"},
    ),
    "CONTRIBUTING.md": Folder(made={"runs/answers.jsonl": 2}),
    "docs/build.md": Folder(
        prepare=known_media,
        standins={"endpoint:http://127.0.0.1:8000/v1?model=Qwen/Qwen3-32B": "scripted:writer.jsonl"},
    ),
    "docs/data.md": Folder(prepare=tables),
    "docs/evaluate.md": Folder(prepare=questions, slow=True),
    "docs/human_evaluation.md": Folder(prepare=asked_people, before={"vistune human report": rated}),
    "docs/measuring.md": Folder(["runs/demo"]),
    "docs/models.md": Folder(slow=True),
    "docs/native.md": Folder(prepare=native, standins={"HuggingFaceTB/SmolVLM-256M-Instruct": "smolvlm"}, slow=True),
    "docs/preference.md": Folder(["runs/demo"]),
    "docs/programs.md": Folder(["runs/own"], wishes, PLANNER | DETECTOR | {"--size 300": "--size 4"}, slow=True),
    "docs/prompt_learning.md": Folder(standins=SHORT, slow=True),
    "docs/scoring.md": Folder(["runs/model"], answers, JUDGE, slow=True),
    "docs/serve.md": Folder(prepare=photos, slow=True, made={"captions.jsonl": 24}),
}
"""Pages that are not named need nothing."""
