"""The loss curve of a run."""

from __future__ import annotations

import json
from pathlib import Path

from vistune.files import atomic_path


def plot_losses(stages: list[tuple[str, Path]], out: Path) -> None:
    """Draw each stage's loss (thin) and its running mean (thick) over the steps, stages side by side, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(stages), figsize=(5 * len(stages), 3.4), squeeze=False, layout="constrained")
    for axis, (name, log) in zip(axes[0], stages, strict=True):
        losses = [json.loads(line)["loss"] for line in log.read_text(encoding="utf-8").splitlines()]
        axis.plot(range(1, len(losses) + 1), losses, linewidth=0.6, alpha=0.5)
        axis.plot(range(1, len(losses) + 1), running_mean(losses), linewidth=1.8)
        axis.set(title=name, xlabel="step", ylabel="loss per supervised token", yscale="log")
        axis.grid(alpha=0.3)
    with atomic_path(out) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
    pyplot.close(figure)


def running_mean(values: list[float], keep: float = 0.95) -> list[float]:
    """Exponential mean, corrected for its start."""
    means, total, weight = [], 0.0, 0.0
    for value in values:
        total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
        means.append(total / weight)
    return means
