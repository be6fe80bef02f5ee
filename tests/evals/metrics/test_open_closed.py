from __future__ import annotations

from vistune.evals.metrics.open_closed import open_closed


def test_closed_and_open_questions() -> None:
    replies = ["Yes.", "No, it is not", "Yes and no", "an axial CT", "the left upper lobe", "", None]
    truths = ["yes", "yes", "no", "axial", "left lobe of lung", "no", "yes"]
    closed = [True, True, True, True, False, True, True]
    result = open_closed(replies, truths, closed)
    assert result.items.tolist() == [100, 0, 0, 100, 50, 0, 0]
    assert result.values["closed"] == 200 / 6 and result.values["open"] == 50.0
    assert (result.unparsed, result.missing) == (2, 1)  # "Yes and no" and the empty reply name no side
