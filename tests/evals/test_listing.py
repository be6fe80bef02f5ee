from __future__ import annotations

from pathlib import Path

import pytest

from vistune.evals.listing import Listed, listing, table

DOCS = Path(__file__).parents[2] / "docs/benchmarks.md"


def test_the_page_holds_the_table_of_all_benchmarks() -> None:
    assert table() in DOCS.read_text(), "write the output of vistune.evals.listing.table into docs/benchmarks.md"


@pytest.mark.parametrize("item", listing(), ids=lambda item: item.name)
def test_every_benchmark_says_what_it_is_in_a_sentence(item: Listed) -> None:
    assert item.about.endswith((".", ")", "?")) and "  " not in item.about
    assert "annotations" in item.files
