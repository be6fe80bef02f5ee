"""Six questions a picture: read once for all of them, against each read whole, in one run with the same weights.

    python -m benchmarks.prefix_reuse

Three sides take the same questions by turns: `generate` of `transformers` on the exported LLaVA, one question at a time, as an
evaluation loop does; our batches without reuse; our batches with it. A picture is 576 tokens, as LLaVA-1.5's; the model has
random weights, so answers run to the few tokens they may have, and must be the same words on all sides.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers as hf

from benchmarks import small_llava
from vistune.data.media.image import load_image
from vistune.model.interchange.export import export
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.template import as_text
from vistune.sample import Media, MediaRef, Sample, Text, Turn

PIXELS = 192  # in patches of 8: 576


def questions(folder: Path, pictures: int, each: int) -> list[Sample]:
    """`each` questions of 6 to 14 words about every picture."""
    draw = random.Random(0)
    samples = []
    for number in range(pictures):
        path = folder / f"{number}.png"
        small_llava.picture(path, number, PIXELS)
        for place in range(each):
            text = Text(small_llava.words(draw, draw.randint(6, 14)))
            turns = (Turn("user", (MediaRef(0), text)),)
            samples.append(Sample(f"{number}-{place}", (Media.file("image", str(path)),), turns))
    return samples


class Loop:
    """A plain loop over `LlavaForConditionalGeneration.generate`."""

    def __init__(self, model: VisionLanguageModel, folder: Path, new_tokens: int) -> None:
        export(model, folder)
        self.model, self.new_tokens = model, new_tokens
        self.peer = hf.LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.processor = hf.AutoProcessor.from_pretrained(folder, backend="pil")

    @torch.no_grad()
    def answer(self, samples: Sequence[Sample]) -> list[str]:
        """One question at a time."""
        return [self._one(sample) for sample in samples]

    def _one(self, sample: Sample) -> str:
        text = as_text(self.model.template.pieces(sample, answer_next=True), {"bos": "<s>", "eos": "</s>"}, "<image>")
        pictures = [load_image(medium, sample.where) for medium in sample.media]
        inputs = self.processor(text=[text], images=pictures, return_tensors="pt", text_kwargs={"add_special_tokens": False})
        ids = self.peer.generate(**inputs, max_new_tokens=self.new_tokens, do_sample=False)[0, inputs["input_ids"].shape[1] :]
        return str(self.processor.tokenizer.decode(ids, skip_special_tokens=True)).strip()


def timed(answer: Callable[[Sequence[Sample]], list[str]], samples: Sequence[Sample]) -> tuple[list[str], float]:
    """Answers, and the processor's seconds they took."""
    began = time.process_time()
    answers = answer(samples)
    return answers, time.process_time() - began


def measure(folder: Path, repeats: int, pictures: int, each: int, new_tokens: int) -> dict[str, Any]:
    """Median seconds of each side over `repeats` rounds after one that warms up. Exits when answers differ."""
    model = small_llava.build(folder, PIXELS)
    loop = Loop(model, folder / "exported", new_tokens)
    samples = questions(folder, pictures, each)
    sides: dict[str, Callable[[Sequence[Sample]], list[str]]] = {
        "transformers, one at a time": loop.answer,
        "batched, each read whole": lambda some: model.generate(some, new_tokens, reuse=False),
        "batched, picture read once": lambda some: model.generate(some, new_tokens),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats + 1):
        some = samples[:each] if turn == 0 else samples
        taken = {name: timed(answer, some) for name, answer in sides.items()}
        if len({tuple(answers) for answers, _ in taken.values()}) != 1:
            raise SystemExit(f"answers differ: { ({name: answers[:3] for name, (answers, _) in taken.items()}) }")
        if turn:
            for name, (_, spent) in taken.items():
                seconds[name].append(spent)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    fastest = medians["batched, picture read once"]
    return {
        "seconds": medians,
        "ratio_to_loop": medians["transformers, one at a time"] / fastest,
        "ratio_to_batches": medians["batched, each read whole"] / fastest,
        "questions": len(samples),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--questions", type=int, default=6, help="Of each picture.")
    parser.add_argument("--new-tokens", type=int, default=4)
    parser.add_argument("--json", type=Path, help="Write the numbers here, too.")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), chosen.repeats, chosen.pictures, chosen.questions, chosen.new_tokens)
    for name, spent in found["seconds"].items():
        print(f"{name:30} {spent / found['questions'] * 1000:8.1f} ms a question")
    print(
        f"picture read once for {chosen.questions} questions: {found['ratio_to_loop']:.2f} x against the loop, "
        f"{found['ratio_to_batches']:.2f} x against our own batches; the same answers"
    )
    print(small_llava.machine())
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found | {"machine": small_llava.machine()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
