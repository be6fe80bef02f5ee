"""Scale and speed of reading: a JSON Lines file of ten million conversations, and decoding pictures beside `datasets` + PIL.

    python benchmarks/jsonl_index.py [--records 10000000] [--pictures 500] [--json]

Everything is generated in a temporary folder (about 2.1 GB for ten million records) and removed. The index is measured in a
process of its own, so that its peak memory is its own; CPU seconds stand beside wall seconds, for machines that do other work
too. Decoding runs both sides in turn over the same JPEG files, five times, and reports the median pictures per second: at full
size to RGB, and down to 336 pixels, where JPEG files can be decoded at a fraction of their size.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE = 336


def write_records(path: Path, count: int) -> None:
    """Conversations of 180 to 280 bytes, in blocks."""
    line = (
        '{{"id": "{0:09d}", "image": "train/{1:03d}/{0:09d}.jpg", "conversations": [{{"from": "human", '
        '"value": "<image>\\nWhat is shown here?"}}, {{"from": "gpt", "value": "There are {2}{0} things in it."}}]}}\n'
    )
    padding = ["", "perhaps ", "as far as one can see, about ", "more than "]
    with open(path, "w", encoding="utf-8") as file:
        for begin in range(0, count, 100_000):
            end = min(count, begin + 100_000)
            file.write("".join(line.format(number, number % 1000, padding[number % 4]) for number in range(begin, end)))


def measure_index(path: str, count: int, report: Any) -> None:
    """Open, then read at random; in a process of its own."""
    from vistune.data.samples import read

    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, cpu_began = time.perf_counter(), time.process_time()
    samples = read(f"conversations:{path}")
    opened, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    assert len(samples) == count
    chosen = random.Random(0).choices(range(count), k=10_000)
    began = time.perf_counter()
    for index in chosen:
        assert samples[index].id == f"{index:09d}"
    each = (time.perf_counter() - began) / len(chosen)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report.put(
        {
            "open_s": opened,
            "open_cpu_s": cpu,
            "random_access_us": each * 1e6,
            "resident_mb": peak / 1024,
            "before_mb": base / 1024,
        }
    )


def write_pictures(folder: Path, count: int) -> list[str]:
    """Photograph-like JPEG files of 640 x 480: smooth colour with noise and edges."""
    chance = np.random.default_rng(0)
    rows, columns = np.mgrid[0:480, 0:640]
    for number in range(count):
        waves = [
            128 + 90 * np.sin(rows / chance.uniform(20, 90) + columns / chance.uniform(20, 90) + phase) for phase in range(3)
        ]
        pixels = np.stack(waves, axis=2) + chance.normal(0, 12, (480, 640, 3))
        x, y = chance.integers(0, 400, 2)
        pixels[y : y + 80, x : x + 200] = chance.integers(0, 256, 3)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number:06d}.jpg", quality=90)
    return sorted(str(path) for path in folder.glob("*.jpg"))


def timed(sides: dict[str, Callable[[], Iterable[Image.Image]]], count: int, rounds: int = 5) -> dict[str, float]:
    """Pictures per second, median of interleaved rounds."""
    seen: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            began = time.perf_counter()
            total = sum(1 for image in side() if image.mode == "RGB")
            assert total == count
            seen[name].append(count / (time.perf_counter() - began))
    return {name: round(statistics.median(rates), 1) for name, rates in seen.items()}


def measure_decoding(files: list[str]) -> dict[str, dict[str, float]]:
    """The same files through `load_image` and through `datasets`' Image feature."""
    import datasets

    from vistune.data.media.image import load_image
    from vistune.sample import Media

    media = [Media.file("image", path) for path in files]
    rows = datasets.Dataset.from_dict({"image": files}).cast_column("image", datasets.Image())

    def small(image: Image.Image) -> Image.Image:
        return image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)

    full = timed(
        {
            "vistune": lambda: (load_image(medium) for medium in media),
            "datasets": lambda: (row["image"].convert("RGB") for row in rows),
        },
        len(files),
    )
    scaled = timed(
        {
            "vistune": lambda: (small(load_image(medium, at_least=(SIDE, SIDE))) for medium in media),
            "datasets": lambda: (small(row["image"].convert("RGB")) for row in rows),
        },
        len(files),
    )
    return {"full_size": full, f"to_{SIDE}": scaled}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "records.jsonl"
        write_records(path, options.records)
        size = path.stat().st_size
        context = multiprocessing.get_context("spawn")
        report = context.Queue()
        process = context.Process(target=measure_index, args=(str(path), options.records, report))
        process.start()
        index = report.get()
        process.join()
        path.unlink()
        decoding = measure_decoding(write_pictures(folder, options.pictures))
    result = {"records": options.records, "file_gb": round(size / 1e9, 2), "index": index, "pictures_per_s": decoding}
    if options.json:
        print(json.dumps(result))
        return
    opened = f"opened in {index['open_s']:.1f} s ({index['open_cpu_s']:.1f} s of CPU)"
    print(f"{options.records:,} records, {size / 1e9:.2f} GB")
    print(f"  {opened}, resident at most {index['resident_mb']:.0f} MB ({index['before_mb']:.0f} MB before)")
    print(f"  random access {index['random_access_us']:.0f} us a sample")
    for what, rates in decoding.items():
        ratio = rates["vistune"] / rates["datasets"]
        print(f"  {what}: vistune {rates['vistune']} pictures/s, datasets {rates['datasets']} pictures/s ({ratio:.2f}x)")


if __name__ == "__main__":
    main()
