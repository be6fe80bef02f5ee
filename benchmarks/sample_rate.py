"""From files to what a model takes, beside `datasets` + PIL + tokenizer: `python -m benchmarks.sample_rate [--pictures 200]`.

Both sides read the same JSON Lines conversations and JPEG files (640 x 480), pad every picture to a square, scale it to 336
pixels, normalise it, and write the conversation with Vicuna's template into ids and labels, 576 places for the picture. Their
ids, labels and pixels are compared before anything is timed. They take turns, `rounds` times; printed are the medians of
samples per second of processor time, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoTokenizer

from benchmarks.jsonl_index import SIDE, write_pictures
from vistune.data.media.image import image_size, load_image
from vistune.data.samples import read
from vistune.model.encoders._squares import fit_square, normalise
from vistune.prompt.codecs.decimals import Decimals
from vistune.prompt.render import IGNORE, Renderer
from vistune.prompt.templates.vicuna_v1 import VicunaV1
from vistune.prompt.writer import Places

Taken = tuple[list[int], list[int], Tensor]
PLACES = 576
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
QUESTION, ANSWER = "<image>\nHow many things are there, and where?", "There are {} of them, most near the middle."


def write(folder: Path, count: int) -> Path:
    """Pictures and conversations."""
    path = folder / "records.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        for number, picture in enumerate(write_pictures(folder, count)):
            said = [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": ANSWER.format(number)}]
            file.write(json.dumps({"id": str(number), "image": picture.rpartition("/")[2], "conversations": said}) + "\n")
    return path


class Ours:
    """The library's own way."""

    def __init__(self, path: Path, tokenizer: object) -> None:
        self.path = path
        self.renderer = Renderer(VicunaV1(), Decimals(), tokenizer, tokenizer.pad_token_id, {"image": self})
        self.scale = (SIDE, SIDE)

    def __iter__(self) -> Iterator[Taken]:
        for sample in read(f"conversations:{self.path}"):
            rendered = self.renderer.render(sample)
            square, _ = fit_square(load_image(sample.media[0], sample.where), SIDE, "pad", MEAN)
            yield rendered.ids, rendered.labels, normalise(square, MEAN, STD)

    def write(self, part: object, sample: object) -> list[Places]:
        """As a model does: the size decides, from the header."""
        return [Places(PLACES if image_size(sample.media[part.index]) else 0)]


class Theirs:
    """`datasets`, PIL, and the tokenizer called as released trainers do: the prompt's length masks the labels."""

    def __init__(self, path: Path, tokenizer: object, system: str) -> None:
        self.path, self.tokenizer, self.system = path, tokenizer, system

    def __iter__(self) -> Iterator[Taken]:
        import datasets

        rows = datasets.Dataset.from_json(str(self.path), cache_dir=str(self.path.parent / "cache"))
        rows = rows.map(lambda row: {"image": str(self.path.parent / row["image"])}, load_from_cache_file=True)
        for row in rows.cast_column("image", datasets.Image()):
            yield *self.text(row["conversations"]), self.pixels(row["image"].convert("RGB"))

    def text(self, turns: list[dict[str, str]]) -> tuple[list[int], list[int]]:
        """Ids and labels."""
        question, answer = turns[0]["value"].replace("<image>", ""), turns[1]["value"]
        before = self.ids(f"{self.system}USER: ")
        prompt = self.ids(f"{question} ASSISTANT:")
        rest = self.ids(f"{question} ASSISTANT: {answer}")
        ids = [
            self.tokenizer.bos_token_id,
            *before,
            *[self.tokenizer.pad_token_id] * PLACES,
            *rest,
            self.tokenizer.eos_token_id,
        ]
        masked = 1 + len(before) + PLACES + len(prompt)
        return ids, [IGNORE] * masked + ids[masked:]

    def ids(self, text: str) -> list[int]:
        """No specials."""
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def pixels(self, image: Image.Image) -> Tensor:
        """Padded, scaled, normalised."""
        side = max(image.size)
        canvas = Image.new("RGB", (side, side), tuple(int(255 * value) for value in MEAN))
        canvas.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        array = np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32) / 255
        return torch.from_numpy((array - np.float32(MEAN)) / np.float32(STD)).permute(2, 0, 1)


def compare(ours: Ours, theirs: Theirs) -> float:
    """The largest difference between pixels; ids and labels must be the same."""
    largest = 0.0
    for mine, other in zip(ours, theirs, strict=True):
        assert mine[0] == other[0], "ids differ"
        assert mine[1] == other[1], "labels differ"
        largest = max(largest, float((mine[2] - other[2]).abs().max()))
    return largest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokenizer", default=str(Path(__file__).parents[1] / "vistune/world/nano/language"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(options.tokenizer)
    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name), options.pictures)
        ours = Ours(path, tokenizer)
        template = ours.renderer.template
        theirs = Theirs(path, tokenizer, f"{template.system}{template.system_suffix}" if template.system else "")
        result: dict[str, object] = {"pictures": options.pictures, "largest_pixel_difference": compare(ours, theirs)}
        rates: dict[str, list[float]] = {"vistune": [], "datasets": []}
        for _ in range(options.rounds):
            for side, taken in (("vistune", ours), ("datasets", theirs)):
                began = time.process_time()
                assert sum(1 for _ in taken) == options.pictures
                rates[side].append(options.pictures / (time.process_time() - began))
    result |= {f"{side}_per_cpu_s": round(statistics.median(found), 1) for side, found in rates.items()}
    result["ratio"] = round(statistics.median(rates["vistune"]) / statistics.median(rates["datasets"]), 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
