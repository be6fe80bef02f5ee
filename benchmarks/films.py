"""Films from file to tokens, against frames sampled in PyAV as decord does, and as transformers' guides do, in one run.

    python -m benchmarks.films

The films are H.264 with B-frames and a key frame every `--gop` frames. All sides take the same eight frames of each, through
the same tower and connector, by turns, and must give the same tokens:

    transformers' guide   every frame is decoded up to the last one wanted, the chosen ones go through CLIP's image processor
    decord's way          the nearest key frame before each wanted frame is sought, what lies between is decoded; same processor
    ours                  `Frames`: frames that no other frame needs are skipped on the way; prepared without the processor

Then a second epoch that finds the frames' features on disk, and six questions about each film that read it once.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
import transformers as hf

from benchmarks import small_llava
from vistune.data.media.sampling import spread
from vistune.model.features import Thing
from vistune.model.modalities.frames import Frames
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.training.caching import cache_of

FRAMES, PIXELS = 8, 64


def film(path: Path, seed: int, seconds: int, gop: int, size: tuple[int, int] = (596, 336)) -> Media:
    """Blocks that drift over a background, 30 frames a second; as large and, by default, as long as WebVid's mostly are."""
    draw = np.random.default_rng(seed)
    ground = draw.integers(0, 255, (size[1] // 8, -(-size[0] // 8), 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)[:, : size[0]]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=30, options={"bf": "3", "b-pyramid": "none"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, "yuv420p", gop
        for number in range(30 * seconds):
            pixels = np.roll(ground, (number, 2 * number), (0, 1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return Media.file("video", str(path))


def whole(path: str) -> list[np.ndarray[Any, Any]]:
    """The guide of `transformers`: decode from the beginning, keep the chosen frames."""
    with av.open(path) as container:
        chosen = set(spread(container.streams.video[0].frames, FRAMES))
        container.seek(0)
        found = []
        for number, frame in enumerate(container.decode(video=0)):
            if number in chosen:
                found.append(frame.to_ndarray(format="rgb24"))
            if number > max(chosen):
                break
        return found


def sought(path: str) -> list[np.ndarray[Any, Any]]:
    """As decord: seek the key frame before each wanted frame, unless the decoder is already behind it, and decode up to it."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        clock, keys = sorted(packet.pts for packet in packets), sorted(packet.pts for packet in packets if packet.is_keyframe)
        found, now, decoder = [], -1, iter(())
        for time_stamp in [clock[place] for place in spread(len(clock), FRAMES)]:
            key = keys[bisect_right(keys, time_stamp) - 1]
            if key > now:
                container.seek(key, stream=stream)
                decoder = container.decode(stream)
            frame = next(frame for frame in decoder if frame.pts is not None and frame.pts >= time_stamp)
            now = frame.pts
            found.append(frame.to_ndarray(format="rgb24"))
        return found


class Peer:
    """One way to read frames, then the image processor, and the model's own tower and connector."""

    def __init__(self, model: VisionLanguageModel, folder: Path, frames: Callable[[str], list[Any]]) -> None:
        self.model, self.frames = model, frames
        self.processor = hf.CLIPImageProcessorPil.from_pretrained(folder / "tower")

    @torch.no_grad()
    def tokens(self, films: Sequence[Media]) -> list[torch.Tensor]:
        """Tokens `[T L, H]` of each film."""
        return [self._one(str(medium.path)) for medium in films]

    def _one(self, path: str) -> torch.Tensor:
        pixels = self.processor(images=self.frames(path), return_tensors="pt")["pixel_values"]
        assert self.model.vision is not None and self.model.connector is not None
        made: torch.Tensor = self.model.connector(self.model.vision(pixels)).flatten(0, 1)
        return made


@torch.no_grad()
def ours(model: VisionLanguageModel, films: Sequence[Media]) -> list[torch.Tensor]:
    """Tokens as training and answering make them: the header for the count, the file, the chain."""
    chain = model.chains["video"]
    made = []
    for medium in films:
        chain.count(medium)
        made += chain.tokens([Thing(chain.ready(medium))], {})[0]
    return made


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the processor's seconds it takes."""
    began = time.process_time()
    return work(), time.process_time() - began


def alike(first: Sequence[torch.Tensor], second: Sequence[torch.Tensor], what: str) -> None:
    """Exits where tokens of two sides differ by more than the rounding of pixels to whole numbers."""
    worst = max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(first, second, strict=True))
    if worst > 0.02:
        raise SystemExit(f"{what}: tokens differ by {worst:.1%}")


def questions(films: Sequence[Media], each: int) -> list[Sample]:
    """`each` questions about every film."""
    return [
        Sample(f"{number}-{place}", (medium,), (Turn("user", (MediaRef(0), Text(f"w{place} w{place + 7} w{place + 30}"))),))
        for number, medium in enumerate(films)
        for place in range(each)
    ]


def measure(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Median seconds of each side over rounds after one that warms up."""
    base = small_llava.build(folder, PIXELS)
    assert isinstance(base.spec.vision, dict)
    vision = base.spec.vision | {"fit": "crop"}  # as CLIP's processor
    spec = replace(base.spec, vision=vision, modalities={"video": {"chain": ["vision", "connector"], "frames": FRAMES}})
    model = VisionLanguageModel(spec).eval()
    assert isinstance(model.chains["video"], Frames)
    films = [film(folder / f"{number}.mp4", number, chosen.seconds, chosen.gop) for number in range(chosen.films)]
    sides: dict[str, Callable[[], list[torch.Tensor]]] = {
        "transformers' guide": lambda: Peer(model, folder, whole).tokens(films),
        "decord's way": lambda: Peer(model, folder, sought).tokens(films),
        "ours": lambda: ours(model, films),
    }
    cache = cache_of(model, "video", "encoder", folder / "features", "fp32")

    def kept() -> list[torch.Tensor]:
        model.chains["video"].cache = cache
        try:
            return ours(model, films)
        finally:
            model.chains["video"].cache = None

    asked = questions(films, chosen.questions)
    sides |= {"ours, features kept": kept}
    answering = {
        "each question whole": lambda: model.generate(asked, 4, reuse=False),
        "film read once": lambda: model.generate(asked, 4),
    }
    seconds: dict[str, list[float]] = {name: [] for name in [*sides, *answering]}
    for turn in range(chosen.repeats + 1):
        made = {name: timed(work) for name, work in sides.items()}
        for name, (tokens, _) in made.items():
            alike(tokens, made["ours"][0], name)
        told = {name: timed(work) for name, work in answering.items()}
        if len({tuple(answers) for answers, _ in told.values()}) != 1:
            raise SystemExit("answers differ when a film is read once")
        for name, (_, spent) in [*made.items(), *told.items()] if turn else []:
            seconds[name].append(spent)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {"seconds": medians, "frames": FRAMES * len(films), "questions": len(asked), "machine": small_llava.machine("av")}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=18, help="Of each film, at 30 frames a second.")
    parser.add_argument("--gop", type=int, default=250, help="Frames from one key frame to the next (x264 takes 250).")
    parser.add_argument("--questions", type=int, default=6, help="About each film.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="Write the numbers here, too.")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), chosen)
    seconds = found["seconds"]
    for name in ("transformers' guide", "decord's way", "ours", "ours, features kept"):
        rate, ratio = found["frames"] / seconds[name], seconds[name] / seconds["ours"]
        print(f"{name:22}{rate:10.1f} frames a second{1 / ratio:8.2f} x ours")
    ratio = seconds["each question whole"] / seconds["film read once"]
    print(f"{chosen.questions} questions about a film, read once: {ratio:.2f} x as fast, the same answers")
    print(found["machine"])
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
