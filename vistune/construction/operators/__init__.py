"""Operators, one file a family: functions that return `Iterable[Record] -> Iterator[Record]`."""
