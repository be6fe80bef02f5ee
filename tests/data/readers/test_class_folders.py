"""Class folders asked as questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistune.data.samples import read
from vistune.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("hot_dog/b.jpg", "hot_dog/a.JPG", "cat/c.png", "cat/.hidden", "zebra/train/z.off", "zebra/test/y.off"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_each_file_is_a_question_answered_by_its_class(folder: Path) -> None:
    samples = read({"kind": "class_folders", "path": str(folder), "question": "Which?", "choices": True})
    assert [sample.id for sample in samples] == ["cat/c.png", "hot_dog/a.JPG", "hot_dog/b.jpg"]
    assert [sample.turns[1].text for sample in samples] == ["cat", "hot dog", "hot dog"]
    assert samples[1].choices == ("cat", "hot dog", "zebra")
    assert samples[1].meta == {"class": "hot_dog", "label": 1}
    assert samples[1].turns[0].text == "Which?"
    assert samples[-1].media[0].path == f"{folder}/hot_dog/b.jpg"


def test_a_pattern_may_choose_an_inner_folder(folder: Path) -> None:
    (folder / "hot_dog" / "train").mkdir()
    (folder / "cat" / "train").mkdir()
    (sample,) = read({"kind": "class_folders", "path": str(folder), "pattern": "train/*.off"})
    assert (sample.id, sample.media[0].kind) == ("zebra/train/z.off", "points")


def test_names_replace_folder_names_and_unknown_ones_are_refused(folder: Path) -> None:
    samples = read({"kind": "class_folders", "path": str(folder), "names": {"cat": "tabby"}})
    assert samples[0].answers == ("tabby",)
    with pytest.raises(InputError, match=r"no class folder 'cats' \(did you mean 'cat'"):
        read({"kind": "class_folders", "path": str(folder), "names": {"cats": "tabby"}})


def test_several_questions_are_spread_by_file_name_and_stay_when_files_are_added(folder: Path) -> None:
    for number in range(40):
        (folder / "cat" / f"{number}.jpg").touch()
    spec = {"kind": "class_folders", "path": str(folder), "question": ["A?", "B?"]}
    before = {sample.id: sample.turns[0].text for sample in read(spec)}
    (folder / "cat" / "00.jpg").touch()
    after = {sample.id: sample.turns[0].text for sample in read(spec)}
    assert set(before.values()) == {"A?", "B?"}
    assert before.items() <= after.items()


def test_faults_are_named(folder: Path) -> None:
    (folder / "cat" / "notes.md").touch()
    with pytest.raises(InputError, match=r"notes.md is no known kind of medium"):
        list(read(f"class_folders:{folder}"))
    with pytest.raises(InputError, match="holds no class folders"):
        read(f"class_folders:{folder}/hot_dog")
    with pytest.raises(InputError, match="cannot read the folder"):
        read("class_folders:nowhere/at/all")
