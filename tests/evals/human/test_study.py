from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.evals.human import ratings
from vistune.evals.human.ratings import Rating
from vistune.evals.human.study import Study, load_study, make_study
from vistune.sample import Media, MediaRef, Sample, Text, Turn

ANSWERS = {"alpha": {"s0": "x", "s1": "y", "s2": "z"}, "beta": {"s0": "u", "s1": "v", "s2": "w"}}


def test_every_rater_gets_every_task_in_an_order_of_their_own(study: Study) -> None:
    orders = [study.tasks(rater) for rater in ("ann", "bo", "cy")]
    assert study.tasks("ann") == orders[0]
    assert len({tuple(order) for order in orders}) == 3
    for order in orders:
        assert Counter((task.ask, task.item, frozenset(task.models)) for task in order).most_common(1)[0][1] == 1
        assert len(order) == 3 * (2 + 1)


def test_sides_of_a_comparison_are_swapped_for_about_half_of_the_raters(study: Study) -> None:
    compared = [task for rater in range(200) for task in study.tasks(f"r{rater}") if task.ask == "compare"]
    first = sum(task.models == ("alpha", "beta") for task in compared)
    assert 250 < first < 350  # 600 fair coins: five sigmas are 61


def test_same_inputs_give_the_same_study_and_others_are_refused(samples: list[Sample], study: Study, tmp_path: Path) -> None:
    out = tmp_path / "again"
    made = make_study(samples, ANSWERS, out)
    assert make_study(samples, ANSWERS, out) == made == load_study(out)
    with pytest.raises(InputError, match="holds another study"):
        make_study(samples, ANSWERS, out, seed=1)


def test_samples_without_every_answer_are_left_out_and_counted(samples: list[Sample], tmp_path: Path) -> None:
    study = make_study(samples, {"alpha": {"s0": "x", "s1": "y"}, "beta": {"s1": "v", "zz": "?"}}, tmp_path)
    assert [item.sample for item in study.items] == ["s1"]
    assert study.missing == {"alpha": 1, "beta": 2}


def test_limit_draws_by_seed(samples: list[Sample], tmp_path: Path) -> None:
    drawn = {make_study(samples, ANSWERS, tmp_path / str(seed), limit=1, seed=seed).items[0].sample for seed in range(12)}
    assert len(drawn) > 1


def test_nothing_to_show_is_an_error(samples: list[Sample], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sample of the data has an answer"):
        make_study(samples, {"alpha": {"other": "x"}}, tmp_path)
    with pytest.raises(InputError, match="needs two files"):
        make_study(samples, {"alpha": ANSWERS["alpha"]}, tmp_path, asks=("compare",))
    cloud = Sample("s0", (Media("points", data=np.zeros((4, 3), np.float32)),), (Turn("user", (MediaRef(0), Text("?"))),))
    with pytest.raises(InputError, match="cannot be shown in a browser"):
        make_study([cloud], {"alpha": {"s0": "x"}}, tmp_path)
    text = Sample("s0", (Media("image", data=b"<svg onload=...>"),), (Turn("user", (MediaRef(0), Text("?"))),))
    with pytest.raises(InputError, match="cannot be shown in a browser"):
        make_study([text], {"alpha": {"s0": "x"}}, tmp_path)


def test_arrays_become_pictures_and_moving_pictures(tmp_path: Path) -> None:
    media = (Media("image", data=np.zeros((4, 5, 3), np.uint8)), Media("video", data=np.zeros((3, 4, 5, 3), np.uint8)))
    study = make_study([Sample("s", media, (Turn("user", (Text("Compare."),)),))], {"alpha": {"s": "same"}}, tmp_path)
    suffixes = [Path(medium["file"]).suffix for medium in study.items[0].media]
    assert suffixes == [".png", ".webp"] and all(
        (tmp_path / "media" / medium["file"]).exists() for medium in study.items[0].media
    )


def test_a_torn_last_line_does_not_count_and_a_broken_one_is_named(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "study"
    task = next(task for task in study.tasks("ann") if task.ask == "rate")
    rating = Rating("ann", study.items[task.item].sample, task, {"relevance": 1, "coherence": 2, "fluency": 3})
    ratings.append(out, rating)
    path = ratings.rater_file(out, "ann")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:25])
    assert ratings.read(out, study, "ann") == {task: rating}
    ratings.append(out, rating)
    assert path.read_bytes() == whole * 2
    path.write_text("{}\n")
    with pytest.raises(InputError, match=r"ann.jsonl: line 1 belongs to no task"):
        ratings.read(out, study, "ann")


def test_an_id_given_to_two_samples_is_refused(samples: list[Sample], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"hold the id {samples[0].id!r} twice"):
        make_study([*samples, samples[0]], {"m": {samples[0].id: "x"}}, tmp_path)
