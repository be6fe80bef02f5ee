"""The loss curve of a run."""

from __future__ import annotations

import json
from pathlib import Path

from vistune.files import atomic_path


def plot_losses(stages: list[tuple[str, Path]], out: Path) -> None:
    """Draw each stage's loss (thin) and its running mean (thick) over the steps, stages side by side, as PNG."""
    import matplotlib

    # The backend without a display; the default one would fail on a server.
    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(1, len(stages), figsize=(5 * len(stages), 3.4), squeeze=False, layout="constrained")
    for axis, (name, log) in zip(axes[0], stages, strict=True):
        losses = [json.loads(line)["loss"] for line in log.read_text(encoding="utf-8").splitlines()]
        steps = range(1, len(losses) + 1)
        axis.plot(steps, losses, linewidth=0.6, alpha=0.5, label="each step")
        axis.plot(steps, running_mean(losses, window(len(losses))), linewidth=1.8, label="running mean")
        for what, line in held_out(log).items():
            axis.plot(*zip(*line, strict=True), marker="o", markersize=3, linewidth=1.2, label=f"{what}, held out")
        axis.set(title=name, xlabel="step", ylabel="loss", ylim=(0, None) if min(losses, default=0) >= 0 else None)
        axis.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small")
    with atomic_path(out) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
    pyplot.close(figure)


def held_out(log: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and losses of each measurement that was taken on the way."""
    file = log.with_name(f"{log.stem}.eval.jsonl")
    found: dict[str, list[tuple[int, float]]] = {}
    for text in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        line = json.loads(text)
        if "loss" in line["values"]:
            found.setdefault(line["name"], []).append((line["step"], line["values"]["loss"]))
    return found


def window(steps: int) -> float:
    """How much of a running mean is kept from step to step: it reaches back over a twentieth of the steps, twenty at most."""
    return 1 - 1 / min(20, max(1, steps / 20))


def running_mean(values: list[float], keep: float = 0.95) -> list[float]:
    """Exponential mean, corrected for its start."""
    means, total, weight = [], 0.0, 0.0
    for value in values:
        total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
        # Divided by the weights so far: the mean would otherwise begin near zero and creep up to the loss.
        means.append(total / weight)
    return means
