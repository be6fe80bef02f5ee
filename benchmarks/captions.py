"""Caption scoring against `pycocoevalcap`, both in one run: tokenise, BLEU, ROUGE-L, CIDEr-D on 5,000 captions x 5 references.

    python benchmarks/captions.py [--captions 5000] [--references 5] [--seed 0]

Needs the extra `captions` and Java for the other side. The captions are made of COCO-like phrases; both sides must print the
same numbers, or the script ends with 1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import sys
import time

from vistune.evals.metrics.captions import captions

# Choices, separated by bars.
PARTS = (
    "a man|two women|a young boy|the dog|a black cat|three people|a group of children|an old couple|a skateboarder",
    "is riding|are sitting on|stands near|is holding|jumps over|looks at|is eating|are playing with|walks down",
    "a wooden bench|the snowy street|a red frisbee|an over-sized umbrella|his surfboard|the kitchen counter|a woman's bag",
    "in the park|on a sunny day|next to a parked car|at the beach|in front of a brick building|while it's raining|",
)
CHOICES = [part.split("|") for part in PARTS]
ENDINGS = [".", "", ".", " .", "!"]


def sentence(generator: random.Random, topic: int) -> str:
    """One caption; captions of an image share its topic, so that n-grams overlap as they do in COCO."""
    parts = [options[(topic + generator.choice((0, 0, 0, 1, 5))) % len(options)] for options in CHOICES]
    adjective = generator.choice(["", "", "large ", "small ", "bright-red ", "very old "])
    text = f"{parts[0]} {parts[1]} {adjective}{parts[2]} {parts[3]}".strip()
    return text[0].upper() + text[1:] + generator.choice(ENDINGS)


def ours(hypotheses: list[str], references: list[list[str]]) -> dict[str, float]:
    return dict(captions(hypotheses, references).values)


def theirs(hypotheses: list[str], references: list[list[str]]) -> dict[str, float]:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    tokenizer = PTBTokenizer()
    with contextlib.redirect_stdout(io.StringIO()):
        truth = tokenizer.tokenize({i: [{"caption": text} for text in group] for i, group in enumerate(references)})
        said = tokenizer.tokenize({i: [{"caption": text}] for i, text in enumerate(hypotheses)})
        bleu, _ = Bleu(4).compute_score(truth, said)
        rouge, _ = Rouge().compute_score(truth, said)
        cider, _ = Cider().compute_score(truth, said)
    return {**{f"Bleu_{n}": float(value) for n, value in enumerate(bleu, 1)}, "ROUGE_L": float(rouge), "CIDEr": float(cider)}


def cpu_seconds() -> float:
    """Processor time of this process and of the children it waited for: steadier than the clock on a busy machine."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--captions", type=int, default=5000)
    parser.add_argument("--references", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    topics = [generator.randrange(1000) for _ in range(arguments.captions)]
    hypotheses = [sentence(generator, topic) for topic in topics]
    references = [[sentence(generator, topic) for _ in range(arguments.references)] for topic in topics]

    scores, seconds, busy = {}, {}, {}
    for name, run in (("vistune", ours), ("pycocoevalcap", theirs)):
        start, before = time.perf_counter(), cpu_seconds()
        scores[name] = run(hypotheses, references)
        seconds[name], busy[name] = time.perf_counter() - start, cpu_seconds() - before
        numbers = "  ".join(f"{key} {scores[name][key]:.6f}" for key in sorted(scores[name]))
        print(f"{name:14} {seconds[name]:7.2f} s, {busy[name]:7.2f} s of processor  {numbers}", flush=True)
    largest = max(abs(scores["vistune"][key] - value) for key, value in scores["pycocoevalcap"].items())
    clock, processor = seconds["pycocoevalcap"] / seconds["vistune"], busy["pycocoevalcap"] / busy["vistune"]
    print(f"{clock:.1f} x as fast by the clock, {processor:.1f} x by processor time; largest difference {largest:.1e}")
    return 0 if largest < 1e-9 else 1


if __name__ == "__main__":
    sys.exit(main())
