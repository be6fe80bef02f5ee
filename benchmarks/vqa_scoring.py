"""Seconds to score VQA answers under each rule, intervals included: the aim is 200,000 in 10 s.

python benchmarks/vqa_scoring.py [--answers 200000]
"""

from __future__ import annotations

import argparse
import random
import time

from vistune.evals.metrics.vqa_accuracy import vqa_accuracy

WORDS = [
    "yes",
    "no",
    "2",
    "two",
    "red",
    "the red one",
    "on the table",
    "Dog.",
    "a man's hat",
    "can't tell",
    "3,000",
    "tennis racket",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--answers", type=int, default=200_000)
    count = parser.parse_args().answers
    generator = random.Random(0)
    pool = WORDS + [f"{generator.choice(WORDS)} {number}" for number in range(20_000)]
    truth = [generator.choices(pool, k=3) for _ in range(count)]
    annotators = [generator.choices(three, (6, 3, 1), k=10) for three in truth]
    answers = [generator.choice(three).capitalize() for three in truth]
    for rule in ("m4c", "official", "lavis", "openflamingo"):
        start = time.perf_counter()
        result = vqa_accuracy(answers, annotators, rule)
        scored = time.perf_counter() - start
        low, high = result.interval()
        print(
            f"vqa/{rule:13} {result.headline:.2f} ({low:.2f} to {high:.2f})  n={result.n}  scored in {scored:.2f} s,"
            f" with 1,000 resamples {time.perf_counter() - start:.2f} s"
        )


if __name__ == "__main__":
    main()
