"""Figures that a person reads of a run: peaks of devices, smoothed curves, charts, the lines on the way, the best of all."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from vistune.recipe import Stage
from vistune.training.measuring.record import best_line, watched
from vistune.training.planning.peaks import SPARE, capacity, known, published
from vistune.training.plot import held_out, running_mean, window
from vistune.training.report.chart import MOST, chart
from vistune.training.telling import EVERY, Teller

# As drivers name them: dense bf16 TFLOP/s and GiB of the makers' data sheets.
DEVICES = [
    ("NVIDIA B200", 2250, 180),
    ("NVIDIA H200", 989, 141),
    ("NVIDIA GH200 480GB", 989, 96),
    ("NVIDIA H100 PCIe", 756, 80),
    ("NVIDIA H100 NVL", 835, 94),
    ("NVIDIA H100 80GB HBM3", 989, 80),
    ("NVIDIA H800", 989, 80),
    ("NVIDIA A100-SXM4-40GB", 312, 40),
    ("NVIDIA A100 40GB PCIe", 312, 40),
    ("NVIDIA A100-SXM4-80GB", 312, 80),
    ("NVIDIA A800-SXM4-80GB", 312, 80),
    ("NVIDIA A40", 149.7, 48),
    ("NVIDIA A30", 165, 24),
    ("NVIDIA A10", 125, 24),
    ("NVIDIA L40S", 362, 48),
    ("NVIDIA L40", 181, 48),
    ("NVIDIA L4", 121, 24),
    ("NVIDIA RTX A6000", 154.8, 48),
    ("NVIDIA GeForce RTX 5090", 209.5, 32),
    ("NVIDIA GeForce RTX 4090", 165.2, 24),
    ("NVIDIA GeForce RTX 3090", 71, 24),
    ("AMD Instinct MI250X", 383, 128),
    ("AMD Instinct MI300X", 1307, 192),
]


@pytest.mark.parametrize(("name", "teraflops", "gib"), DEVICES)
def test_a_device_is_known_by_its_drivers_name(name: str, teraflops: float, gib: float) -> None:
    assert published(name) == pytest.approx(teraflops * 1e12) and capacity(name) == gib * 2**30


def test_devices_that_no_sheet_names() -> None:
    assert published("NVIDIA A1000") is None and capacity("Tesla K80") is None
    assert len(known()) == 21 and "H100 PCIe" in known() and pytest.approx(1.15) == SPARE


def test_a_running_mean_begins_at_the_first_loss() -> None:
    # Weights 1/2 and 1/4 over 3/4; then 1/2, 1/4 and 1/8 over 7/8.
    assert running_mean([4.0, 1.0, 1.0], 0.5) == pytest.approx([4.0, (4 * 0.25 + 1 * 0.5) / 0.75, (0.5 + 0.25 + 0.5) / 0.875])
    assert running_mean([2.0, 2.0, 2.0]) == pytest.approx([2.0] * 3)
    assert running_mean([1.0, 0.0]) == pytest.approx([1.0, 0.95 / 1.95])


@pytest.mark.parametrize(("steps", "reach"), [(0, 1), (20, 1), (40, 2), (100, 5), (400, 20), (10_000, 20)])
def test_a_mean_reaches_back_over_a_twentieth_of_the_steps(steps: int, reach: int) -> None:
    assert window(steps) == pytest.approx(1 - 1 / reach)


def test_losses_of_measurements_stand_at_their_steps(tmp_path: Path) -> None:
    log = tmp_path / "s.jsonl"
    assert held_out(log) == {}
    lines = ('{"step": 2, "name": "a", "values": {"loss": 1.5}}', '{"step": 2, "name": "b", "values": {"accuracy": 9}}')
    lines += ('{"step": 4, "name": "a", "values": {"loss": 1.25, "accuracy": 3}}',)
    (tmp_path / "s.eval.jsonl").write_text("\n".join(lines) + "\n")
    assert held_out(log) == {"a": [(2, 1.5), (4, 1.25)]}


def places(page: str) -> list[list[tuple[float, float]]]:
    """The points of each line of a chart, in pixels."""
    return [
        [(float(x), float(y)) for x, y in (point.split(",") for point in line.split())]
        for line in re.findall('points="([^"]*)"', page)
    ]


def test_a_chart_spans_its_box_from_zero_to_the_highest_loss() -> None:
    page = chart("Loss", {"a": [(0, 2.0), (5, 1.0), (10, 0.0)]})
    # 420 by 180 pixels: 52 left for numbers, 8 right; 8 above, 22 below.
    assert places(page) == [[(52.0, 8.0), (232.0, 83.0), (412.0, 158.0)]]
    assert re.findall(r'text-anchor="end">([^<]*)<', page) == ["0", "1", "2", "10"]
    assert "&#9632;" not in page and "<circle" not in page  # one line needs no legend


def test_a_chart_of_one_point_of_negatives_and_of_nothing() -> None:
    assert places(chart("t", {"a": [(3, 0.0)]})) == [[(52.0, 158.0)]]
    assert places(chart("t", {"a": [(0, -1.0), (1, 1.0)]})) == [[(52.0, 158.0), (412.0, 8.0)]]
    assert chart("t", {}) == "" and chart("t", {"a": [(0, math.nan)]}) == "" and chart("t", {"a": [(math.inf, 0)]}) == ""
    assert places(chart("t", {"a": [(0, 1.0), (1, math.nan), (2, 1.0)]})) == [[(52.0, 8.0), (412.0, 8.0)]]


def test_a_chart_marks_dots_thins_long_lines_and_escapes_names() -> None:
    page = chart("t", {"a<b": [(number, 1.0) for number in range(2 * MOST)]}, {"dot": [(0, 1.0), (799, 0.5)]})
    long, dotted = places(page)
    assert len(long) == MOST and len(dotted) == page.count("<circle") == 2
    assert page.count("&#9632;") == 2 and "a&lt;b" in page and "a<b" not in page
    colours = re.findall(r'stroke="(#\w+)"', page)
    assert colours == re.findall(r"color:(#\w+)", page) and len(set(colours)) == 2


def test_a_line_every_ten_steps_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller("s", 0, 12, None)
    for step in range(1, 13):
        teller.step(step, float(step), 2e-4, 100)
    lines = capsys.readouterr().err.splitlines()
    # Each line tells the mean of the steps since the last: 1..10, then 11 and 12.
    assert [line.rpartition(", lr")[0] for line in lines] == [
        "stage s: step 10/12, loss 5.5000", "stage s: step 12/12, loss 11.5000"
    ]  # fmt: skip
    assert all("lr 2.00e-04, " in line for line in lines) and EVERY == 10
    Teller("s", 3, 12, None)
    assert capsys.readouterr().err == "stage s: goes on at step 3 of 12\n"


def measured(step: int, name: str = "a", low: tuple[str, ...] = (), **values: float) -> dict[str, Any]:
    return {"step": step, "name": name, "values": values, "low": list(low)}


def test_the_best_is_the_highest_the_lowest_where_low_is_good_and_the_earliest_of_equals() -> None:
    lines = [measured(0, x=9), measured(1, x=2), measured(2, x=3), measured(3, x=3), measured(4, "b", x=8), measured(5, y=7)]
    assert best_line(lines, "a", "x") is lines[2]  # step 0 is the model before, and b another measurement
    lows = [measured(1, low=("loss",), loss=2), measured(2, low=("loss",), loss=1), measured(3, low=("loss",), loss=1.5)]
    assert best_line(lows, "a", "loss") is lows[1]
    assert best_line(lines, "a", "z") is None and best_line([], "a", "x") is None


def test_what_the_best_goes_by() -> None:
    lines = [measured(1, "first", accuracy=1, loss=2), measured(1, "second", loss=3)]
    assert watched(lines, None) == ("first", "accuracy")
    assert watched(lines, "second.loss") == ("second", "loss") and watched(lines, "a.b.loss") == ("a.b", "loss")
    assert watched([], None) == ("", "loss")


def test_what_a_stage_leaves_out() -> None:
    stage = Stage(name="s", train={"llm": 1e-4}, data="world", batch=8)
    assert (stage.keep, stage.best, stage.patience, stage.preference) == ("last", None, None, None)
