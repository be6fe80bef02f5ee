"""Mixtures: proportions are exact, nothing repeats before everything was seen, and only the seed decides the order."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vistune.data.manifest import manifest
from vistune.data.order.mixture import Plan, Share, apportion, epoch_counts
from vistune.data.order.permutation import permuted
from vistune.data.samples import parse, read
from vistune.errors import InputError
from vistune.sample import MediaRef, Text


@given(size=st.integers(1, 400), key=st.lists(st.integers(-5, 5), max_size=3))
def test_every_index_goes_to_its_own_place(size: int, key: list[int]) -> None:
    assert sorted(permuted(index, size, *key) for index in range(size)) == list(range(size))


def test_permutations_of_other_keys_differ_and_places_are_evenly_used() -> None:
    assert [permuted(i, 50, 0) for i in range(50)] != [permuted(i, 50, 1) for i in range(50)]
    for size in (3, 10):
        landed = Counter(permuted(0, size, seed) for seed in range(3000))
        assert all(0.75 * 3000 / size < landed[place] < 1.25 * 3000 / size for place in range(size))


def test_a_permutation_of_a_billion_needs_no_memory() -> None:
    assert len({permuted(index, 10**9, 7) for index in range(100)}) == 100


def test_epoch_counts_of_each_sampling() -> None:
    shares = [Share(100), Share(400, cap=225), Share(25)]
    assert epoch_counts(shares, "all") == [100, 225, 25]
    assert epoch_counts([Share(100, repeat=2), Share(10, repeat=0.5)], "all") == [200, 5]
    assert epoch_counts(shares, "sqrt", size=300) == [100, 150, 50]
    assert epoch_counts([Share(16), Share(81)], "temperature", size=50, temperature=4) == [20, 30]
    assert epoch_counts([Share(9, weight=1), Share(9, weight=3)], "weights") == [5, 13]
    assert epoch_counts([Share(9, weight=0), Share(9)], "weights", size=4) == [0, 4]


@given(total=st.integers(0, 1000), parts=st.lists(st.floats(0.01, 100), min_size=1, max_size=6))
def test_apportioned_numbers_sum_up_and_are_off_by_less_than_one(total: int, parts: list[float]) -> None:
    counts = apportion(total, parts)
    assert sum(counts) == total
    assert all(abs(count - total * part / sum(parts)) < 1 for count, part in zip(counts, parts, strict=True))


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4), epochs=st.integers(1, 4), seed=st.integers(0, 9), data=st.data()
)
def test_each_source_is_seen_evenly_whatever_its_share(sizes: list[int], epochs: int, seed: int, data: st.DataObject) -> None:
    counts = [data.draw(st.integers(0, 50)) for _ in sizes]
    counts[0] = max(1, counts[0])
    plan = Plan([Share(size) for size in sizes], counts, epochs, seed)
    seen = [plan.at(place) for place in range(len(plan))]
    for epoch in range(epochs):
        inside = Counter(source for source, _ in seen[epoch * plan.epoch_size : (epoch + 1) * plan.epoch_size])
        assert [inside[source] for source in range(len(sizes))] == counts
    for source, size in enumerate(sizes):
        times = Counter(index for where, index in seen if where == source)
        shown = counts[source] * epochs
        assert all(shown // size <= times[index] <= -(-shown // size) for index in range(size))


def make(folder: Path, name: str, count: int) -> str:
    turns = [{"from": "human", "value": "Q <image> R"}, {"from": "gpt", "value": "A"}]
    records = [{"id": f"{name}{number}", "image": "x.png", "conversations": turns} for number in range(count)]
    (folder / f"{name}.json").write_text(json.dumps(records))
    return f"conversations:{folder}/{name}.json"


def test_the_reader_mixes_wraps_and_names_its_sources(tmp_path: Path) -> None:
    spec: dict[str, Any] = {
        "kind": "mixture",
        "sources": [
            make(tmp_path, "a", 4),
            {"data": make(tmp_path, "b", 2), "repeat": 2, "prompt": "[{text}]", "system": "Be brief."},
        ],
        "epochs": 2,
        "seed": 3,
    }
    samples = read(spec)
    assert len(samples) == 16
    assert Counter(sample.id for sample in samples) == {f"0/a{n}": 2 for n in range(4)} | {f"1/b{n}": 4 for n in range(2)}
    assert [sample.id for sample in read(spec)] == [sample.id for sample in samples]
    assert [sample.id for sample in read({**spec, "seed": 4})] != [sample.id for sample in samples]
    wrapped = next(sample for sample in samples if sample.id == "1/b0")
    assert wrapped.turns[0].text == "Be brief."
    assert wrapped.turns[1].parts == (Text("[Q "), MediaRef(0), Text(" R]"))
    assert wrapped.meta == {"source": 1}


def test_a_mixture_file_says_the_same(tmp_path: Path) -> None:
    sources = [{"data": make(tmp_path, "a", 3), "weight": 2}, {"data": make(tmp_path, "b", 3)}]
    (tmp_path / "mix.yaml").write_text(yaml.safe_dump({"sources": sources, "sampling": "weights", "size": 6}))
    ids = [sample.id for sample in read(f"mixture:{tmp_path}/mix.yaml")]
    assert ids == [sample.id for sample in read({"kind": "mixture", "sources": sources, "sampling": "weights", "size": 6})]
    assert Counter(identity[0] for identity in ids) == {"0": 4, "1": 2}


def test_a_mixture_file_knows_exponents_and_names_the_place_of_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "mix.yaml"
    file.write_text(f"sources: [{{data: '{make(tmp_path, 'a', 3)}', weight: 1e-3}}]\nsampling: weights\nsize: 3\n")
    assert len(read(f"mixture:{file}")) == 3
    file.write_text("sources: [\n  - }")
    for opened in (read, manifest):
        with pytest.raises(InputError, match=r"mix.yaml is not YAML: .*line 2, column 3"):
            opened(f"mixture:{file}")
    with pytest.raises(InputError, match=r"cannot read .*gone\.yaml: No such file"):
        read(f"mixture:{tmp_path}/gone.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("2", 2),
        ("true", True),
        ("[a, b]", ["a", "b"]),
        ("{a}.jpg", "{a}.jpg"),
        ("{a: 1}", {"a": 1}),
        ("{a}", "{a}"),
        ("!!x", "!!x"),
    ],
)
def test_values_of_a_spec_are_scalars_lists_or_text(text: str, value: Any) -> None:
    assert parse(f"conversations:a.json?{urlencode({'images': text})}")["images"] == value


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"sources": []}, "there are no sources"),
        ({"sources": [{"weight": 1}]}, "source 0 needs the key 'data'"),
        ({"sources": [{"data": "x", "wieght": 1}]}, r"source 0 has no key 'wieght' \(did you mean 'weight'"),
        ({"sources": [{"data": "x", "cap": 0.5}]}, "cap is 0.5, expected a whole number"),
        ({"sources": [{"data": "x", "prompt": "no place"}]}, r"prompt must hold \{text\} once"),
        ({"size": 5}, "has its own size"),
        ({"epochs": 0}, "holds no samples"),
        ({"sampling": "temperature", "temperature": 0}, "greater than 0"),
        ({"path": "mix.yaml"}, "give either path"),
    ],
)
def test_faults_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read({"kind": "mixture", "sources": [make(tmp_path, "a", 3)], **changes})


def test_a_manifest_changes_with_the_content_of_every_source(tmp_path: Path) -> None:
    first, second = make(tmp_path, "a", 3), make(tmp_path, "b", 2)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "x.png").write_bytes(b"1")
    (tmp_path / "mix.yaml").write_text(yaml.safe_dump({"sources": [first, {"data": f"{second}?images={tmp_path}/photos"}]}))
    before = manifest(f"mixture:{tmp_path}/mix.yaml")
    assert before["samples"] == 5
    assert sorted(Path(path).name for path in before["files"]) == ["a.json", "b.json", "mix.yaml", "photos"]
    assert manifest(f"mixture:{tmp_path}/mix.yaml") == before
    make(tmp_path, "a", 4)
    (tmp_path / "photos" / "x.png").write_bytes(b"12")
    after = manifest(f"mixture:{tmp_path}/mix.yaml")
    assert {Path(path).name for path in after["files"] if after["files"][path] != before["files"][path]} == {"a.json", "photos"}


@pytest.mark.parametrize(
    "setting,message",
    [
        ("sampling: sqr", "sampling is 'sqr', expected one of 'all', 'weights', 'sqrt', 'temperature'"),
        ("size: '10'", "size is '10', expected int"),
        ("epochs: 1.5", "epochs is 1.5, expected int"),
        ("seed: 1", "seed is given in the file and beside it"),
    ],
)
def test_a_mixture_file_is_held_to_the_readers_own_types(tmp_path: Path, setting: str, message: str) -> None:
    (tmp_path / "m.yaml").write_text(f"sources: ['world:?size=4']\n{setting}\n")
    with pytest.raises(InputError, match=f"m.yaml: {message}"):
        read(f"mixture:{tmp_path}/m.yaml?seed=5")


def test_a_weight_is_a_finite_number() -> None:
    with pytest.raises(InputError, match="source 0: weight is nan, expected a finite number"):
        read({"kind": "mixture", "sources": [{"data": "world:?size=4", "weight": float("nan")}], "sampling": "weights"})


def test_a_spec_may_be_longer_than_a_file_name() -> None:
    assert parse(f"qa:train.json?question={'x' * 300}") == {"kind": "qa", "path": "train.json", "question": "x" * 300}
