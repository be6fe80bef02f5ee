"""Small inputs in the files' true formats: COCO, Visual Genome, Flickr30k Entities, tables of captions, instructions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

SIZE = (200, 100)
DOG, BALL = [20, 10, 60, 80], [120, 50, 40, 40]  # xywh in pixels
DOG_UNIT, BALL_UNIT = "[0.100,0.100,0.400,0.900]", "[0.600,0.500,0.800,0.900]"


def picture(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE, (len(name) * 7 % 256, 90, 160)).save(folder / name)


def dump(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def coco(folder: Path, count: int = 2) -> list[dict[str, Any] | str]:
    """`captions_*.json` and `instances_*.json` of `count` photographs with a dog and a ball."""
    images = []
    for number in range(1, count + 1):
        picture(folder, f"{number:012d}.png")
        images.append({"id": number, "file_name": f"{number:012d}.png", "width": SIZE[0], "height": SIZE[1]})
    sayings = ("A dog runs after a ball.", "A brown dog on grass.", "A ball rolls away.", "Dog and ball.", "A dog at play.")
    captions = [
        {"id": 10 * image["id"] + n, "image_id": image["id"], "caption": f"{text[:-1]}, take {image['id']}."}
        for image in images
        for n, text in enumerate(sayings)
    ]
    boxes = [
        {
            "id": 10 * image["id"] + category,
            "image_id": image["id"],
            "category_id": category,
            "bbox": box,
            "area": 1,
            "iscrowd": 0,
        }
        for image in images
        for category, box in ((1, DOG), (2, BALL))
    ]
    categories = [{"id": 1, "name": "dog"}, {"id": 2, "name": "ball"}]
    dump(folder / "captions.json", {"images": images, "annotations": captions})
    dump(folder / "instances.json", {"images": images, "annotations": boxes, "categories": categories})
    return [
        {"kind": "coco", "path": str(folder / "captions.json"), "task": "captions"},
        {"kind": "coco", "path": str(folder / "instances.json")},
    ]


def pictures(folder: Path) -> list[dict[str, Any] | str]:
    """Photographs alone."""
    return [{**coco(folder)[1], "question": None}]  # type: ignore[dict-item]


def visual_genome(folder: Path) -> list[dict[str, Any] | str]:
    """Captions of COCO, and Visual Genome's objects and region descriptions, of two photographs: dog and ball, cat and ball."""
    images, objects, regions, captions = [], [], [], []
    for number, animal in ((1, "dog"), (2, "cat")):
        name = f"VG_100K/{number}.png"
        picture(folder, name)
        images.append({"image_id": number, "width": SIZE[0], "height": SIZE[1], "url": f"https://example.org/{name}"})
        boxed = [dict(zip("xywh", box, strict=True)) | {"names": [what]} for what, box in ((animal, DOG), ("ball", BALL))]
        objects.append({"image_id": number, "objects": boxed})
        x, y, width, height = BALL
        phrase = {"x": x, "y": y, "width": width, "height": height, "phrase": "a worn leather ball", "region_id": number}
        regions.append({"id": number, "regions": [phrase]})
        captions.append({"id": number, "image_id": number, "caption": f"A {animal} runs after a ball."})
    dump(folder / "image_data.json", images)
    dump(folder / "objects.json", objects)
    dump(folder / "region_descriptions.json", regions)
    files = [{"id": n, "file_name": f"VG_100K/{n}.png", "width": SIZE[0], "height": SIZE[1]} for n in (1, 2)]
    dump(folder / "captions.json", {"images": files, "annotations": captions})
    about = f"image_data={folder}/image_data.json&images={folder}"
    return [
        {"kind": "coco", "path": str(folder / "captions.json"), "task": "captions"},
        f"objects=visual_genome:{folder}/objects.json?part=objects&{about}",
        f"regions=visual_genome:{folder}/region_descriptions.json?{about}",
    ]


def flickr30k(folder: Path) -> list[dict[str, Any] | str]:
    """Flickr30k Entities: a sentence with two marked phrases, and their boxes in XML."""
    picture(folder, "36979.jpg")
    (folder / "Sentences").mkdir()
    (folder / "Annotations").mkdir()
    (folder / "Sentences" / "36979.txt").write_text(
        "[/EN#1/animals A dog] runs after [/EN#2/other a ball] .\n", encoding="utf-8"
    )
    boxed = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x}</xmin><ymin>{y}</ymin><xmax>{x + w}</xmax><ymax>{y + h}</ymax></bndbox>"
        "</object>"
        for name, (x, y, w, h) in ((1, DOG), (2, BALL))
    )
    (folder / "Annotations" / "36979.xml").write_text(
        f"<annotation><filename>36979.jpg</filename><size><width>{SIZE[0]}</width><height>{SIZE[1]}</height><depth>3</depth></size>"
        f"{boxed}</annotation>",
        encoding="utf-8",
    )
    return [{"kind": "flickr30k_entities", "path": str(folder), "images": str(folder)}]


def table(folder: Path, rows: Sequence[dict[str, Any]], medium: str = "image", **further: Any) -> list[dict[str, Any] | str]:
    """A JSON Lines table of captions; the files it names are made."""
    for row in rows:
        if medium == "image":
            picture(folder, row["file"])
        else:
            (folder / row["file"]).write_bytes(b"\x00")
    path = folder / "captions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return [{"kind": "captions", "path": str(path), "medium": "file", "caption": "caption", "kind_of_media": medium, **further}]


def captioned(folder: Path, count: int, **further: Any) -> list[dict[str, Any] | str]:
    """Conceptual Captions and its kin: a picture and a caption a line."""
    rows = [{"file": f"{number}.png", "caption": f"scene number {number}", "topic": "scenes"} for number in range(count)]
    return table(folder, rows, **further)


def native(folder: Path, *metas: dict[str, Any], media: str | None = None) -> list[dict[str, Any] | str]:
    """The project's own samples, one per `meta`, which holds what is known; `media` is a kind, each sample then shows one."""
    suffixes = {"image": "png", "video": "mp4", "audio": "wav"}
    records: list[dict[str, Any]] = []
    for number, meta in enumerate(metas):
        shown = []
        if media is not None:
            shown = [{"kind": media, "path": f"m{number}.{suffixes[media]}"}]
            picture(folder, f"m{number}.png")
            (folder / f"m{number}.mp4").write_bytes(b"\x00")
            (folder / f"m{number}.wav").write_bytes(b"\x00")
        records.append({"id": f"s{number}", "media": shown, "turns": [], "meta": meta})
    path = folder / "samples.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return [f"samples:{path}"]


def questions(folder: Path, count: int = 2) -> list[dict[str, Any] | str]:
    """VQA in a JSON list: picture, question, short answer."""
    rows = []
    for number in range(count):
        picture(folder, f"{number}.png")
        rows.append({"image": f"{number}.png", "question": f"What runs in scene {number}?", "answer": "a dog"})
    return [{"kind": "qa", "path": str(dump(folder / "vqa.json", rows))}]


def alpaca(folder: Path) -> str:
    """Text-only instructions."""
    rows = [{"instruction": "Name a prime number.", "input": "", "output": "Seven is a prime number."}]
    return f"instructions:{dump(folder / 'alpaca.json', rows)}"
