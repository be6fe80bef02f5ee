"""What users are told must reach them, also from another process."""

from __future__ import annotations

import pickle

import pytest

from vistune.data.order.parallel import over_ranges
from vistune.errors import MissingExtraError


def lacking(begin: int, end: int) -> int:
    raise MissingExtraError("pycocotools", "coco", "reading COCO masks")


def test_a_missing_library_is_named_by_the_process_that_misses_it() -> None:
    error = MissingExtraError("pycocotools", "coco", "reading COCO masks")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - ours; if it raised, the pool below would wait for ever
    assert str(again) == str(error)
    with pytest.raises(MissingExtraError, match=r"^reading COCO masks needs the library 'pycocotools': install it with"):
        list(over_ranges(lacking, 4, 1, 2, "records"))
