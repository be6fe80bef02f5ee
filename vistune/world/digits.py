"""Real handwriting: the 1,797 scans of digits that scikit-learn carries, divided by who wrote them.

The scans are the *test part* of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998), whose
digits were written by 13 people. They stand in the order in which forms were scanned: the labels repeat one fixed form of
about 130 digits (three times 0-9, then a hundred in a fixed shuffle) 14 times, so a form is one person's hand and the
form's boundaries (`FORM_STARTS`) are read off the labels. A split by shuffled index would put every test writer into
training; ours takes whole forms.

14 forms and 13 people mean that somebody may have filled two. Which, the data set does not say, so the forms were compared:
for each scan, the form of its nearest neighbour of the same digit. 39-66 % of the neighbours lie in the scan's own form;
the closest two different forms (0 and 1) share 13 %, forms 9 and 10 share 11 %, 7 and 11 10 %, 6 and 9 9 %, 10 and 12 8 %.
Test forms are 9, 10 and 12, which are each other's close relatives, and none of the others pairs with them more than 6 and
9 do; validation is form 4, the one whose hand is least like anyone's. All ten digits are balanced in each part (12-14 a form).
"""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vistune.errors import InputError, nearest
from vistune.world.ink import Glyph

Split: TypeAlias = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

FORM_STARTS = (0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667)
FORMS: dict[Split, tuple[int, ...]] = {"train": (0, 1, 2, 3, 5, 6, 7, 8, 11, 13), "validation": (4,), "test": (9, 10, 12)}

_PIXELS_PER_CELL = 4  # a scan's cell becomes 4 x 4 pixels of the smooth glyph


def check_split(split: str) -> Split:
    """`split` itself; `InputError` names the known ones when it is none of them."""
    for known in SPLITS:
        if split == known:
            return known
    raise InputError(f"the world has no split {split!r}{nearest(split, list(SPLITS))}")


@cache
def _load() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from sklearn.datasets import load_digits  # a second's import, wanted only when a scene is drawn

    data = load_digits()
    return (data.images * (255 / 16)).astype(np.uint8), data.target.astype(np.int64)


def labels() -> NDArray[np.int64]:
    """The digit of every scan, `[1797]`."""
    return _load()[1]


@cache
def form_of_scan() -> NDArray[np.int64]:
    """The form (0-13) of every scan, `[1797]`."""
    return np.searchsorted(np.array(FORM_STARTS), np.arange(len(labels())), side="right") - 1


@cache
def scans(split: Split, digit: int) -> tuple[int, ...]:
    """The indices of a split's scans of one digit."""
    chosen = np.isin(form_of_scan(), FORMS[split]) & (labels() == digit)
    return tuple(int(index) for index in np.flatnonzero(chosen))


@cache
def glyph(scan: int) -> Glyph:
    """A scan as a smooth grey glyph (bicubic, 4x, a cell of margin on every side): 255 where there is ink."""
    cells = np.pad(_load()[0][scan], 1)
    side = len(cells) * _PIXELS_PER_CELL
    return Glyph.of(Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC))
