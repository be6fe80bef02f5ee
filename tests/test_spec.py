"""Specs: the folder is the list of kinds, the signature is the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from vistune.errors import InputError
from vistune.prompt.codec import Codec
from vistune.spec import build, describe, kinds, matches, split
from vistune.trust import trusting

FOLDER = "vistune.prompt.codecs"


class Mine:
    """A part in a user's own module."""

    def __init__(self, width: int, rates: Mapping[str, float] | None = None, mode: Literal["a", "b"] = "a") -> None:
        self.width, self.rates, self.mode = width, rates, mode


def test_kinds_are_the_files_of_the_folder() -> None:
    assert {"decimals", "integers", "location_tokens"} <= set(kinds(FOLDER)) and "base" not in kinds(FOLDER)


def test_a_part_of_ones_own_is_named_by_module_and_class() -> None:
    with trusting([__name__]):
        made = build(FOLDER, {"kind": f"{__name__}:Mine", "width": 3, "mode": "b"}, Mine)
    assert isinstance(made, Mine) and (made.width, made.mode) == (3, "b")


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("decimal", r"codecs has no kind 'decimal' \(did you mean 'decimals'\?\)"),
        ({"places": 2}, "needs the key 'kind'"),
        ({"kind": "decimals", "place": 2}, r"codecs.decimals has no key 'place' \(did you mean 'places'\?\)"),
        ({"kind": "decimals", "places": "two"}, "codecs.decimals.places is 'two', expected int"),
        ({"kind": "decimals", "places": True}, "expected int"),
        ({"kind": f"{__name__}:Mine"}, "needs the key 'width'"),
        ({"kind": f"{__name__}:Mine", "width": 1, "mode": "c"}, "expected one of 'a', 'b'"),
        ({"kind": f"{__name__}:Mine", "width": 1, "rates": {"x": "1e-3"}}, "rates is"),
        ({"kind": f"{__name__}:Yours"}, "expected package.module:Class"),
    ],
    ids=str,
)
def test_wrong_specs_are_refused_with_the_nearest_right_name(spec: Any, complaint: str) -> None:
    own = isinstance(spec, dict) and ":" in spec.get("kind", "")
    with trusting([__name__]), pytest.raises(InputError, match=complaint):
        build(FOLDER, spec, Mine if own else Codec)


@pytest.mark.parametrize(
    ("value", "hint", "fits"),
    [
        (1, float, True),
        (1.5, int, False),
        (None, int | None, True),
        ([1, 2], tuple[int, int], True),
        ([1, 2, 3], tuple[int, int], False),
        (["a"], list[str], True),
        ([1], list[str], False),
        ({"a": 1}, Mapping[str, float], True),
        ({"a": "b"}, Mapping[str, float], False),
        ("x", Any, True),
    ],
)
def test_values_from_yaml_fit_their_hints(value: Any, hint: Any, fits: bool) -> None:
    assert matches(value, hint) is fits


def test_without_a_contract_only_kinds_of_the_folder_are_built() -> None:
    assert build(FOLDER, "decimals")
    with trusting([__name__]), pytest.raises(InputError, match="codecs has no kind"):
        build(FOLDER, {"kind": f"{__name__}:Mine", "width": 3})


def test_a_bare_word_is_a_kind() -> None:
    assert split("mlp") == ("mlp", {})


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (float, "float"),
        (Literal["nf4", "fp4"] | None, "one of 'nf4', 'fp4' or nothing"),
        (Sequence[str] | Literal["attention"], "a list of str or one of 'attention'"),
        (tuple[float, ...], "a list of float"),
        (tuple[int, str], "a list of 2: int, str"),
        (Mapping[str, list[int]], "a mapping from str to a list of int"),
    ],
)
def test_what_is_expected_is_said_in_words(hint: Any, said: str) -> None:
    assert describe(hint) == said
