"""The check: each fault is found, located and counted, whatever the number of processes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vistune.data.check.fingerprint as fingerprint_module
from vistune.data.check.finding import PROBLEMS, Finding
from vistune.data.check.fingerprint import fingerprint, near_pairs
from vistune.data.check.run import check
from vistune.data.check.sample_rules import check_sample
from vistune.data.samples import read
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (3, 24, 24, 3)).astype(np.uint8)


class Held(list[Sample]):
    """A list of samples is `Samples`."""


def big(pixels: np.ndarray) -> Image.Image:
    """Twenty-four blocks a side: coarse enough to survive compression."""
    return Image.fromarray(pixels).resize((96, 96), Image.Resampling.NEAREST)


def sample(identity: str, *media: Media, answer: str = "A", **changes: Any) -> Sample:
    user = Turn("user", (*(MediaRef(number) for number in range(len(media))), Text("Q")))
    return Sample(identity, media, changes.pop("turns", (user, Turn("assistant", (Text(answer),)))), **changes)


def file(folder: Path, name: str, image: Image.Image, **options: Any) -> Media:
    image.save(folder / name, **options)
    return Media.file("image", str(folder / name))


def run(data: list[Sample], **arguments: Any) -> tuple[list[tuple[int, str]], list[Finding]]:
    findings: list[Finding] = []
    report = check(Held(data), emit=findings.append, **arguments)
    assert sum(report.counts.values()) == len(findings)
    assert report.problems == len({finding.index for finding in findings if finding.problem})
    return sorted((finding.index, finding.reason) for finding in findings), findings


def user(*parts: Any) -> Turn:
    return Turn("user", parts or (Text("Q"),))


def assistant(*parts: Any) -> Turn:
    return Turn("assistant", parts or (Text("A"),))


IMAGE = Media("image", data=PIXELS[0])


@pytest.mark.parametrize(
    "faulty,reasons",
    [
        (sample("1"), []),
        (sample("1", turns=(Turn("system", (Text("S"),)), user(), assistant())), []),
        (Sample("1"), ["no_turns"]),
        (sample("1", turns=(assistant(), user())), ["turn_order"]),
        (sample("1", turns=(user(), user())), ["turn_order"]),
        (sample("1", turns=(user(),)), ["turn_order"]),
        (sample("1", turns=(user(), Turn("system", (Text("S"),)), assistant())), ["turn_order"]),
        (sample("1", answer=" \n"), ["empty_answer"]),
        (sample("1", turns=(user(Text("")), assistant())), ["empty_question"]),
        (Sample("1", (IMAGE,), (user(), assistant())), ["placeholders"]),
        (Sample("1", (IMAGE,), (user(MediaRef(0), MediaRef(0)), assistant())), ["placeholders"]),
        (Sample("1", (IMAGE,), (user(MediaRef(0)), assistant(Region(box=(0.5, 0.5, 0.5, 0.9))))), ["box"]),
        (sample("1", IMAGE, regions=(Region(mask=np.zeros((2, 2), bool)),)), ["box"]),
        (sample("1", IMAGE, regions=(Region(point=(0.5, 0.5)), Region(box=(0, 0, 1, 1)))), []),
    ],
)
def test_rules_for_one_sample(faulty: Sample, reasons: list[str]) -> None:
    found = list(check_sample(faulty))
    assert [reason for reason, _ in found] == reasons
    assert all(reason in PROBLEMS and "'1'" in detail for reason, detail in found)


def test_media_faults_and_notes_are_told_apart(tmp_path: Path) -> None:
    picture = big(PIXELS[0])
    exif = Image.Exif()
    exif[0x0112] = 6
    alpha = picture.convert("RGBA")
    alpha.putalpha(128)
    cut = io.BytesIO()
    picture.save(cut, "PNG")
    (tmp_path / "cut.png").write_bytes(cut.getvalue()[:-1])
    sixteen = Image.fromarray(PIXELS[1][..., 0].astype(np.uint16) * 200)
    cases: dict[str, tuple[Media, set[str]]] = {
        "missing": (Media.file("image", str(tmp_path / "gone.png")), {"missing_file"}),
        "cut": (Media.file("image", str(tmp_path / "cut.png")), {"undecodable"}),
        "flat": (file(tmp_path, "flat.png", Image.new("RGB", (9, 9), "red")), {"one_colour"}),
        "turned": (file(tmp_path, "turned.jpg", big(PIXELS[2]), exif=exif), {"exif_rotated"}),
        "gray": (file(tmp_path, "gray.png", sixteen), {"grayscale", "sixteen_bit"}),
        "alpha": (file(tmp_path, "alpha.png", alpha), {"alpha"}),
        "cmyk": (file(tmp_path, "cmyk.jpg", big(PIXELS[1][:, ::-1]).convert("CMYK")), {"cmyk"}),
        "film": (Media("video", data=b"not a film"), {"undecodable"}),
        "cloud": (Media("points", data=b"\x93NUMPY\x01\0"), {"undecodable"}),
        "sound": (Media("audio", data=b"fLaC...."), {"undecodable"}),
    }
    data = [sample(name, medium) for name, (medium, _) in cases.items()]
    _, findings = run(data)
    for index, (name, (_, reasons)) in enumerate(cases.items()):
        assert {f.reason for f in findings if f.index == index} == reasons, name


def test_an_animation_is_noted(tmp_path: Path) -> None:
    frames = [big(PIXELS[0]), big(PIXELS[1])]
    medium = file(tmp_path, "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert {(0, "animated"), (0, "palette")} >= set(run([sample("1", medium)])[0]) >= {(0, "animated")}


def test_every_sample_that_shows_a_bad_medium_is_listed(tmp_path: Path) -> None:
    gone = Media.file("image", str(tmp_path / "gone.png"))
    found, _ = run([sample("1", gone), sample("2", gone, answer="B"), sample("3")])
    assert found == [(0, "missing_file"), (1, "missing_file")]


def test_repeated_ids_and_samples(tmp_path: Path) -> None:
    found, findings = run([sample("1"), sample("1", answer="B"), sample("2"), sample("3", answer="C")])
    assert found == [(1, "duplicate_id"), (2, "duplicate")]
    assert findings[-1].detail == "sample number 2 has the same media and turns as number 0"
    report = check(Held([sample("1"), sample("2")]), allowed=frozenset(["duplicate"]))
    assert (report.problems, report.counts["duplicate"]) == (0, 1)


def test_near_duplicates_survive_compression_and_size_but_not_another_picture(tmp_path: Path) -> None:
    media = [
        file(tmp_path, "a.png", big(PIXELS[0])),
        file(tmp_path, "b.jpg", big(PIXELS[0]).resize((80, 80)), quality=60),
        file(tmp_path, "c.png", big(PIXELS[1])),
    ]
    found, findings = run([sample(str(number), medium) for number, medium in enumerate(media)])
    assert len(found) == 1 and found[0][1] == "near_duplicate"
    assert "a.png" in findings[0].detail and "b.jpg" in findings[0].detail


def test_leaks_are_found_by_pixels_and_by_looks(tmp_path: Path) -> None:
    train = [
        sample("same", file(tmp_path, "a.png", big(PIXELS[0]))),
        sample("near", file(tmp_path, "b.png", big(PIXELS[1]))),
        sample("own", file(tmp_path, "c.png", big(PIXELS[2]))),
    ]
    test = [
        sample("t1", file(tmp_path, "copy.bmp", big(PIXELS[0])), answer="B"),
        sample("t2", file(tmp_path, "t.jpg", big(PIXELS[1]), quality=70)),
    ]
    found, findings = run(train, held_out=[Held(test)])
    assert found == [(0, "leak"), (1, "near_leak")]
    assert all("held-out" in finding.detail for finding in findings)


def test_near_pairs_are_all_pairs_within_the_distance() -> None:
    rows = RNG.integers(0, 2**63, 60).astype(np.uint64)
    columns = RNG.integers(0, 2**63, 60).astype(np.uint64)
    for number in range(30):  # copies with 0 to 5 bits changed, all over the word
        flips = np.uint64(sum(1 << int(bit) for bit in RNG.choice(64, number % 6, replace=False)))
        rows[30 + number], columns[30 + number] = rows[number] ^ flips, columns[number]
    found = {second: first for first, second in near_pairs(rows, columns)}
    distance = np.bitwise_count(rows[:, None] ^ rows[None]) + 64 * (columns[:, None] != columns[None])
    expected = {
        second: int(np.flatnonzero(distance[second, :second] <= 3)[0])
        for second in range(60)
        if (distance[second, :second] <= 3).any()
    }
    assert found == expected and len(expected) == 20


def test_a_fingerprint_tells_flat_from_faint() -> None:
    assert fingerprint(Image.new("RGB", (8, 8), (1, 2, 3))).flat
    faint = Image.new("RGB", (8, 8), (1, 2, 3))
    faint.putpixel((0, 0), (1, 2, 4))
    assert not fingerprint(faint).flat


@pytest.mark.parametrize("workers", [1, 2])
def test_unreadable_records_are_counted_and_the_rest_is_checked(tmp_path: Path, workers: int) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps({"id": "{}", "conversations": [{"from": "human", "value": "{}"}, {"from": "gpt", "value": "A"}]})
    lines = [good.replace("{}", str(number)) for number in range(600)]
    lines[7], lines[599] = "broken", lines[599].replace("A", " ")
    path.write_text("\n".join(lines))
    findings: list[Finding] = []
    report = check(read(f"conversations:{path}"), workers=workers, emit=findings.append)
    told = report.to_json()
    assert {reason: detail in (one.detail for one in findings) for reason, detail in told.pop("examples").items()} == {
        "unreadable": True,
        "empty_answer": True,
    }
    assert told == {
        "samples": 600,
        "media": 0,
        "problems": 2,
        "counts": {"unreadable": 1, "empty_answer": 1},
        "unused_keys": {},
    }
    assert [finding.index for finding in findings] == [7, 599]
    assert "line 8: not JSON" in findings[0].detail


def test_a_token_budget_counts_what_the_model_will_see(tmp_path: Path) -> None:
    from vistune.errors import InputError
    from vistune.training.planning.budget import Budget

    def count(sample: Sample) -> int:
        if sample.id in ("strange", "gone"):
            raise InputError(f"{sample.where}: the model's processor refuses it")
        return len(sample.turns[0].text.split()) + 10 * len(sample.media)

    long = sample("long", IMAGE, turns=(user(MediaRef(0), Text("one two three")), assistant()))
    missing = sample("gone", Media.file("image", str(tmp_path / "gone.png")))
    data = [sample("short", IMAGE), long, sample("strange", IMAGE, answer="B"), missing]
    found, findings = run(data, budget=Budget(count, 12))
    assert [pair for pair in found if pair[1] in PROBLEMS] == [(1, "too_long"), (2, "refused"), (3, "missing_file")]
    assert "takes 13 tokens, but the budget is 12" in next(f.detail for f in findings if f.reason == "too_long")


def test_a_damaged_later_frame_does_not_end_the_check(tmp_path: Path) -> None:
    frames = [Image.fromarray(pixels) for pixels in PIXELS]
    whole = file(tmp_path, "a.tif", frames[0], save_all=True, append_images=frames[1:])
    data = bytearray(whole.read_bytes())
    directory = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[directory : directory + 2], "little")
    following = directory + 2 + 12 * entries  # where the second frame's directory lies
    data[following : following + 4] = (len(data) + 100).to_bytes(4, "little")
    (tmp_path / "b.tif").write_bytes(data)
    found, findings = run([sample("0", Media.file("image", str(tmp_path / "b.tif"))), sample("1")])
    assert found == [(0, "animated")] and "a later one is damaged" in findings[0].detail


def test_media_are_opened_in_the_order_of_the_data() -> None:
    class Noted(Held):
        def __getitem__(self, index: Any) -> Any:
            asked.append(index)
            return super().__getitem__(index)

    asked: list[int] = []
    media = [Media("image", data=np.roll(PIXELS[0], number, axis=0)) for number in range(12)]
    check(Noted(sample(str(number), medium) for number, medium in enumerate(media)))
    assert asked[:24] == [*range(12), *range(12)]


def test_a_crowd_of_like_pictures_is_compared_with_few_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counted(members: Any, *given: Any) -> None:
        nonlocal compared
        compared += len(members) ** 2
        plain(members, *given)

    plain = fingerprint_module._pair
    monkeypatch.setattr(fingerprint_module, "_pair", counted)
    places = np.arange(12_000, dtype=np.uint64)
    columns = places // np.uint64(2) * np.uint64(0x9E3779B97F4A7C15)  # two copies of each
    columns[10_001] ^= np.uint64(0b101)  # and one that is only near its first
    second_to_first = {second: first for first, second in near_pairs(np.zeros(12_000, np.uint64), columns)}
    assert second_to_first == {number: number - 1 for number in range(1, 12_000, 2)}
    assert compared < 12_000 * 100
