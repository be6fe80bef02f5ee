from __future__ import annotations

from vistune.evals.metrics.classification import classification

CLASSES = ("tiger", "tiger lily", "sea_horse", "Boeing 747")


def test_rules() -> None:
    replies = ["A tiger lily.", "This is a sea horse!", "boeing-747", "a tiger or a sea horse", "cat", "tigers", "", None]
    truths = ["tiger lily", "sea_horse", "Boeing 747", "tiger", "tiger", "tiger", "tiger", "tiger"]
    contains = classification(replies, truths, CLASSES)
    assert contains.items.tolist() == [100, 100, 100, 0, 0, 0, 0, 0]
    assert (contains.unparsed, contains.missing) == (4, 1)
    assert contains.values["mean per class"] == 75.0
    exact = classification(replies, truths, CLASSES, "exact")
    assert exact.items.tolist() == [100, 0, 100, 0, 0, 0, 0, 0]
