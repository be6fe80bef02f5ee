"""Rules of benchmarks against what their official code gave on small made-up inputs (tests/golden/benchmark_rules.json)."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vistune.evals.metrics import lamm
from vistune.evals.metrics.magnifier_bench import magnifier_bench
from vistune.evals.metrics.named_object import named_object
from vistune.evals.metrics.video_masks import contour_accuracy, region_similarity, statistics
from vistune.evals.metrics.voc_ap import Detection, voc_ap
from vistune.evals.prediction import Prediction
from vistune.evals.score import open_benchmark, score
from vistune.sample import Sample

RECORDED = json.loads((Path(__file__).parents[2] / "golden" / "benchmark_rules.json").read_text())


def mask(text: str, shape: list[int]) -> Any:
    bits = np.unpackbits(np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8))
    return bits[: shape[0] * shape[1]].reshape(shape).astype(bool)


@pytest.mark.parametrize("film", RECORDED["davis"]["films"])
def test_region_similarity_and_contour_accuracy(film: dict[str, Any]) -> None:
    pairs = [
        (mask(guess, film["shape"]), mask(truth, film["shape"]))
        for guess, truth in zip(film["guess"], film["truth"], strict=True)
    ]
    regions, contours = ([rule(*pair) for pair in pairs] for rule in (region_similarity, contour_accuracy))
    assert regions == pytest.approx(film["J"], abs=1e-12) and contours == pytest.approx(film["F"], abs=1e-12)
    assert statistics(np.array(regions)) == pytest.approx(film["J_statistics"], abs=1e-12)
    assert statistics(np.array(contours)) == pytest.approx(film["F_statistics"], abs=1e-12)


@pytest.mark.parametrize("interpolation", ["11-point", "all-points"])
def test_average_precision_of_voc(interpolation: Any) -> None:
    recorded = RECORDED["voc"]
    truths = [
        [Detection(name, tuple(box), difficult=bool(hard)) for name, hard, box in objects]
        for objects in recorded["truth"].values()
    ]
    guesses = [
        [
            Detection(kind, tuple(box), mark)
            for kind, lines in recorded["detections"].items()
            for at, mark, box in lines
            if at == name
        ]
        for name in recorded["truth"]
    ]
    result = voc_ap(guesses, truths, ("dog", "cat", "person"), interpolation)
    wanted = recorded["AP"][interpolation]
    assert {name: result.values[name] for name in wanted} == pytest.approx(wanted, abs=1e-9)
    assert result.headline == pytest.approx(np.mean(list(wanted.values())))
    assert result.statistic(np.ones((1, len(truths))))[0] == pytest.approx(result.headline)


def test_labels_of_scanned_rooms() -> None:
    rooms = RECORDED["scannet"]["rooms"]
    samples = [Sample(str(n), answers=("\n".join(map(str, room["truth"])),)) for n, room in enumerate(rooms)]
    guesses = [Prediction(str(n), "\n".join(map(str, room["guess"]))) for n, room in enumerate(rooms)]
    assert score(open_benchmark("scan_net"), guesses, samples).headline == pytest.approx(RECORDED["scannet"]["mIoU"], abs=1e-9)


def test_letters_read_out_of_replies() -> None:
    recorded = RECORDED["magnifier"]
    for reply, letter in zip(recorded["replies"], recorded["read"], strict=True):
        scores = [magnifier_bench([reply], [wanted], [recorded["question"]]).headline for wanted in "ABCD"]
        assert scores == [100.0 * (letter == wanted) for wanted in "ABCD"], reply


def test_names_found_in_replies() -> None:
    for (name, synonyms, reply), right in zip(RECORDED["ferret"]["items"], RECORDED["ferret"]["right"], strict=True):
        assert named_object([reply], [[name, *synonyms]]).headline == 100.0 * right, reply


def test_what_lamm_reads_in_replies() -> None:
    recorded = RECORDED["lamm"]
    for text, points in recorded["points"]:
        assert lamm.numbers_in(text, 2) == [tuple(point) for point in points], text
    for text, boxes in recorded["boxes_3d"]:
        assert lamm.numbers_in(text, 6) == [tuple(box) for box in boxes], text
    for first, second, overlap in recorded["iou_3d"]:
        assert lamm.box_iou_3d(first, second) == pytest.approx(overlap, abs=1e-12)
    for reply, right, counted in recorded["choices"]:
        assert lamm.right_choice(reply, recorded["options"], right) == counted, reply
    for reply, words, share in recorded["ocr"]:
        assert lamm.words_read(reply, words) == pytest.approx(share), reply
    for reply, found in recorded["detections"]:
        assert lamm.detections_in(reply) == [(name, tuple(box)) for name, box in found], reply
