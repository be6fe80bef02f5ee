"""One picture of what the speed benchmarks wrote: how many times less we take, each beside its target.

python -m benchmarks.plot_speed build/bench --to docs/results/speed.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from vistune.files import atomic_path


def ratios(folder: Path) -> list[tuple[str, float, float]]:
    """Name, ratio and target of every benchmark whose numbers are in `folder`."""
    found: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    rows = []
    if "train_vs_trl" in found:
        rows.append(("training step: time of TRL", found["train_vs_trl"]["ratio"], 4.0))
    if "prefix_reuse" in found:
        rows.append(("six questions a picture: time of a loop", found["prefix_reuse"]["ratio_to_loop"], 3.0))
        rows.append(("six questions a picture: time of batches without reuse", found["prefix_reuse"]["ratio_to_batches"], 3.0))
    for row in found.get("loss_memory", {"rows": []})["rows"]:
        rows.append((f"loss, {row['share']:.0%} supervised: memory of full logits", row["ratio"], 5.0))
    return rows


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    chosen = parser.parse_args()
    rows = ratios(chosen.folder)[::-1]
    if not rows:
        raise SystemExit(f"{chosen.folder} holds no numbers of benchmarks: run `make bench` first")
    figure, axis = pyplot.subplots(figsize=(9, 0.5 * len(rows) + 1.2), layout="constrained")
    bars = axis.barh([name for name, _, _ in rows], [ratio for _, ratio, _ in rows], color="#3b6ea5", height=0.55)
    axis.bar_label(bars, labels=[f"{ratio:.1f} x" for _, ratio, _ in rows], padding=4)
    for place, (_, _, target) in enumerate(rows):
        axis.plot(
            [target, target], [place - 0.4, place + 0.4], color="#b3442e", linewidth=2, label="target" if not place else None
        )
    axis.set(xscale="log", xlabel="divided by ours", xlim=(1, 1.6 * max(ratio for _, ratio, _ in rows)))
    axis.legend(loc="lower right")
    with atomic_path(chosen.to) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


if __name__ == "__main__":
    main()
