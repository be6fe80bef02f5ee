"""What a sense exports reads back, through readers and benchmarks, to the world's own samples."""

import numpy as np
import pytest
from typer.testing import CliRunner

from vistune.commands.world import app
from vistune.data.catalogue import find
from vistune.data.media.audio import load_audio
from vistune.data.media.image import load_image
from vistune.data.media.points import load_points
from vistune.data.media.video import load_video
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.evals.benchmarks.chart_qa import ChartQa
from vistune.evals.benchmarks.doc_vqa import DocVqa
from vistune.evals.benchmarks.gpt4tools import Gpt4tools
from vistune.evals.benchmarks.msvd_qa import MsvdQa
from vistune.evals.benchmarks.scan_qa import ScanQa
from vistune.sample import Produce
from vistune.world.export import FORMATS, export_sense

SIZE, SEED = 7, 3


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    root = tmp_path_factory.mktemp("senses")
    for sense in FORMATS:
        export_sense(root / sense, sense, "test", SIZE, SEED)
    return root


def world(sense):
    return list(read(f"world:?task={sense}&split=test&size={SIZE}&seed={SEED}"))


def said(sample):
    return sample.turns[0].text.strip(), sample.answers[:1]


def pixels(medium):
    return np.asarray(load_image(medium))


def test_films(exported):
    back = list(
        read(
            {
                "kind": "qa",
                "path": f"{exported}/films/test_qa.json",
                "images": f"{exported}/films/video",
                "image": None,
                "video": "vid{video_id}.mp4",
                "id": "id",
            }
        )
    )
    films = world("films")
    assert [said(sample) for sample in back] == [said(sample) for sample in films]
    for one, other in zip(back, films, strict=True):
        assert np.array_equal(load_video(one.media[0], 16).frames, other.media[0].data)
    table = f"{exported}/films/dataset/Test_frameqa_question.csv"
    gifs = list(read({**find("tgif_qa").reader, "path": table, "images": f"{exported}/films/gifs"}))
    assert [said(sample) for sample in gifs] == [said(sample) for sample in films]
    for one, other in zip(gifs, films, strict=True):
        frames = load_video(one.media[0], 16).frames
        assert frames.shape == other.media[0].data.shape  # 256 colours a frame: a little off, everywhere
        assert np.abs(frames.astype(int) - other.media[0].data).mean() < 3
    asked = MsvdQa(video="vid{video_id}.mp4").read(str(exported / "films"))
    assert [sample.meta["question"] for sample in asked] == [said(sample)[0] for sample in films]


def test_sounds(exported):
    back = list(
        read(
            {
                "kind": "qa",
                "path": f"{exported}/sounds/clotho_aqa_test.csv",
                "images": f"{exported}/sounds/audio",
                "image": None,
                "audio": "file_name",
                "question": "QuestionText",
            }
        )
    )
    sounds = world("sounds")
    assert [said(sample) for sample in back] == [said(sample) for sample in sounds]
    for one, other in zip(back, sounds, strict=True):
        assert np.array_equal(load_audio(one.media[0]).samples, load_audio(other.media[0]).samples)
    captions = list(
        read(
            {
                "kind": "captions",
                "path": f"{exported}/sounds/dataset/test.csv",
                "images": f"{exported}/sounds/audio",
                "medium": "{youtube_id}.wav",
                "kind_of_media": "audio",
                "id": "audiocap_id",
            }
        )
    )
    for one, other in zip(captions, sounds, strict=True):
        assert all(event["name"] in one.answers[0] for event in other.meta["truth"])


def test_solids(exported):
    clouds = world("solids")
    scenes = list(
        read(
            {
                "kind": "qa",
                "path": f"{exported}/solids/ScanQA_v1.0_test.json",
                "images": f"{exported}/solids/scans",
                "image": None,
                "points": "{scene_id}/{scene_id}_vh_clean_2.ply",
                "answer": None,
                "answers": "answers",
            }
        )
    )
    asked = ScanQa().read(str(exported / "solids" / "ScanQA_v1.0_test.json"))
    assert [(sample.answers, sample.media) for sample in asked] == [(sample.answers, sample.media) for sample in scenes]
    talks, packed = (
        list(
            read(
                {
                    "kind": "conversations",
                    "path": f"{exported}/solids/anno_data/PointLLM_brief_description.json",
                    "images": f"{exported}/solids/objaverse_data",
                    "files": {"points": "{object_id}_1024." + suffix},
                }
            )
        )
        for suffix in ("npy", "npz")
    )
    for scene, talk, npz, cloud in zip(scenes, talks, packed, clouds, strict=True):
        assert said(scene) == said(cloud) and scene.answers == cloud.answers
        assert (talk.turns[0].text.strip(), talk.turns[1].text) == (said(cloud)[0], cloud.answers[0])
        for one in (scene, talk, npz):
            assert np.array_equal(load_points(one.media[0]), cloud.media[0].data)


def test_pages(exported):
    pages = [sample for sample in world("pages") if sample.answers]
    back = list(
        read(
            {
                "kind": "qa",
                "path": f"{exported}/pages/test_v1.0_withQT.json",
                "at": "data",
                "images": f"{exported}/pages",
                "answer": None,
                "answers": "answers",
                "id": "questionId",
            }
        )
    )
    assert [said(sample) for sample in back] == [said(sample) for sample in pages]
    assert all(np.array_equal(pixels(one.media[0]), other.media[0].data) for one, other in zip(back, pages, strict=True))
    asked = DocVqa().read(str(exported / "pages" / "test_v1.0_withQT.json"))
    assert [sample.answers for sample in asked] == [sample.answers for sample in pages]
    charts = ChartQa().read(str(exported / "pages" / "ChartQA Dataset" / "test" / "test_augmented.json"))
    assert [sample.answers for sample in charts] == [s.answers for s in pages if s.meta["task"] == "page_chart"]


def test_edits(exported):
    back, edits = list(read(f"edits:{exported}/edits/edits_test.jsonl")), world("edits")
    for one, other in zip(back, edits, strict=True):
        assert one.turns[0].text == said(other)[0] and one.turns[1].parts == other.turns[1].parts == (Produce(1),)
        assert all(np.array_equal(pixels(a), b.data) for a, b in zip(one.media, other.media, strict=True))
        assert all(thing["name"] in one.meta["after"] for thing in other.meta["truth"][2]["after"])


def test_errands(tmp_path):
    export_sense(tmp_path / "errands", "errands", "test", 9)
    asked = Gpt4tools().read(str(tmp_path / "errands" / "gpt4tools_val_seen.json"))
    errands = list(read("world:?task=errands&split=test&size=9"))
    assert [sample.answers for sample in asked] == [(sample.turns[-1].text,) for sample in errands]
    assert [sample.turns[0].text for sample in asked] == ["\n".join(t.text for t in s.turns[:-1]) for s in errands]


def test_the_command_exports_and_bad_names_are_refused(tmp_path):
    result = CliRunner().invoke(app, ["export", str(tmp_path / "s"), "--sense", "sounds", "--size", "2"])
    assert result.exit_code == 0 and "clotho_aqa_train.csv" in result.output
    for sense, message in (("sonuds", "did you mean 'sounds'"), ("paint", "has no export")):
        with pytest.raises(InputError, match=message):
            export_sense(tmp_path / "x", sense)
    with pytest.raises(InputError, match="already there"):
        export_sense(tmp_path / "s", "sounds")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s"]
