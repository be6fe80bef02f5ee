"""Pickles of plain data: read, and refused when they ask for more."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from vistune.data.records.safe_pickle import load_plain_pickle
from vistune.errors import InputError


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_every_protocol(tmp_path: Path, protocol: int) -> None:
    data = [{"a": [1, 2.5, None, True], "b": ("x", "x", "ü"), 3: {"deep": [[]]}}] * 300
    (tmp_path / "a.p").write_bytes(pickle.dumps(data, protocol))
    assert load_plain_pickle(tmp_path / "a.p") == data


def test_class_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.p").write_bytes(pickle.dumps(Path("x")))
    with pytest.raises(InputError, match=r"a\.p is no pickle of plain data: it asks for pathlib"):
        load_plain_pickle(tmp_path / "a.p")


def test_huge_memo_is_refused_before_it_is_made(tmp_path: Path) -> None:
    (tmp_path / "a.p").write_bytes(b"\x80\x02]r\xff\xff\xff\xff.")
    with pytest.raises(InputError, match="numbers its objects up to 4294967295"):
        load_plain_pickle(tmp_path / "a.p")
