"""Captions that branch off a sample: TextBind's rows to the number, and the states of a sample read apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from mechanisms import Golden, close

from vistune.model.language.branches import positions, visible
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs

# Tokens of the recorded conversations without their captions, and the captions' starts and lengths.
ROWS = {1: (17, [(9, 5)]), 2: (37, [(13, 4), (18, 7), (32, 4)])}


@pytest.mark.parametrize("row", ROWS)
def test_positions_and_sight_are_textbinds(row: int) -> None:
    golden, (length, branches) = Golden("textbind_branch_mask"), ROWS[row]
    whole = int(golden["out/batch.lengths"][row])
    assert golden["out/batch.position_ids"][row, :whole].tolist() == positions(length, branches)
    recorded = golden["out/batch.visible"][row, :whole, :whole].bool()
    assert torch.equal(visible(length, branches, earlier=True), recorded)
    alone = visible(length, branches)
    assert torch.equal(alone, recorded) is (len(branches) == 1)
    assert not alone[41:, 37:41].any() if row == 2 else True  # later captions do not see the first one


def test_a_branch_is_read_as_if_it_stood_in_a_sample_of_its_own(tiny_language: str) -> None:
    torch.manual_seed(0)
    model = LanguageModel(tiny_language).eval()
    ids = torch.randint(5, 50, (20,))
    branches = ((4, 3), (7, 2))
    row = Inputs(model.embed(ids), torch.tensor([*positions(15, branches)]), (20,), branches=(branches,))

    def alone(places: list[int]) -> torch.Tensor:
        return model(Inputs(model.embed(ids[places]), torch.arange(len(places)), (len(places),)))

    with torch.no_grad():
        got = model(row)
        close(got[:15], alone([*range(15)]))
        close(got[15:18], alone([*range(4), 15, 16, 17])[4:])
        close(got[18:], alone([*range(7), 18, 19])[7:])
        two = Inputs(torch.cat([row.embeds, row.embeds[:6]]), torch.cat([row.positions, torch.arange(6)]), (20, 6))
        packed = model(replace(two, branches=(branches, ())))
    close(packed[:20], got)
    close(packed[20:], got[:6])
