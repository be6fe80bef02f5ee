"""One CoOp step at ViT-B/16 shapes (random weights), plain against the engine, in one run.

    python benchmarks/prompt_learning.py --classes 40 400 --to docs/results/prompt_learning_speed.md

Plain is what released trainers do: every class over all 77 positions, the image tower on every batch. Its texts go through
`transformers`' own modules. With many classes its texts run in chunks of 40, each forward and backward with the gradient
of its features given, so that it fits into memory: the work is the same, the memory is that of a chunk.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPConfig, CLIPModel

from vistune.files import atomic_open
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.method import Call
from vistune.promptlearn.methods.coop import Coop
from vistune.promptlearn.pictures.images import Bank, Images
from vistune.promptlearn.prompts import tokenize

CHUNK = 40


class Bench:
    """One set of weights, class names, images and labels for both sides."""

    def __init__(self, classes: int, batch: int) -> None:
        torch.manual_seed(0)
        config = CLIPConfig(vision_config={"patch_size": 16}, projection_dim=512)
        self.clip = DualEncoder(CLIPModel(config), words, identity="ViT-B/16, random")
        names = tuple(" ".join(["name"] * (i % 4)) + f" {i}" for i in range(classes))
        self.classes = Classes(tuple(name.strip() for name in names))
        self.method = Coop(self.clip, self.classes)
        self.pixels = torch.randn(batch, 3, 224, 224)
        self.labels = torch.arange(batch) % classes
        placeholder = " ".join(["X"] * 16)
        self.prompts = tokenize(self.clip, self.classes.texts(f"{placeholder} {{}}."), crop=False)

    def plain_text(self, rows: slice) -> Tensor:
        """Class features `[n, 512]` over 77 positions, by the modules of `transformers`."""
        model, ids = self.clip.model.text_model, self.prompts.ids[rows]
        embedded = model.embeddings.token_embedding(ids)
        ctx = self.method.ctx.expand(len(ids), -1, -1)
        embedded = torch.cat([embedded[:, :1], ctx, embedded[:, 17:]], 1) + model.embeddings.position_embedding.weight
        mask = torch.full((77, 77), float("-inf")).triu(1)[None, None]
        hidden = model.encoder(inputs_embeds=embedded, attention_mask=mask, is_causal=True).last_hidden_state
        hidden = model.final_layer_norm(hidden)
        return self.clip.model.text_projection(hidden[torch.arange(len(ids)), self.prompts.pool[rows]])

    def plain_image(self) -> Tensor:
        """Image features `[B, 512]`."""
        with torch.no_grad():
            return self.clip.model.get_image_features(self.pixels).pooler_output

    def plain(self, image: Tensor) -> Tensor:
        """The gradient of one step given image features."""
        count = len(self.classes)
        if count <= CHUNK:
            loss = F.cross_entropy(self.clip.logits(image, self.plain_text(slice(0, count))), self.labels)
            return torch.autograd.grad(loss, self.method.ctx)[0]
        gradient = torch.zeros_like(self.method.ctx)
        upstream = torch.ones(CHUNK, 512)
        for at in range(0, count, CHUNK):
            features = self.plain_text(slice(at, at + CHUNK))
            gradient += torch.autograd.grad(features, self.method.ctx, upstream[: len(features)])[0]
        return gradient

    def ours(self, engine: Engine, images: Images) -> Tensor:
        """The gradient of one step through the engine."""
        call = Call(engine, self.classes, images, self.labels)
        loss = self.method.losses(self.method(call), call)["cross_entropy"]
        return torch.autograd.grad(loss, self.method.ctx)[0]


def words(text: str) -> list[int]:
    """One token a word and one for the full stop."""
    return [320 + sum(map(ord, word)) % 40_000 for word in text.replace(".", " .").split()]


def seconds(function, repeats: int) -> list[float]:
    """CPU seconds of each of `repeats` calls: on one thread the wall-clock time of an idle machine."""
    spent = []
    for _ in range(repeats):
        began = time.process_time()
        function()
        spent.append(time.process_time() - began)
    return spent


def measure(count: int, batch: int, repeats: int) -> dict[str, float]:
    """Median seconds of each part, both sides by turns, and how far the two gradients are apart."""
    bench = Bench(count, batch)
    engine = Engine(bench.clip)
    bank = Bank(lambda ids: bench.pixels[list(ids)], batch)
    cached = Images(bank=bank, ids=torch.arange(batch))
    image = bench.plain_image()
    mine = bench.ours(engine, cached)  # fills the bank
    distance = float("nan")
    if count <= CHUNK:
        plain = bench.plain(image)
        distance = float((mine - plain).abs().max() / plain.abs().max())
    times: dict[str, list[float]] = {"image": [], "plain text": [], "ours cached": [], "ours fresh": []}
    for _ in range(repeats):
        times["image"] += seconds(bench.plain_image, 1)
        times["plain text"] += seconds(lambda: bench.plain(image), 1)
        times["ours cached"] += seconds(lambda: bench.ours(engine, cached), 3)
        times["ours fresh"] += seconds(lambda: bench.ours(engine, Images(bench.pixels)), 1)
    return {name: statistics.median(values) for name, values in times.items()} | {"distance": distance}


def peak(side: str, count: int, batch: int, queue) -> None:
    """Peak memory in MB that one step adds to a process that holds the model."""
    torch.set_num_threads(1)
    bench = Bench(count, batch)
    image = torch.randn(batch, 512)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of making the model, which is higher than a step's
    before = resident("VmRSS")
    if side == "plain":
        bench.plain(image)
    else:
        method, engine = bench.method, Engine(bench.clip)
        edits = method.edits(Call(engine, bench.classes))
        text = engine.text(bench.classes, edits).features
        torch.autograd.grad(F.cross_entropy(bench.clip.logits(image, text), bench.labels), method.ctx)
    queue.put(resident("VmHWM") - before)


def resident(field: str) -> float:
    """MB of this process: `VmRSS` now, `VmHWM` at most (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def peak_of(side: str, count: int, batch: int) -> float:
    """`peak` in a process of its own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=peak, args=(side, count, batch, queue))
    process.start()
    found = queue.get()
    process.join()
    return float(found)


def main() -> None:
    """Measure and print a table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classes", type=int, nargs="+", default=[40, 400])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--to", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        f"CoOp (16 vectors), ViT-B/16 shapes, batch {arguments.batch}, float32, one CPU thread, CPU seconds; median of "
        f"{arguments.repeats}, both sides by turns.",
        "",
        "| | " + " | ".join(f"{count} classes" for count in arguments.classes) + " |",
        "| --- |" + " --- |" * len(arguments.classes),
    ]
    found = {count: measure(count, arguments.batch, arguments.repeats) for count in arguments.classes}
    memory = {(side, count): peak_of(side, count, arguments.batch) for side in ("plain", "ours") for count in arguments.classes}
    table = {
        "text side of a step, plain (s)": lambda c: f"{found[c]['plain text']:.2f}",
        "text side of a step, engine (s)": lambda c: f"{found[c]['ours cached']:.2f}",
        "**text side, ratio**": lambda c: f"**{found[c]['plain text'] / found[c]['ours cached']:.1f}x**",
        "whole step, plain (s)": lambda c: f"{found[c]['plain text'] + found[c]['image']:.2f}",
        "whole step, engine, fresh crops (s)": lambda c: f"{found[c]['ours fresh']:.2f}",
        "whole step, engine, cached image features (s)": lambda c: f"{found[c]['ours cached']:.2f}",
        "**whole step, ratio with cached features**": lambda c: (
            f"**{(found[c]['plain text'] + found[c]['image']) / found[c]['ours cached']:.1f}x**"
        ),
        "peak memory of the text side, plain (MB)": lambda c: (
            f"{memory['plain', c]:.0f}" + (f" (chunks of {CHUNK})" if c > CHUNK else "")
        ),
        "peak memory of the text side, engine (MB)": lambda c: f"{memory['ours', c]:.0f}",
        "peak memory, ratio": lambda c: f"{memory['plain', c] / memory['ours', c]:.1f}x",
        "largest gradient difference, relative": lambda c: "-" if c > CHUNK else f"{found[c]['distance']:.1e}",
    }
    lines += [f"| {name} | " + " | ".join(cell(count) for count in arguments.classes) + " |" for name, cell in table.items()]
    text = "\n".join(lines) + "\n"
    if arguments.to is None:
        print(text)
        return
    with atomic_open(arguments.to) as file:
        file.write(text)


if __name__ == "__main__":
    main()
