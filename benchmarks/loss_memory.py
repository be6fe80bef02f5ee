"""Peak memory of the language-modelling loss at a vocabulary of 128 k and 8 k tokens, against full logits.

    python -m benchmarks.loss_memory

Each side runs forward and backward in a process of its own, which reports how far its resident memory rose above what held the
hidden states, the head and the gradients of both. Full logits are what `transformers` computes: a row for every token, in
fp32. Ours holds those of one chunk of supervised tokens. Loss and gradients are compared on a small piece in the same run.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import small_llava
from vistune.model.language.loss import cross_entropy_sum


def full(head: nn.Linear, hidden: Tensor, labels: Tensor) -> Tensor:
    """Logits of every token, then cross-entropy, which ignores what has no label."""
    return F.cross_entropy(head(hidden).float(), labels, reduction="sum")


def ours(head: nn.Linear, hidden: Tensor, labels: Tensor) -> Tensor:
    """As `LanguageModel.loss_sum` calls it."""
    where = torch.nonzero(labels != -100).squeeze(1)
    return cross_entropy_sum(head, [head.weight], head.out_features, hidden[where], labels[where])


SIDES = {"full": full, "ours": ours}


def case(tokens: int, vocabulary: int, width: int, share: float) -> tuple[nn.Linear, Tensor, Tensor]:
    """Head, hidden states and labels, the same in every process."""
    torch.manual_seed(0)
    head = nn.Linear(width, vocabulary, bias=False)
    labels = torch.randint(vocabulary, (tokens,)).masked_fill(torch.rand(tokens) >= share, -100)
    return head, torch.randn(tokens, width, requires_grad=True), labels


def peak(side: str, tokens: int, vocabulary: int, width: int, share: float, queue: Any) -> None:
    """MiB by which one forward and backward pass raises the peak, and the processor's seconds it takes."""
    torch.set_num_threads(1)
    head, hidden, labels = case(tokens, vocabulary, width, share)
    head.weight.grad = torch.zeros_like(head.weight)
    head.weight.grad += 1.0  # resident before the measuring begins
    hidden.grad = torch.ones_like(hidden)
    small, few, wanted = case(8, 64, width, 1.0)
    SIDES[side](small, few, wanted).backward()  # loads what the first call of each kernel loads
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far was that of loading
    before, began = resident("VmRSS"), time.process_time()
    SIDES[side](head, hidden, labels).backward()
    queue.put((resident("VmHWM") - before, time.process_time() - began))


def resident(field: str) -> float:
    """MiB of resident memory now (`VmRSS`) or at its peak (`VmHWM`), as Linux tells."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def measured(side: str, *sizes: Any) -> tuple[float, float]:
    """`peak` in a process of its own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=peak, args=(side, *sizes, queue))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"the process of {side!r} ended with status {process.exitcode}")
    found: tuple[float, float] = queue.get()
    return found


def refuse_what_does_not_fit(tokens: int, vocabulary: int) -> None:
    """Full logits are there three times in the backward pass: themselves or their gradient, and two of the softmax."""
    meminfo = Path("/proc/meminfo")
    lines = meminfo.read_text().splitlines() if meminfo.is_file() else []
    free = next((int(line.split()[1]) / 2**20 for line in lines if line.startswith("MemAvailable")), float("inf"))
    needed = 3.2 * 4 * tokens * vocabulary / 2**30
    if needed > free:
        raise SystemExit(f"full logits of {tokens} tokens need {needed:.1f} GiB, but {free:.1f} are free: give fewer --tokens")


def differences(vocabulary: int, width: int) -> tuple[float, float]:
    """Of the loss, relative, and of gradients, relative to the largest, on 300 tokens."""
    results = []
    for side in SIDES.values():
        head, hidden, labels = case(300, vocabulary, width, 0.5)
        loss = side(head, hidden, labels)
        loss.backward()
        results.append((loss.detach(), hidden.grad, head.weight.grad))
    (one, *mine), (other, *theirs) = results
    apart = [float((a - b).abs().max() / b.abs().max()) for a, b in zip(mine, theirs, strict=True)]
    return float((one - other).abs() / other), max(apart)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--vocabulary", type=int, default=131_072)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.25, 1.0], help="How many of the tokens have a label.")
    parser.add_argument(
        "--full-tokens", type=int, help="Measure full logits with fewer tokens, and scale: memory may be short."
    )
    parser.add_argument("--json", type=Path, help="Write the numbers here, too.")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    tokens = {"full": chosen.full_tokens or chosen.tokens, "ours": chosen.tokens}
    refuse_what_does_not_fit(tokens["full"], chosen.vocabulary)
    loss, gradient = differences(chosen.vocabulary, chosen.width)
    rows = []
    for share in chosen.shares:
        found = {side: measured(side, tokens[side], chosen.vocabulary, chosen.width, share) for side in SIDES}
        scale = {side: chosen.tokens / count for side, count in tokens.items()}
        row = {"share": share, **{f"{side}_mib": value * scale[side] for side, (value, _) in found.items()}}
        row |= {f"{side}_seconds": value * scale[side] for side, (_, value) in found.items()}
        row["ratio"] = row["full_mib"] / row["ours_mib"]
        row["measured_full_mib"] = found["full"][0]
        rows.append(row)
        print(
            f"loss of {chosen.tokens} tokens, {share:.0%} supervised, vocabulary {chosen.vocabulary}: {row['ours_mib']:.0f} "
            f"against {row['full_mib']:.0f} MiB, {row['ratio']:.1f} x less; {row['ours_seconds']:.1f} against "
            f"{row['full_seconds']:.1f} s",
            flush=True,
        )
    if chosen.full_tokens:
        print(f"full logits were measured with {chosen.full_tokens} tokens and scaled to {chosen.tokens}")
    print(f"loss differs by {loss:.1e}, gradients by {gradient:.1e}, relative")
    print(small_llava.machine())
    if chosen.json is not None:
        found_all = {"rows": rows, "loss_difference": loss, "gradient_difference": gradient}
        chosen.json.write_text(json.dumps(found_all | {"machine": small_llava.machine()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
