"""Small data in every reader's format, made from a list of records, so that any record can be damaged before it is written."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Json = Any


@dataclass(frozen=True)
class Source:
    """`record(n)` makes record number n, `write(folder, records)` the files; it gives the spec that reads them.

    alone:  a damaged record cannot change what the others become
    """

    record: Callable[[int], Json]
    write: Callable[[Path, list[Json]], dict[str, Any]]
    alone: bool = True


def picture(folder: Path, name: str = "a.png", mode: str = "RGB") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        Image.fromarray(np.arange(800, dtype=np.uint8).reshape(20, 40) % 3).convert(mode).save(path)


def write_text(path: Path, text: str) -> None:
    """Write text, half surrogate pairs too: the readers are to find them."""
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def dumps(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def array(kind: str, **arguments: Any) -> Callable[[Path, list[Json]], dict[str, Any]]:
    """A JSON array."""

    def write(folder: Path, records: list[Json]) -> dict[str, Any]:
        picture(folder)
        write_text(folder / "data.json", "[" + ",\n".join(json.dumps(record) for record in records) + "]")
        return {"kind": kind, "path": str(folder / "data.json"), **arguments}

    return write


def lines(kind: str, **arguments: Any) -> Callable[[Path, list[Json]], dict[str, Any]]:
    """JSON Lines; a record may be raw text."""

    def write(folder: Path, records: list[Json]) -> dict[str, Any]:
        picture(folder)
        write_text(folder / "data.jsonl", "".join(dumps(record).replace("\n", " ") + "\n" for record in records))
        return {"kind": kind, "path": str(folder / "data.jsonl"), **arguments}

    return write


def conversation(number: int) -> Json:
    turns = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": f"A {number}."}]
    return {"id": f"c{number}", "image": "a.png", "conversations": turns, "score": number}


def chat(number: int) -> Json:
    content = [{"type": "image"}, {"type": "text", "text": "What?"}]
    answer = [{"type": "text", "text": f"A {number}."}]
    return {
        "id": f"m{number}",
        "images": ["a.png"],
        "messages": [{"role": "user", "content": content}, {"role": "assistant", "content": answer}],
    }


def question(number: int) -> Json:
    return {
        "id": number,
        "image": "a.png",
        "question": f"Q{number}?",
        "answer": "yes",
        "all": ["yes", "y"],
        "choices": ["yes", "no"],
    }


def boxed(number: int) -> Json:
    turns = [{"from": "human", "value": "<image> What is at [4, 5, 8, 9]?"}, {"from": "gpt", "value": f"Thing {number}."}]
    return {"image": "a.png", "width": 40, "height": 20, "conversations": turns}


def shikra(number: int) -> Json:
    return {
        "img_path": "a.png",
        "boxes": [[1, 2, 10, 12], [4, 4, 8, 8]],
        "question": "Is the <ph_st>man<ph_ed> here?",
        "question_boxes_seq": [[0]],
        "cot_with_ans": f"The <ph_st>pair {number}<ph_ed> is.",
        "answer_boxes_seq": [[0, 1]],
        "answer": "yes",
    }


def coco(number: int) -> Json:
    return {
        "image": {"id": number, "file_name": "a.png", "width": 40, "height": 20},
        "annotation": {"id": number, "image_id": number, "category_id": 1, "bbox": [4, 5, 10, 10], "iscrowd": 0},
    }


def write_coco(folder: Path, records: list[Json]) -> dict[str, Any]:
    picture(folder)
    whole = {
        "images": [record.get("image") for record in records],
        "annotations": [record.get("annotation") for record in records],
        "categories": [{"id": 1, "name": "cat"}],
    }
    write_text(folder / "coco.json", json.dumps(whole))
    return {"kind": "coco", "path": str(folder / "coco.json")}


def sentence(number: int) -> Json:
    return {
        "image": {"id": number, "file_name": "a.png", "width": 40, "height": 20, "caption": f"a cat on mat {number}"},
        "annotation": {"id": number, "image_id": number, "bbox": [4, 5, 10, 10], "tokens_positive": [[0, 5]]},
    }


def write_mdetr(folder: Path, records: list[Json]) -> dict[str, Any]:
    write_coco(folder, records)
    return {"kind": "mdetr", "path": str(folder / "coco.json"), "task": "ground"}


def refer(number: int) -> Json:
    return {"ref_id": number, "ann_id": 1, "image_id": 1, "split": "train", "sentences": [{"sent": f"thing {number}"}]}


def write_refer(folder: Path, records: list[Json]) -> dict[str, Any]:
    picture(folder)
    annotation = {"id": 1, "image_id": 1, "bbox": [1, 2, 10, 12], "category_id": 1}
    image = {"id": 1, "file_name": "a.png", "width": 40, "height": 20}
    write_text(folder / "instances.json", json.dumps({"images": [image], "annotations": [annotation]}))
    (folder / "refs.p").write_bytes(pickle.dumps(records))
    return {"kind": "refer", "path": str(folder / "refs.p"), "images": str(folder)}


def visual_genome(number: int) -> Json:
    return {"id": 2, "regions": [{"x": 1, "y": 2, "width": 10, "height": 9, "phrase": f"thing {number}"}]}


def write_visual_genome(folder: Path, records: list[Json]) -> dict[str, Any]:
    pictures = [{"image_id": 2, "width": 40, "height": 20, "url": "https://x.y/VG/2.jpg"}]
    write_text(folder / "image_data.json", json.dumps(pictures))
    return {**array("visual_genome")(folder, records), "image_data": str(folder / "image_data.json")}


def report(number: int) -> Json:
    return {"image": "a.png", "file": f"r{number}.txt", "ask": "Is it?", "answer": "no"}


def write_documents(folder: Path, records: list[Json]) -> dict[str, Any]:
    for number in range(len(records)):
        write_text(folder / f"r{number}.txt", f"FINDINGS: thing {number}.\nIMPRESSION: none.\n")
    return {**lines("documents")(folder, records), "document": "file", "image": "image", "section": "FINDINGS"}


def write_shards(folder: Path, records: list[Json]) -> dict[str, Any]:
    picture(folder)
    with tarfile.open(folder / "data.tar", "w") as tar:
        for number, record in enumerate(records):
            # Padded, so that damage to one record does not move the others.
            for ending, data in (("json", json.dumps(record).encode().ljust(8192)), ("png", (folder / "a.png").read_bytes())):
                entry = tarfile.TarInfo(f"{number:04d}.{ending}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    layout = {"kind": "qa", "image": "@image", "id": "@key"}
    return {"kind": "shards", "path": str(folder / "data.tar"), "layout": layout}


def write_huggingface(folder: Path, records: list[Json]) -> dict[str, Any]:
    import datasets

    # Arrow has one type a column: what was damaged goes as text.
    rows = [
        {key: dumps(record.get(key)).encode("utf-8", "replace").decode() for key in ("question", "answer", "image")}
        for record in records
    ]
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(rows).save_to_disk(str(folder / "hf"))
    return {"kind": "huggingface", "path": str(folder / "hf"), "layout": {"kind": "qa", "images": str(folder)}}


def table(number: int) -> Json:
    return {"ImageID": f"im{number}", "LabelName": "/m/1", "XMin": 0.1, "XMax": 0.5, "YMin": 0.2, "YMax": 0.75, "IsGroupOf": 0}


def write_open_images(folder: Path, records: list[Json]) -> dict[str, Any]:
    write_text(folder / "classes.csv", "LabelName,DisplayName\n/m/1,Person\n")
    rows = [list(table(0)), *([dumps(value).replace(",", ";") for value in record.values()] for record in records)]
    write_text(folder / "boxes.csv", "".join(",".join(row).replace("\n", " ") + "\n" for row in rows))
    return {"kind": "open_images", "path": str(folder / "boxes.csv"), "classes": str(folder / "classes.csv")}


def xml(number: int) -> Json:
    return {
        "filename": "a.png",
        "width": 40,
        "height": 20,
        "name": f"thing {number}",
        "xmin": 2,
        "ymin": 3,
        "xmax": 10,
        "ymax": 12,
    }


def as_xml(record: Json) -> str:
    values = {key: "" if value is None else dumps(value) for key, value in record.items()}
    text = {key: f"<{key}>{value}</{key}>" for key, value in values.items()}
    box = "".join(text.get(side, "") for side in ("xmin", "ymin", "xmax", "ymax"))
    size = f"<size>{text.get('width', '')}{text.get('height', '')}</size>"
    thing = f"<object>{text.get('name', '')}<bndbox>{box}</bndbox></object>"
    return f"<annotation>{text.get('filename', '')}{size}{thing}</annotation>"


def write_voc(folder: Path, records: list[Json]) -> dict[str, Any]:
    (folder / "Annotations").mkdir(exist_ok=True)
    for number, record in enumerate(records):
        write_text(folder / "Annotations" / f"{number:04d}.xml", as_xml(record))
    return {"kind": "voc", "path": str(folder / "Annotations"), "images": str(folder)}


def write_flickr(folder: Path, records: list[Json]) -> dict[str, Any]:
    for name in ("Sentences", "Annotations"):
        (folder / name).mkdir(exist_ok=True)
    for number, record in enumerate(records):
        write_text(folder / "Annotations" / f"{number:04d}.xml", as_xml({**record, "name": "1"}))
        phrase = dumps(record.get("name", ""))
        write_text(folder / "Sentences" / f"{number:04d}.txt", f"[/EN#1/people {phrase}] runs .\n".replace("\n", " ") + "\n")
    return {"kind": "flickr30k_entities", "path": str(folder), "images": str(folder)}


def label_map(number: int) -> Json:
    return {"width": 6, "height": 5, "values": [0, 1, 2], "end": -1}


def write_masks(folder: Path, records: list[Json]) -> dict[str, Any]:
    (folder / "maps").mkdir(exist_ok=True)
    for number, record in enumerate(records):
        buffer = io.BytesIO()
        Image.fromarray((np.arange(30, dtype=np.uint8) % 3).reshape(5, 6)).save(buffer, "PNG")
        data = buffer.getvalue()
        cut = record.get("end") if isinstance(record.get("end"), int) and not isinstance(record.get("end"), bool) else 7
        (folder / "maps" / f"{number:04d}.png").write_bytes(data if cut == -1 else data[: cut % len(data)])
    return {"kind": "masks", "path": str(folder / "maps"), "images": str(folder), "names": ["one", "two"]}


def polygons(number: int) -> Json:
    return {"imgWidth": 40, "imgHeight": 20, "objects": [{"label": "road", "polygon": [[1, 1], [20, 1], [20, 9 + number % 9]]}]}


def write_cityscapes(folder: Path, records: list[Json]) -> dict[str, Any]:
    for number, record in enumerate(records):
        path = folder / "gtFine" / "city" / f"city_{number:06d}_gtFine_polygons.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(record))
    return {"kind": "cityscapes", "path": str(folder / "gtFine"), "images": str(folder)}


def daquar(number: int) -> Json:
    return {"question": f"what is {number} in the image{number + 1} ?", "answer": "chair, table"}


def write_daquar(folder: Path, records: list[Json]) -> dict[str, Any]:
    (folder / "images").mkdir(exist_ok=True)
    flat = [
        dumps(record.get(key, "")).replace("\n", " ").strip() or "?" for record in records for key in ("question", "answer")
    ]
    write_text(folder / "all.txt", "".join(f"{line}\n" for line in flat))
    return {"kind": "daquar", "path": str(folder / "all.txt")}


def write_class_folders(folder: Path, records: list[Json]) -> dict[str, Any]:
    for number, record in enumerate(records):
        name = "".join(character for character in dumps(record.get("name", "")) if character.isalnum() or character in "._ ")
        (folder / "classes" / "cat").mkdir(parents=True, exist_ok=True)
        (folder / "classes" / "cat" / f"{number:04d}{name or 'x'}"[:100]).touch()
    return {"kind": "class_folders", "path": str(folder / "classes")}


def person(number: int) -> Json:
    return {"id": 10 + number, "bbox": [1, 2, 10, 12], "label": number % 2, "filler": 0 if number % 3 else 10, "action": "hold"}


def write_v_coco(folder: Path, records: list[Json]) -> dict[str, Any]:
    picture(folder)
    people = [record if isinstance(record, dict) else {} for record in records]
    annotations = [{**record, "image_id": 1} for record in people]
    images = [{"id": 1, "file_name": "a.png", "width": 40, "height": 20}]
    write_text(folder / "instances.json", json.dumps({"annotations": annotations, "images": images}))
    columns = {name: [record.get(key) for record in people] for name, key in (("ann_id", "id"), ("label", "label"))}
    fillers = [record.get("id") for record in people] + [record.get("filler") for record in people]
    action = people[0].get("action") if people else "hold"
    table = {"action_name": action, "role_name": ["agent", "obj"], **columns, "role_object_id": fillers}
    write_text(folder / "vcoco.json", json.dumps([table]))
    return {"kind": "v_coco", "path": str(folder / "vcoco.json"), "instances": str(folder / "instances.json")}


def scene_question(number: int) -> Json:
    return {
        "annot_id": f"val-{number}",
        "img_fn": "a.png",
        "metadata_fn": "a.json",
        "objects": ["person", "dog"],
        "question": ["What", "does", [0], f"do{number}", "?"],
        "answer_choices": [[[0], "sits"], ["it", "runs"], ["a"], ["b"]],
        "answer_label": 0,
        "rationale_choices": [["since"], ["for"], ["as"], ["so"]],
        "rationale_label": 1,
    }


def write_vcr(folder: Path, records: list[Json]) -> dict[str, Any]:
    picture(folder)
    boxes = [[1, 2, 10, 12, 0.9], [3, 4, 20, 15, 0.8]]
    write_text(folder / "a.json", json.dumps({"boxes": boxes, "width": 40, "height": 20}))
    return {**lines("vcr")(folder, records), "images": str(folder)}


SOURCES: dict[str, Source] = {
    "boxes_in_text": Source(boxed, array("boxes_in_text", units="pixels")),
    "preferences": Source(
        lambda number: {"image": "a.png", "question": f"Q{number}?", "chosen": "A", "rejected": "B"}, lines("preferences")
    ),
    "captions": Source(lambda number: {"image": "a.png", "caption": [f"C{number}", "D"]}, lines("captions")),
    "cityscapes": Source(polygons, write_cityscapes),
    "class_folders": Source(lambda number: {"name": "file.jpg"}, write_class_folders),
    "coco": Source(coco, write_coco, alone=False),
    "conversations": Source(conversation, array("conversations")),
    "daquar": Source(daquar, write_daquar),
    "documents": Source(report, write_documents),
    "edits": Source(
        lambda number: {"edit_prompt": f"E{number}", "original_image": "a.png", "edited_image": "a.png"}, array("edits")
    ),
    "flickr30k_entities": Source(xml, write_flickr),
    "huggingface": Source(question, write_huggingface),
    "instructions": Source(
        lambda number: {"instruction": f"I{number}", "input": "x", "output": "y", "image": "a.png"}, lines("instructions")
    ),
    "masks": Source(label_map, write_masks),
    "messages": Source(chat, lines("messages")),
    "open_images": Source(table, write_open_images, alone=False),
    "qa": Source(question, array("qa", id="id", answers="all", choices="choices", list_choices=True)),
    "mdetr": Source(sentence, write_mdetr, alone=False),
    "refer": Source(refer, write_refer, alone=False),
    "regions": Source(
        lambda number: {"image": "a.png", "w": 40, "h": 20, "bbox": [1, 2, 10, 12], "phrase": f"thing {number}"},
        lines("regions", width="w", height="h", phrase="phrase"),
    ),
    "samples": Source(
        lambda number: {
            "id": f"s{number}",
            "media": [{"kind": "image", "path": "a.png"}],
            "turns": [
                {"role": "user", "content": [{"media": 0}, {"text": "Q"}, {"on": 0, "box": [0, 0.5, 1, 1], "label": "x"}]},
                {"role": "assistant", "content": [{"text": f"A{number}"}], "train": True},
            ],
            "regions": [{"on": 0, "point": [0.5, 0.25]}],
            "answers": ["A"],
            "choices": ["A", "B"],
            "meta": {"k": 1},
        },
        lines("samples"),
    ),
    "shards": Source(lambda number: {"question": f"Q{number}", "answer": "A"}, write_shards),
    "shikra": Source(shikra, lines("shikra")),
    "v_coco": Source(person, write_v_coco, alone=False),
    "vcr": Source(scene_question, write_vcr),
    "visual_genome": Source(visual_genome, write_visual_genome),
    "voc": Source(xml, write_voc),
}
