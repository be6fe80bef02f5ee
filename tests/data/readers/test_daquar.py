"""DAQUAR: the official files, and the published counts on the real ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vistune.data.media.image import load_image
from vistune.data.samples import read
from vistune.errors import InputError

SHARED = Path(os.environ.get("VISTUNE_SHARED", Path(__file__).parents[4] / "shared")) / "data" / "daquar"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    lines = ["what is on the table in the image3 ?", "cup, white_plate", "what colour is it in the image12 ?", "red"]
    (tmp_path / "all_qa_pairs.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "train.txt").write_text("image12\n")
    return tmp_path


def test_lines_alternate_and_the_question_names_the_image(folder: Path) -> None:
    samples = read(f"daquar:{folder}/all_qa_pairs.txt")
    assert [sample.answers for sample in samples] == [("cup", "white_plate"), ("red",)]
    assert samples[0].turns[1].text == "cup, white_plate"
    assert samples[0].media[0].path == f"{folder}/images/image3.jpg"
    (sample,) = read(f"daquar:{folder}/all_qa_pairs.txt?split={folder}/train.txt")
    assert sample.id == "image12:1"


def test_faults_are_located(folder: Path) -> None:
    (folder / "all_qa_pairs.txt").write_text("what is there ?\ncup\n")
    with pytest.raises(InputError, match="line 1: the question names no image"):
        read(f"daquar:{folder}/all_qa_pairs.txt?split={folder}/train.txt")[0]
    (folder / "all_qa_pairs.txt").write_text("a\nb\nc\n")
    with pytest.raises(InputError, match="has 3 lines: the last question has no answer"):
        read(f"daquar:{folder}/all_qa_pairs.txt")


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the DAQUAR files: set VISTUNE_SHARED")
@pytest.mark.parametrize(
    "spec,count",
    [
        (f"daquar:{SHARED}/all_qa_pairs.txt?split={SHARED}/train_images_list.txt", 6795),
        (f"daquar:{SHARED}/all_qa_pairs.txt?split={SHARED}/test_images_list.txt", 5673),
        (f"qa:{SHARED}/data_train.csv?images={SHARED}/images&image={{image_id}}.jpg", 9974),
        (f"qa:{SHARED}/data_eval.csv?images={SHARED}/images&image={{image_id}}.jpg", 2494),
    ],
)
def test_the_published_counts(spec: str, count: int) -> None:
    samples = read(spec)
    assert sum(len(sample.turns) == 2 and bool(sample.turns[1].text) for sample in samples) == len(samples) == count
    assert max(load_image(samples[-1].media[0]).size) == 320
