"""Field expressions: where a value comes from in a record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vistune.data.fields.fieldmap import label_of, media_of, value_of
from vistune.errors import InputError

RECORD: dict[str, Any] = {
    "id": 7,
    "name": "a b",
    "image": None,
    "answers": [{"text": "x"}, {"text": "y"}],
    "entities": {"1": {"word": "lung"}, "2": {"word": "clear"}},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("name", "a b"),
        ("answers.1.text", "y"),
        ("answers.*.text", ["x", "y"]),
        ("entities.*.word", ["lung", "clear"]),
        ("image?", None),
        ("gone?", None),
        ("=What is this?", "What is this?"),
        ("={id} stays as it is", "{id} stays as it is"),
        ("{id:05d}.jpg", "00007.jpg"),
        ("{name:.1}/{name}", "a/a b"),
        ("{id}/{image?}", None),
        ("{answers.*.text}.jpg", ["x.jpg", "y.jpg"]),
        ("{gone?.*.text}.jpg", None),
        ("Is {name} so?", "Is a b so?"),
    ],
)
def test_expressions(expression: str, value: Any) -> None:
    assert value_of(RECORD, expression, "file: record 1") == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("nam", "did you mean 'name'"),
        ("{nam}", "did you mean 'name'"),
        ("{name:05d}", "does not fit the template"),
        ("{answers}", "'answers' is a list"),
        ("name.*", "expected a list"),
        ("answers.5.text", "no element 5 in a list of 2"),
    ],
)
def test_faults_name_the_record(expression: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"^file: record 1.*{message}"):
        value_of(RECORD, expression, "file: record 1")


@pytest.mark.parametrize(("template", "message"), [("{id!r}", "keys and format specs only"), ("{id", "'{id' is broken")])
def test_broken_templates_are_refused(template: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        value_of(RECORD, template, "file: record 1")


def test_an_optional_text_without_value_is_empty() -> None:
    assert label_of(RECORD, "gone?", "here") == ""


def test_media_names_stay_in_their_folder(tmp_path: Path) -> None:
    assert [medium.path for medium in media_of(RECORD, "{answers.*.text}.jpg", "here", "image", tmp_path)] == [
        f"{tmp_path}/x.jpg",
        f"{tmp_path}/y.jpg",
    ]
    with pytest.raises(InputError, match="lies outside the folder"):
        media_of({"name": "../x"}, "{name}.jpg", "here", "image", tmp_path)
