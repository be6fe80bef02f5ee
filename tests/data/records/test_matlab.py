"""MATLAB files as tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from vistune.data.records.tables import open_table
from vistune.errors import InputError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    table = np.zeros((1, 2), [("fname", object), ("class", object)])
    table[0, 0], table[0, 1] = ("a.jpg", np.uint8(3)), ("b.jpg", np.uint8(1))
    names = np.array([["cat", "dog"]], object)
    savemat(tmp_path / "a.mat", {"labels": np.array([[7, 9]], np.uint8), "annotations": table, "names": names, "one": 5})
    return tmp_path / "a.mat"


def test_a_vector_and_a_struct_array(file: Path) -> None:
    labels, table, names = (open_table(file, at=name) for name in ("labels", "annotations", "names"))
    assert [labels[index] for index in range(len(labels))] == [{"@number": 1, "labels": 7}, {"@number": 2, "labels": 9}]
    assert table[1] == {"@number": 2, "fname": "b.jpg", "class": 1}
    assert names[0] == {"@number": 1, "names": "cat"}
    assert open_table(file, at="one")[0] == {"@number": 1, "one": 5}
    assert table.where(1) == f"{file}: annotations 2"


def test_the_variable_must_be_one_of_the_file(file: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'labels'"):
        open_table(file, at="label")
    with pytest.raises(InputError, match="name one of its variables"):
        open_table(file)


@pytest.mark.parametrize("length", [0, 1, 100, 128, 140, -1])
def test_a_cut_file_is_refused(file: Path, length: int) -> None:
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(InputError, match=r"a\.mat"):
        open_table(file, at="labels")[0]
