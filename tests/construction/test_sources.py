"""Facts from samples, and data sets about the same media joined."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.construction.pipelines import inputs
from vistune.construction.facts import Facts, facts_of
from vistune.construction.sources import Sources
from vistune.errors import InputError
from vistune.sample import Media, Region, Sample, Text, Turn


def test_captions_and_boxes_of_two_files_meet(tmp_path: Path):
    first, second = Sources(inputs.coco(tmp_path), "captions")
    assert len(first.facts.captions) == 5 and first.facts.captions[0] == "A dog runs after a ball, take 1."
    assert [region.label for region in second.facts.objects] == ["dog", "ball"]
    assert first.facts.objects[0].box == pytest.approx((0.1, 0.1, 0.4, 0.9))


def test_boxes_may_be_regions(tmp_path: Path):
    first, second = Sources(inputs.visual_genome(tmp_path), "captions")
    assert [region.label for region in first.facts.objects] == ["dog", "ball"]
    assert [region.label for region in second.facts.regions] == ["a worn leather ball"]


def test_samples_without_media_are_records_of_their_own(tmp_path: Path):
    sources = Sources([*inputs.coco(tmp_path), inputs.alpaca(tmp_path)], "captions")
    *_, last = sources
    assert len(sources) == 3 and last == sources[2]
    assert last.facts.qa == (("Name a prime number.", "Seven is a prime number."),) and not last.facts.captions


def test_the_world_stands_for_its_captions():
    (record,) = Sources(["world:?size=1"], "captions")
    assert len(record.facts.captions) == 5 and record.facts.objects


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("boxes=world", "'boxes' is no kind of fact"),
        ("photos", "has no kind 'photos'"),
        ("regionz=coco:x.json", "did you mean 'regions'"),
    ],
)
def test_specs_that_name_nothing_are_refused(spec: str, said: str):
    with pytest.raises(InputError, match=said):
        Sources([spec], "captions")


def test_what_a_conversation_is_taken_for():
    turns = (Turn("user", (Text("What is it?"),)), Turn("assistant", (Text("A dog."),)))
    pictured = Sample("1", (Media.file("image", "a.png"),), turns)
    assert facts_of(pictured, "captions").captions == ("A dog.",)
    assert facts_of(pictured, "qa").qa == (("What is it?", "A dog."),)
    assert facts_of(Sample("2", (), turns), "captions") == Facts(qa=(("What is it?", "A dog."),))


def test_a_list_of_boxes_is_no_caption():
    told = Turn("assistant", (Text("dog "), Region(box=(0, 0, 1, 1))))
    assert facts_of(Sample("1", (Media.file("image", "a.png"),), (told,)), "captions") == Facts()


@pytest.mark.parametrize(
    "meta",
    [
        {"captions": [3]},
        {"ocr": [{"text": "x"}]},
        {"speech": [{"start": 3, "end": 1, "text": "x"}]},
        {"relations": [["a", "b"]]},
        {"objects": [{"text": "x", "box": [0.5, 0, 0.1, 1]}]},
    ],
)
def test_ill_formed_facts_are_refused_by_the_samples_name(meta: dict[str, object]):
    with pytest.raises(InputError, match="sample '1'"):
        facts_of(Sample("1", meta=meta))


def test_joining_keeps_order_and_no_repeats():
    both = Facts(captions=("a", "b")).joined(Facts(captions=("b", "c"), tags=("t",)))
    assert both == Facts(captions=("a", "b", "c"), tags=("t",))


def test_pictures_in_memory_meet_by_what_they_hold():
    sources = Sources(["world:?size=4", "qa=world:?size=4&task=count"], "captions")
    asked = [record.facts.qa for record in sources]
    assert len(set(asked)) > 1 and all(len(pairs) == 1 for pairs in asked), "each its own answer, not everyone's"
    assert [record.facts.qa for record in (sources[0], sources[3])] == [asked[0], asked[3]]


def test_bytes_in_memory_meet_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def samples(name: str, said: str) -> list[Sample]:
        turns = (Turn("user", (Text("What is it?"),)), Turn("assistant", (Text(said),)))
        return [Sample(f"{name}{number}", (Media("image", data=bytes([number])),), turns) for number in (1, 2)]

    sets = {"first": samples("a", "A dog."), "second": samples("b", "Brown.")[:1]}
    monkeypatch.setattr("vistune.construction.sources.read", lambda spec: sets[spec["kind"]])
    one, two = Sources(["first", "qa=second"], "captions")
    assert one.facts == Facts(captions=("A dog.",), qa=(("What is it?", "Brown."),)) and not two.facts.qa


def test_data_about_other_media_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"--data qa=world:\?size=40 is about none of the media of coco:.*captions\.json"):
        Sources([inputs.coco(tmp_path)[0], inputs.alpaca(tmp_path), "qa=world:?size=40"], "captions")


def test_only_as_much_of_the_first_data_is_read_as_it_takes_to_meet(monkeypatch: pytest.MonkeyPatch):
    read = []

    def photographs(spec: dict[str, str]) -> list[Sample]:
        class Counted(list[Sample]):
            def __iter__(self):  # type: ignore[no-untyped-def]
                for sample in super().__iter__():
                    read.append((spec["kind"], sample.id))
                    yield sample

        return Counted(Sample(str(number), (Media.file("image", f"{number}.png"),)) for number in range(100))

    monkeypatch.setattr("vistune.construction.sources.read", photographs)
    Sources(["first", "second"], "captions")
    assert read.count(("first", "0")) == 1 and ("first", "1") not in read
